// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/FastMap.h"
#include "lib/Transforms/Firmware/KernelTable.h"
#include "lib/Transforms/Firmware/LayerConstants.h"
#include "lib/Transforms/Firmware/Passes.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_FUSELAYERS
#include "lib/Transforms/Firmware/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

/// The convolution that makes operand `i` of a sum, if nobody else reads it and the other operand is there before it.
static qnn::Conv2DOp findConv(qnn::AddOp add, unsigned i) {
  auto conv = add.getInputs()[i].getDefiningOp<qnn::Conv2DOp>();
  Operation *other = add.getInputs()[1 - i].getDefiningOp();
  if (!conv || !conv->hasOneUse() || conv->getBlock() != add->getBlock() || conv.getKernel() || conv.getSum() ||
      conv.getOutputType() != add.getOutputType() || conv.getOutputType() != add.getInputType(1 - i))
    return {};
  bool before = !other || (other->getBlock() == conv->getBlock() && other->isBeforeInBlock(conv));
  // Of a difference the first operand is the convolution's.
  return before && !(i == 1 && add.getSubtract()) ? conv : qnn::Conv2DOp();
}

static qnn::SumAttr makeSum(qnn::AddOp add, unsigned first) {
  Builder b(add.getContext());
  SmallVector<int64_t> zeros(add.getZeros()), multipliers(add.getMultipliers()), shifts(add.getShifts());
  if (first == 1)
    for (SmallVector<int64_t> *list : {&zeros, &multipliers, &shifts})
      std::swap((*list)[0], (*list)[1]);
  return qnn::SumAttr::get(add.getContext(), b.getDenseI64ArrayAttr(zeros), add.getLeftShift(),
                           b.getDenseI64ArrayAttr(multipliers), b.getDenseI64ArrayAttr(shifts), add.getSubtract(),
                           add.getOutputZero(), add.getLow(), add.getHigh(), add.getMap());
}

namespace {
struct FuseLayers : mlir::qtensor::impl::FuseLayersBase<FuseLayers> {
  using FuseLayersBase::FuseLayersBase;

  void runOnOperation() override {
    const LayerKernels *kernels = requireLayerKernels(getOperation(), target);
    if (!kernels)
      return signalPassFailure();
    SmallVector<qnn::AddOp> sums;
    getOperation().walk([&](qnn::AddOp add) { sums.push_back(add); });
    for (qnn::AddOp add : sums)
      if (failed(fuse(add, *kernels)))
        return signalPassFailure();
  }

private:
  static LogicalResult fuse(qnn::AddOp add, const LayerKernels &kernels);
};
} // namespace

/// Whether the kernel of the convolution computes the sum too.
static FailureOr<bool> takesSum(qnn::Conv2DOp fused, const LayerKernels &kernels) {
  std::optional<Layer> layer = describeLayer(fused);
  FailureOr<ConvConstants> constants = readConvConstants(fused);
  if (!layer || failed(constants))
    return failed(constants) ? FailureOr<bool>(failure()) : false;
  ConvLayer with = std::get<ConvLayer>(*layer);
  with.sumBound = boundOfSums(with, *constants);
  ConvLayer without = with;
  without.sum.reset();
  const ConvKernel *kernel = findKernel<ConvLayer, ConvConstants>(kernels.conv, without, *constants);
  return kernel && kernel == findKernel<ConvLayer, ConvConstants>(kernels.conv, with, *constants);
}

LogicalResult FuseLayers::fuse(qnn::AddOp add, const LayerKernels &kernels) {
  if (add.getKernel() || add->getNumResults() != 1)
    return success();
  for (unsigned i : {0u, 1u}) {
    qnn::Conv2DOp conv = findConv(add, i);
    if (!conv)
      continue;
    OpBuilder b(conv);
    auto fused = cast<qnn::Conv2DOp>(b.clone(*conv));
    fused->setLoc(FusedLoc::get(add.getContext(), {conv.getLoc(), add.getLoc()}));
    fused.getInputsMutable().append(add.getInputs()[1 - i]);
    fused.setSumAttr(makeSum(add, i));
    FailureOr<bool> taken = takesSum(fused, kernels);
    if (failed(taken))
      return failure();
    if (!*taken) {
      fused->erase();
      continue;
    }
    add->replaceAllUsesWith(fused->getResults());
    add->erase();
    conv->erase();
    return success();
  }
  return success();
}
