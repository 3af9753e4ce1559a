// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/KernelTable.h"
#include "qtensor/Target.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

const LayerKernels *firmware::lookupLayerKernels(StringRef name) {
  const Target *target = lookupTarget(name);
  return target && target->layerKernels ? &target->layerKernels() : nullptr;
}

const LayerKernels *firmware::requireLayerKernels(Operation *op, StringRef target) {
  const LayerKernels *kernels = lookupLayerKernels(target);
  if (!kernels)
    op->emitError() << "target '" << target << "' has no kernels for layers; see quant-compile --list-targets";
  return kernels;
}

/// Calls `use` with the kernel that the op names and the op's layer.
template <typename L, typename K, typename Use>
static LogicalResult useKernel(qnn::LayerOpInterface op, const L &layer, ArrayRef<const K *> kernels, Use use) {
  for (const K *kernel : kernels)
    if (kernel->getName() == op.getKernelName()) {
      use(*kernel, layer);
      return success();
    }
  return op->emitOpError("has the kernel \"") << op.getKernelName()
                                              << "\", which the target lacks; pack the layer for this target";
}

template <typename Use>
static LogicalResult visitKernel(qnn::LayerOpInterface op, const LayerKernels &kernels, Use use) {
  std::optional<Layer> layer = describeLayer(op);
  if (!layer)
    return op->emitOpError("has codes that are not 8 or 16 bits wide");
  if (auto *conv = std::get_if<ConvLayer>(&*layer))
    return useKernel<ConvLayer, ConvKernel>(op, *conv, kernels.conv, use);
  if (auto *pool = std::get_if<PoolLayer>(&*layer))
    return useKernel<PoolLayer, PoolKernel>(op, *pool, kernels.pool, use);
  if (auto *add = std::get_if<AddLayer>(&*layer))
    return useKernel<AddLayer, AddKernel>(op, *add, kernels.add, use);
  if (auto *mul = std::get_if<MulLayer>(&*layer))
    return useKernel<MulLayer, MulKernel>(op, *mul, kernels.mul, use);
  return useKernel<SoftmaxLayer, SoftmaxKernel>(op, std::get<SoftmaxLayer>(*layer), kernels.softmax, use);
}

FailureOr<LayerMemory> firmware::getLayerMemory(qnn::LayerOpInterface op, const LayerKernels &kernels) {
  LayerMemory memory;
  if (failed(visitKernel(op, kernels, [&](const auto &kernel, const auto &layer) {
        memory = memoryOf(kernel, layer);
      })))
    return failure();
  return memory;
}

LogicalResult firmware::emitLayer(qnn::LayerOpInterface op, const LayerKernels &kernels, KernelBuilder &k, const LayerPointers &at) {
  return visitKernel(op, kernels, [&](const auto &kernel, const auto &layer) { kernel.emit(k, layer, at); });
}
