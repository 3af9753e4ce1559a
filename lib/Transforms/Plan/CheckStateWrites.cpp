// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A write into a state at a place that only the run knows: an error where it does not fit, and never outside of the state.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Plan/Passes.h"
#include "lib/Transforms/Plan/States.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_CHECKSTATEWRITES
#include "lib/Transforms/Plan/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

/// Checks the offsets that are values, and puts the nearest place that fits in their stead.
template <typename OpTy>
static void check(OpTy op, StringRef state) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  auto type = cast<RankedTensorType>(op.getDest().getType());
  SmallVector<OpFoldResult> sizes = op.getMixedSizes();
  unsigned next = 0;
  for (auto [dim, offset] : llvm::enumerate(op.getStaticOffsets())) {
    if (!ShapedType::isDynamic(offset))
      continue;
    OpOperand &operand = op.getOffsetsMutable()[next++];
    Value at = operand.get(), zero = arith::ConstantIndexOp::create(b, 0);
    Value size = getValueOrCreateConstantIndexOp(b, b.getLoc(), sizes[dim]);
    Value last = b.createOrFold<arith::SubIOp>(arith::ConstantIndexOp::create(b, type.getDimSize(dim)), size);
    Value fits = arith::AndIOp::create(b, arith::CmpIOp::create(b, arith::CmpIPredicate::sge, at, zero),
                                       arith::CmpIOp::create(b, arith::CmpIPredicate::sle, at, last));
    cf::AssertOp::create(b, fits, ("a write into the state '" + state + "' goes past its end: dimension " + Twine(dim) + " has " +
                                   Twine(type.getDimSize(dim)) + " places; start again with state_init").str());
    operand.set(arith::MaxSIOp::create(b, arith::MinSIOp::create(b, at, last), zero));
  }
}

namespace {
struct CheckStateWrites : mlir::qtensor::impl::CheckStateWritesBase<CheckStateWrites> {
  void runOnOperation() override {
    func::FuncOp function = getOperation();
    if (function.isExternal() || function.getName() != "main")
      return;
    SmallVector<Operation *> writes;
    for (Operation &op : function.front())
      if (isa<tensor::InsertSliceOp, InsertOp>(op))
        writes.push_back(&op);
    for (Operation *op : writes) {
      StringAttr state = findState(function, op->getOperand(1));
      if (!state || !cast<RankedTensorType>(op->getOperand(1).getType()).hasStaticShape())
        continue;
      if (auto insert = dyn_cast<tensor::InsertSliceOp>(op))
        check(insert, state.getValue());
      else
        check(cast<InsertOp>(op), state.getValue());
    }
  }
};
} // namespace
