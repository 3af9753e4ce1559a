// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Upstream's fusion of elementwise ops, held back where it would compute the same value again and again: in front of a
// reduction (a softmax in front of a matrix product), and in front of a broadcast (a norm's square root).
#include "lib/Transforms/RewriteGreedily.h"
#include "lib/Transforms/Select/FuseElementwise.h"
#include "lib/Transforms/Select/Passes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Math/IR/Math.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_FUSEELEMENTWISE
#include "lib/Transforms/Select/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

/// True when computing one element costs no more than loading it.
static bool isCheap(linalg::GenericOp op) {
  return llvm::all_of(op.getRegion().front(), [](Operation &inner) {
    return !isa_and_nonnull<math::MathDialect>(inner.getDialect()) && !isa<arith::DivFOp, arith::RemFOp>(inner);
  });
}

static bool shouldFuse(OpOperand *operand) {
  auto producer = operand->get().getDefiningOp<linalg::GenericOp>();
  auto consumer = dyn_cast<linalg::GenericOp>(operand->getOwner());
  if (!producer || !consumer || consumer.getNumReductionLoops() || !operand->get().hasOneUse())
    return false;
  return consumer.getMatchingIndexingMap(operand).isPermutation() || isCheap(producer);
}

void qtensor::populateElementwiseFusion(RewritePatternSet &patterns) {
  linalg::populateElementwiseOpsFusionPatterns(patterns, shouldFuse);
  // x * sigmoid(x) reads x twice until its operands are one.
  linalg::populateEraseUnusedOperandsAndResultsPatterns(patterns);
}

namespace {
struct FuseElementwise : mlir::qtensor::impl::FuseElementwiseBase<FuseElementwise> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateElementwiseFusion(patterns);
    if (failed(rewriteGreedily(*this, getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
