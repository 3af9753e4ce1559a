// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Transpositions move towards the results until they cancel or reach something that needs the order.
#include "lib/Transforms/Normalize/Passes.h"
#include "lib/Transforms/Normalize/Support.h"
#include "lib/Transforms/Normalize/TransposePatterns.h"
#include "lib/Transforms/RewriteGreedily.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_SINKTRANSPOSES
#include "lib/Transforms/Normalize/Passes.h.inc"

using namespace normalize;

namespace {
/// Two transpositions become one, or none.
class MergePair : public OpRewritePattern<linalg::TransposeOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::TransposeOp op, PatternRewriter &rewriter) const override {
    linalg::TransposeOp inner = getTranspose(op.getInput());
    if (!op.hasPureTensorSemantics() || (!inner && !isIdentity(op.getPermutation())))
      return rewriter.notifyMatchFailure(op, "its input is no transposition");
    Location loc = inner ? fuse(inner.getLoc(), op.getLoc()) : op.getLoc();
    Value merged = transpose(rewriter, loc, op.getInput(), op.getPermutation());
    if (cast<RankedTensorType>(merged.getType()) != op->getResult(0).getType())
      merged = tensor::CastOp::create(rewriter, loc, op->getResult(0).getType(), merged);
    rewriter.replaceOp(op, merged);
    return success();
  }
};

/// Loops that index the dimensions of an operand, if its map is one loop per dimension, each once.
std::optional<SmallVector<int64_t>> getLoops(AffineMap map) {
  if (!map.isProjectedPermutation())
    return std::nullopt;
  return llvm::map_to_vector(map.getResults(),
                             [](AffineExpr expr) -> int64_t { return cast<AffineDimExpr>(expr).getPosition(); });
}

/// An op over all points of one tensor, elementwise or a reduction: if most of its large inputs come transposed in the
/// same way, it works in the order of their sources and its result is transposed instead.
class SinkThroughGeneric : public OpRewritePattern<linalg::GenericOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics() || op.getNumDpsInits() != 1)
      return rewriter.notifyMatchFailure(op, "it has several results");
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    std::optional<SmallVector<int64_t>> result = getLoops(maps.back());
    if (!result)
      return rewriter.notifyMatchFailure(op, "its result is not written one element a point");
    // Read every transposed input from its source.
    SmallVector<Value> inputs = op.getInputs();
    SmallVector<int64_t> order;
    for (auto [input, map] : llvm::zip(inputs, maps)) {
      linalg::TransposeOp moved = getTranspose(input);
      if (!moved)
        continue;
      input = moved.getInput();
      map = permuteResults(map, invert(moved.getPermutation()));
      if (order.empty() && map.isPermutation())
        order = *getLoops(map);
    }
    if (order.empty() && inputs.size() == 1 && inputs[0] != op.getInputs()[0])
      order = orderOfRepeat(maps[0], *result);
    if (order.empty() || !isWorth(op, inputs, maps, order, *result))
      return rewriter.notifyMatchFailure(op, "not enough of its inputs come transposed in one way");
    for (AffineMap &map : maps)
      map = permuteLoops(map, order);
    // The result in the order of the loops.
    Permutation written;
    for (int64_t loop : order)
      if (auto position = llvm::find(*result, loop); position != result->end())
        written.push_back(position - result->begin());
    maps.back() = permuteResults(maps.back(), written);
    Value init = permuteInit(rewriter, op.getLoc(), op.getOutputs()[0], written);
    auto made = withOperands(rewriter, op.getLoc(), op, order, inputs, init, maps);
    rewriter.replaceOp(op, transpose(rewriter, op.getLoc(), made.getResult(0), invert(written)));
    return success();
  }

private:
  /// The loops of a tensor that is repeated along some: in its own order, each of the others behind the one that it
  /// follows in the result. So what is a neighbour there stays one. Nothing where the tensor is no plain part of the
  /// result.
  static SmallVector<int64_t> orderOfRepeat(AffineMap map, ArrayRef<int64_t> result) {
    if (!map.isProjectedPermutation(/*allowZeroInResults=*/true) || result.size() != map.getNumDims())
      return {};
    SmallVector<int64_t> order;
    for (AffineExpr expr : map.getResults())
      if (auto loop = dyn_cast<AffineDimExpr>(expr))
        order.push_back(loop.getPosition());
    if (order.empty())
      return {};
    for (auto [i, loop] : llvm::enumerate(result))
      if (!llvm::is_contained(order, loop))
        order.insert(i == 0 ? order.begin() : std::next(llvm::find(order, result[i - 1])), loop);
    return order;
  }

  /// Counts inputs that cover all points: those in the new order against those in the order of the result.
  static bool isWorth(linalg::GenericOp op, ArrayRef<Value> inputs, ArrayRef<AffineMap> maps, ArrayRef<int64_t> order,
                      ArrayRef<int64_t> result) {
    int64_t gain = 0;
    for (auto [input, map] : llvm::zip(inputs, maps)) {
      std::optional<SmallVector<int64_t>> loops = getLoops(map);
      if (!loops || loops->size() != op.getNumLoops() || isConstant(input))
        continue;
      gain += *loops == order ? 1 : -1;
    }
    return gain >= 0;
  }
};

/// An elementwise op that takes each element from one place of a transposed tensor (pixels that are repeated, mirrored
/// or picked) takes it from the source, and its result is transposed instead.
class SinkThroughPick : public OpRewritePattern<linalg::GenericOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    auto extracts = llvm::to_vector(op.getBody()->getOps<tensor::ExtractOp>());
    linalg::TransposeOp moved = extracts.size() == 1 ? getTranspose(extracts[0].getTensor()) : linalg::TransposeOp();
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    if (!moved || !op.hasPureTensorSemantics() || op.getNumDpsInits() != 1 || op.getNumReductionLoops() ||
        !maps.back().isIdentity() || maps.back().getNumDims() != moved.getPermutation().size() ||
        !llvm::all_of(op.getDpsInputs(), isConstant))
      return rewriter.notifyMatchFailure(op, "it does not pick elements of a transposed tensor of its own rank");
    Permutation order = invert(moved.getPermutation());
    for (AffineMap &map : maps)
      map = permuteLoops(map, order);
    maps.back() = permuteResults(maps.back(), order);
    Value init = permuteInit(rewriter, op.getLoc(), op.getOutputs()[0], order);
    auto made = withOperands(rewriter, op.getLoc(), op, order, op.getInputs(), init, maps);
    tensor::ExtractOp taken = *made.getBody()->getOps<tensor::ExtractOp>().begin();
    SmallVector<Value> position = permute<Value>(llvm::to_vector(taken.getIndices()), order);
    rewriter.modifyOpInPlace(taken, [&] {
      taken.getTensorMutable().assign(moved.getInput());
      taken.getIndicesMutable().assign(position);
    });
    rewriter.replaceOp(op, transpose(rewriter, op.getLoc(), made.getResult(0), moved.getPermutation()));
    return success();
  }
};

/// A transposition that got stuck behind an elementwise op of its own is done by that op while it writes.
class WriteTransposed : public OpRewritePattern<linalg::TransposeOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::TransposeOp op, PatternRewriter &rewriter) const override {
    auto producer = op.getInput().getDefiningOp<linalg::GenericOp>();
    if (!op.hasPureTensorSemantics() || !getTranspose(op->getResult(0)) || !producer || !producer->hasOneUse() || producer->getNumResults() != 1 ||
        producer.getNumParallelLoops() != producer.getNumLoops())
      return rewriter.notifyMatchFailure(op, "its input is no elementwise op with one use");
    SmallVector<AffineMap> maps = producer.getIndexingMapsArray();
    if (!maps.back().isPermutation())
      return rewriter.notifyMatchFailure(op, "the elementwise op does not write one element a point");
    maps.back() = permuteResults(maps.back(), op.getPermutation());
    SmallVector<int64_t> order = *getLoops(maps.back());
    for (AffineMap &map : maps)
      map = permuteLoops(map, order);
    Location loc = fuse(producer.getLoc(), op.getLoc());
    rewriter.setInsertionPoint(producer);
    Value init = permuteInit(rewriter, loc, producer.getOutputs()[0], op.getPermutation());
    auto made = withOperands(rewriter, loc, producer, order, producer.getInputs(), init, maps);
    rewriter.replaceOp(op, made.getResults());
    rewriter.eraseOp(producer);
    return success();
  }
};

struct SinkTransposes : impl::SinkTransposesBase<SinkTransposes> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet sink(context), settle(context);
    sink.add<MergePair, SinkThroughGeneric, SinkThroughPick>(context);
    populateSinkTransposePatterns(sink);
    populateSinkRoundingPatterns(sink);
    settle.add<WriteTransposed>(context);
    if (failed(qtensor::rewriteGreedily(*this, getOperation(), std::move(sink))) ||
        failed(qtensor::rewriteGreedily(*this, getOperation(), std::move(settle))))
      signalPassFailure();
  }
};
} // namespace
} // namespace mlir::qtensor
