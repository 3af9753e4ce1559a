// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Keeps a canonicalization that is wrong for strides from what it would change.
#include "lib/Transforms/Normalize/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_GUARDSTRIDEDINSERTS
#include "lib/Transforms/Normalize/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;

/// The fill that a chain of insertions begins with.
static linalg::FillOp findFill(Value value) {
  while (auto insert = value.getDefiningOp<tensor::InsertSliceOp>())
    value = insert.getDest();
  return value.getDefiningOp<linalg::FillOp>();
}

/// The same fill in a form that canonicalization does not take for one.
static void generalize(linalg::FillOp fill) {
  OpBuilder b(fill);
  Value init = fill.getOutputs()[0];
  int64_t rank = cast<ShapedType>(init.getType()).getRank();
  SmallVector<utils::IteratorType> parallel(rank, utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(b, fill.getLoc(), init.getType(), ValueRange(), init,
                                           b.getMultiDimIdentityMap(rank), parallel,
                                           [&](OpBuilder &inner, Location loc, ValueRange) {
                                             linalg::YieldOp::create(inner, loc, fill.getInputs());
                                           });
  fill.getResult(0).replaceAllUsesWith(generic.getResult(0));
  fill.erase();
}

namespace {
struct GuardStridedInserts : mlir::qtensor::impl::GuardStridedInsertsBase<GuardStridedInserts> {
  void runOnOperation() override {
    llvm::SetVector<linalg::FillOp> fills;
    getOperation().walk([&](tensor::InsertSliceOp op) {
      linalg::FillOp fill = op.hasUnitStride() ? linalg::FillOp() : findFill(op.getDest());
      if (fill && fill.hasPureTensorSemantics())
        fills.insert(fill);
    });
    llvm::for_each(fills, generalize);
  }
};
} // namespace
