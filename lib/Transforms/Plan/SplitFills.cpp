// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One fill for each op that starts from it, and one empty tensor for each that is written.
#include "lib/Transforms/Plan/Passes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_SPLITFILLS
#include "lib/Transforms/Plan/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;

namespace {
struct SplitFills : mlir::qtensor::impl::SplitFillsBase<SplitFills> {
  using SplitFillsBase::SplitFillsBase;

  void runOnOperation() override {
    SmallVector<linalg::FillOp> fills;
    getOperation()->walk([&](linalg::FillOp fill) {
      if (fill.hasPureTensorSemantics() && fill.getOutputs()[0].getDefiningOp<tensor::EmptyOp>())
        fills.push_back(fill);
    });
    for (linalg::FillOp fill : fills)
      split({fill.getOutputs()[0].getDefiningOp(), fill});
    if (!empties)
      return;
    SmallVector<tensor::EmptyOp> tensors;
    getOperation()->walk([&](tensor::EmptyOp empty) { tensors.push_back(empty); });
    for (tensor::EmptyOp empty : tensors)
      split({empty});
  }

  /// Gives every use of the last op a copy of all of them. They stand in front of their users, so that their buffers live no
  /// longer than they must.
  static void split(ArrayRef<Operation *> ops) {
    SmallVector<std::pair<Operation *, OpOperand *>> uses;
    for (OpOperand &use : ops.back()->getResult(0).getUses())
      uses.push_back({ops.back()->getBlock()->findAncestorOpInBlock(*use.getOwner()), &use});
    llvm::stable_sort(uses, [](auto a, auto b) { return a.first != b.first && a.first->isBeforeInBlock(b.first); });
    for (auto [user, use] : llvm::drop_begin(uses)) {
      OpBuilder builder(user);
      IRMapping mapping;
      Operation *made = nullptr;
      for (Operation *op : ops)
        made = builder.clone(*op, mapping);
      use->set(made->getResult(0));
    }
  }
};
} // namespace
