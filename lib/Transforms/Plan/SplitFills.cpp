// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One fill for each op that starts from it.
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
  void runOnOperation() override {
    SmallVector<linalg::FillOp> fills;
    getOperation()->walk([&](linalg::FillOp fill) {
      if (fill.hasPureTensorSemantics() && fill.getOutputs()[0].getDefiningOp<tensor::EmptyOp>())
        fills.push_back(fill);
    });
    for (linalg::FillOp fill : fills)
      split(fill);
  }

  /// The copies stand in front of their users, so that their buffers live no longer than they must.
  static void split(linalg::FillOp fill) {
    SmallVector<std::pair<Operation *, OpOperand *>> uses;
    for (OpOperand &use : fill->getResult(0).getUses())
      uses.push_back({fill->getBlock()->findAncestorOpInBlock(*use.getOwner()), &use});
    llvm::stable_sort(uses, [](auto a, auto b) { return a.first != b.first && a.first->isBeforeInBlock(b.first); });
    for (auto [user, use] : llvm::drop_begin(uses)) {
      OpBuilder builder(user);
      IRMapping mapping;
      builder.clone(*fill.getOutputs()[0].getDefiningOp(), mapping);
      use->set(builder.clone(*fill, mapping)->getResult(0));
    }
  }
};
} // namespace
