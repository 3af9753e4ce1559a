// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "lib/Transforms/Firmware/LayerKernels.h"

namespace mlir::qtensor::firmware {

/// The kernels of a target; null where it has none or does not exist.
const LayerKernels *lookupLayerKernels(StringRef target);

/// The kernel that `op` names, or an error.
FailureOr<int64_t> getScratchBytes(qnn::LayerOpInterface op, const LayerKernels &kernels);
LogicalResult emitLayer(qnn::LayerOpInterface op, const LayerKernels &kernels, KernelBuilder &k, const LayerPointers &at);

} // namespace mlir::qtensor::firmware
