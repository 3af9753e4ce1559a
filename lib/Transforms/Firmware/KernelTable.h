// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "lib/Transforms/Firmware/LayerKernels.h"

namespace mlir::qtensor::firmware {

/// The kernels of a target; null where it has none or does not exist.
const LayerKernels *lookupLayerKernels(StringRef target);
/// The same, or an error at `op`.
const LayerKernels *requireLayerKernels(Operation *op, StringRef target);

/// What a kernel wants of memory.
struct LayerMemory {
  int64_t scratchBytes = 0;
  std::optional<Overlap> output, scratch; ///< Over the first input.
  std::optional<Overlap> second;          ///< Of the output over the second input.
};

template <typename L, typename C>
LayerMemory memoryOf(const LayerKernel<L, C> &kernel, const L &layer) {
  return {kernel.getScratchBytes(layer), kernel.getOutputOverlap(layer), kernel.getScratchOverlap(layer),
          kernel.getSumOverlap(layer)};
}

/// Of the kernel that `op` names, or an error.
FailureOr<LayerMemory> getLayerMemory(qnn::LayerOpInterface op, const LayerKernels &kernels);
LogicalResult emitLayer(qnn::LayerOpInterface op, const LayerKernels &kernels, KernelBuilder &k, const LayerPointers &at);

} // namespace mlir::qtensor::firmware
