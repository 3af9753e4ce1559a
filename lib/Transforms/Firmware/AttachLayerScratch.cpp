// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/KernelTable.h"
#include "lib/Transforms/Firmware/Passes.h"
#include "lib/Transforms/Plan/Passes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_ATTACHLAYERSCRATCH
#include "lib/Transforms/Firmware/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

static constexpr int64_t kAlignment = 16;

/// Whether elements lie without gaps, from an address that is known.
static bool isDense(MemRefType type) {
  auto [strides, offset] = type.getStridesAndOffset();
  if (ShapedType::isDynamic(offset) || offset * type.getElementTypeBitWidth() / 8 % kAlignment)
    return false;
  int64_t expected = 1;
  for (int64_t d = type.getRank() - 1; d >= 0; --d) {
    if (type.getDimSize(d) != 1 && strides[d] != expected)
      return false;
    expected *= type.getDimSize(d);
  }
  return true;
}

/// A kernel walks over bytes: an operand with gaps takes the way over a buffer without.
static void copyStrided(qnn::LayerOpInterface op) {
  for (OpOperand &operand : op->getOpOperands()) {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    if (!type || isDense(type))
      continue;
    OpBuilder b(op);
    Value strided = operand.get();
    Value own = memref::AllocOp::create(b, op->getLoc(), MemRefType::get(type.getShape(), type.getElementType()),
                                        b.getI64IntegerAttr(kAlignment));
    bool written = &operand == &op.getDestination();
    if (written)
      b.setInsertionPointAfter(op);
    memref::CopyOp::create(b, op->getLoc(), written ? own : strided, written ? strided : own);
    operand.set(own);
  }
}

static void attach(qnn::LayerOpInterface op, const LayerMemory &memory) {
  OpBuilder b(op);
  SmallVector<Attribute> overlaps;
  auto allow = [&](unsigned written, unsigned read, const std::optional<Overlap> &overlap) {
    if (overlap)
      overlaps.push_back(b.getDenseI64ArrayAttr({written, read, overlap->distance, overlap->multiple}));
  };
  if (memory.scratchBytes) {
    auto type = MemRefType::get({memory.scratchBytes}, b.getI8Type());
    op.getScratchBufferMutable().assign(
        memref::AllocOp::create(b, op->getLoc(), type, b.getI64IntegerAttr(kAlignment)).getResult());
    allow(op.getScratchBufferMutable()[0].getOperandNumber(), 0, memory.scratch);
  }
  allow(op.getDestination().getOperandNumber(), 0, memory.output);
  if (op.getLayerInputs().size() > 1)
    allow(op.getDestination().getOperandNumber(), 1, memory.second);
  if (!overlaps.empty())
    op->setDiscardableAttr(kOverlapsAttr, b.getArrayAttr(overlaps));
}

namespace {
struct AttachLayerScratch : mlir::qtensor::impl::AttachLayerScratchBase<AttachLayerScratch> {
  using AttachLayerScratchBase::AttachLayerScratchBase;

  void runOnOperation() override {
    WalkResult walk = getOperation().walk([&](qnn::LayerOpInterface op) {
      const LayerKernels *kernels = requireLayerKernels(op, target);
      if (!kernels)
        return WalkResult::interrupt();
      if (!isa<MemRefType>(op.getDestination().get().getType()) || op.getScratchBuffer())
        return WalkResult::advance();
      copyStrided(op);
      FailureOr<LayerMemory> memory = getLayerMemory(op, *kernels);
      if (failed(memory))
        return WalkResult::interrupt();
      attach(op, *memory);
      return WalkResult::advance();
    });
    if (walk.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
