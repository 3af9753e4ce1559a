// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Takes the epilogue out of contractions, so that their reduction can be cut.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Select/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_SPLITEPILOGUES
#include "lib/Transforms/Select/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

static void split(IRRewriter &rewriter, ContractOp op) {
  Location loc = op.getLoc();
  rewriter.setInsertionPoint(op);
  Type accumulator = op.getEpilogue().front().getArgument(0).getType();
  Value sums = tensor::EmptyOp::create(rewriter, loc, tensor::getMixedSizes(rewriter, loc, op.getOutput()), accumulator);
  auto contract = ContractOp::create(rewriter, loc, sums.getType(), op.getStrategy(), op.getIndexingMaps(),
                                     op.getIteratorTypes(), op.getLhs(), op.getLhsEncodingAttr(), op.getLhsSumsAttr(),
                                     op.getRhs(), op.getRhsEncodingAttr(), op.getRhsLayoutAttr(), ValueRange(),
                                     rewriter.getArrayAttr({}), sums, /*scratch=*/Value());
  contract->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  Block *body = rewriter.createBlock(&contract.getEpilogue(), {}, accumulator, loc);
  YieldOp::create(rewriter, loc, body->getArgument(0));
  rewriter.setInsertionPoint(op);
  auto epilogue = EpilogueOp::create(rewriter, loc, op.getResult().getType(), contract.getResult(), op.getExtra(),
                                     op.getExtraMaps(), op.getOutput());
  rewriter.inlineRegionBefore(op.getEpilogue(), epilogue.getBody(), epilogue.getBody().end());
  rewriter.replaceOp(op, epilogue);
}

namespace {
struct SplitEpilogues : mlir::qtensor::impl::SplitEpiloguesBase<SplitEpilogues> {
  void runOnOperation() override {
    SmallVector<ContractOp> ops;
    getOperation().walk([&](ContractOp op) {
      if (!op.hasEmptyEpilogue() && op.getResult())
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (ContractOp op : ops)
      split(rewriter, op);
  }
};
} // namespace
