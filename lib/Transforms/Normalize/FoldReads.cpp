// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Ops that only say how a tensor is read - broadcasts, transpositions in front of contractions, splats - become part of
// the indexing maps and payloads of their readers.
#include "lib/Transforms/Normalize/Passes.h"
#include "lib/Transforms/Normalize/Support.h"
#include "lib/Transforms/Normalize/TransposePatterns.h"
#include "lib/Transforms/RewriteGreedily.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_FOLDREADS
#include "lib/Transforms/Normalize/Passes.h.inc"

using namespace normalize;

namespace {
Permutation keepLoops(linalg::LinalgOp op) { return llvm::to_vector(llvm::seq<int64_t>(0, op.getNumLoops())); }

/// Whether the extents of all loops still follow from the operands.
bool boundsLoops(ArrayRef<AffineMap> maps) {
  return static_cast<bool>(inversePermutation(concatAffineMaps(maps, maps.front().getContext())));
}

/// A dimension of extent 1 that is read at 0 is taken off the operand.
class DropUnitReads : public OpRewritePattern<linalg::GenericOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    SmallVector<Value> inputs = op.getInputs();
    bool changed = false;
    for (auto [input, map] : llvm::zip(inputs, maps))
      changed |= drop(rewriter, op.getLoc(), input, map);
    if (!changed)
      return rewriter.notifyMatchFailure(op, "no unit dimension is read at 0");
    auto made = withOperands(rewriter, op.getLoc(), op, keepLoops(op), inputs, op.getOutputs(), maps);
    rewriter.replaceOp(op, made.getResults());
    return success();
  }

private:
  static bool drop(OpBuilder &builder, Location loc, Value &input, AffineMap &map) {
    auto type = dyn_cast<RankedTensorType>(input.getType());
    if (!type || type.getEncoding())
      return false;
    SmallVector<ReassociationIndices> groups;
    SmallVector<AffineExpr> kept;
    ReassociationIndices leading;
    for (auto [dim, expr] : llvm::enumerate(map.getResults())) {
      auto constant = dyn_cast<AffineConstantExpr>(expr);
      bool isUnit = constant && constant.getValue() == 0 && type.getDimSize(dim) == 1;
      if (!isUnit) {
        kept.push_back(expr);
        groups.push_back(std::exchange(leading, {}));
      }
      (groups.empty() ? leading : groups.back()).push_back(dim);
    }
    if (kept.size() == map.getNumResults())
      return false;
    loc = isConstant(input) ? input.getLoc() : loc; // a constant keeps its name
    input = tensor::CollapseShapeOp::create(builder, loc, input, groups);
    map = AffineMap::get(map.getNumDims(), 0, kept, map.getContext());
    return true;
  }
};

/// How the elements of a value come from another tensor, if its op only repeats or reorders them.
struct View {
  Value source;
  AffineMap map; // from the value's dimensions to the source's
};

std::optional<View> getBroadcast(Value value) {
  MLIRContext *context = value.getContext();
  if (auto op = value.getDefiningOp<linalg::BroadcastOp>()) {
    SmallVector<AffineExpr> exprs;
    int64_t rank = cast<RankedTensorType>(value.getType()).getRank();
    for (int64_t dim = 0; dim < rank; ++dim)
      if (!llvm::is_contained(op.getDimensions(), dim))
        exprs.push_back(getAffineDimExpr(dim, context));
    return View{op.getInput(), AffineMap::get(rank, 0, exprs, context)};
  }
  auto op = value.getDefiningOp<linalg::GenericOp>();
  if (!op || !op.hasPureTensorSemantics() || op.getNumDpsInputs() != 1 || op.getNumResults() != 1 ||
      op.getNumParallelLoops() != op.getNumLoops())
    return std::nullopt;
  auto yield = cast<linalg::YieldOp>(op.getBody()->getTerminator());
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  if (yield.getOperand(0) != op.getBody()->getArgument(0) || !maps[1].isIdentity() ||
      maps[0].getNumResults() >= op.getNumLoops())
    return std::nullopt;
  return View{op.getInputs()[0], maps[0]};
}

/// Elementwise ops, reductions and contractions read what was repeated from where it was repeated.
class ReadThroughBroadcast : public OpRewritePattern<linalg::GenericOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics())
      return rewriter.notifyMatchFailure(op, "not on tensors");
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    SmallVector<Value> inputs = op.getInputs();
    bool changed = false;
    for (auto [index, input] : llvm::enumerate(inputs)) {
      std::optional<View> view = getBroadcast(input);
      if (!view)
        continue;
      AffineMap before = std::exchange(maps[index], view->map.compose(maps[index]));
      if (!boundsLoops(maps)) {
        maps[index] = before;
        continue;
      }
      input = view->source;
      changed = true;
    }
    if (!changed)
      return rewriter.notifyMatchFailure(op, "none of its inputs is a broadcast that it can read through");
    auto made = withOperands(rewriter, op.getLoc(), op, keepLoops(op), inputs, op.getOutputs(), maps);
    rewriter.replaceOp(op, made.getResults());
    return success();
  }
};

/// An elementwise op reads one value for a splat.
class ReadSplat : public OpRewritePattern<linalg::GenericOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics() || op.getNumParallelLoops() != op.getNumLoops())
      return rewriter.notifyMatchFailure(op, "not an elementwise op");
    for (OpOperand *operand : op.getDpsInputOperands()) {
      TypedAttr value = getSplat(operand->get());
      SmallVector<AffineMap> maps = op.getIndexingMapsArray();
      maps.erase(maps.begin() + operand->getOperandNumber());
      if (!value || !boundsLoops(maps))
        continue;
      unsigned number = operand->getOperandNumber();
      SmallVector<Value> inputs = op.getInputs();
      inputs.erase(inputs.begin() + number);
      auto made = linalg::GenericOp::create(rewriter, op.getLoc(), op.getResultTypes(), inputs, op.getOutputs(), maps,
                                            op.getIteratorTypesArray());
      copyAttributes(op, made);
      rewriter.inlineRegionBefore(op.getRegion(), made.getRegion(), made.getRegion().begin());
      Block *body = made.getBody();
      rewriter.setInsertionPointToStart(body);
      Value scalar = arith::ConstantOp::create(rewriter, operand->get().getLoc(), value);
      rewriter.replaceAllUsesWith(body->getArgument(number), scalar);
      body->eraseArgument(number);
      rewriter.replaceOp(op, made.getResults());
      return success();
    }
    return rewriter.notifyMatchFailure(op, "none of its inputs is a splat");
  }

private:
  static TypedAttr getSplat(Value value) {
    DenseElementsAttr elements;
    auto type = dyn_cast<RankedTensorType>(value.getType());
    if (!type || type.getEncoding() || !matchPattern(value, m_Constant(&elements)) || !elements.isSplat())
      return {};
    return cast<TypedAttr>(elements.getSplatValue<Attribute>());
  }
};

/// The loop that indexes the innermost dimension of a map.
std::optional<unsigned> getInnermost(AffineMap map) {
  if (map.getNumResults() == 0)
    return std::nullopt;
  auto expr = dyn_cast<AffineDimExpr>(map.getResults().back());
  return expr ? std::optional<unsigned>(expr.getPosition()) : std::nullopt;
}

/// Whether a contraction reads or writes an operand well through this map: not with a batch dimension innermost, where
/// neither rows nor sums would be contiguous.
bool isReadable(linalg::LinalgOp op, AffineMap map) {
  std::optional<unsigned> loop = getInnermost(map);
  return loop &&
         !llvm::all_of(op.getIndexingMapsArray(), [&](AffineMap other) { return other.isFunctionOfDim(*loop); });
}

/// A contraction reads its factors transposed.
class ContractTransposed : public OpInterfaceRewritePattern<linalg::LinalgOp> {
public:
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(linalg::LinalgOp op, PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics() || !linalg::isaContractionOpInterface(op))
      return rewriter.notifyMatchFailure(op, "no contraction");
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    SmallVector<Value> inputs = op.getDpsInputs();
    bool changed = false;
    for (auto [input, map] : llvm::zip(inputs, maps)) {
      linalg::TransposeOp moved = getTranspose(input);
      AffineMap direct = moved ? permuteResults(map, invert(moved.getPermutation())) : AffineMap();
      if (!moved || (!isReadable(op, direct) && !isConstant(input)))
        continue;
      input = moved.getInput();
      map = direct;
      changed = true;
    }
    if (!changed)
      return rewriter.notifyMatchFailure(op, "no factor is transposed in a way that it can read");
    auto made = withOperands(rewriter, op.getLoc(), op, keepLoops(op), inputs, op.getDpsInits(), maps);
    rewriter.replaceOp(op, made.getResults());
    return success();
  }
};

/// A contraction writes its result transposed.
class WriteContractionTransposed : public OpRewritePattern<linalg::TransposeOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::TransposeOp op, PatternRewriter &rewriter) const override {
    auto producer = op.getInput().getDefiningOp<linalg::LinalgOp>();
    if (!op.hasPureTensorSemantics() || !getTranspose(op->getResult(0)) || !producer || !producer->hasOneUse() ||
        !linalg::isaContractionOpInterface(producer))
      return rewriter.notifyMatchFailure(op, "it does not transpose a contraction with one use");
    SmallVector<AffineMap> maps = producer.getIndexingMapsArray();
    maps.back() = permuteResults(maps.back(), op.getPermutation());
    if (!isReadable(producer, maps.back()))
      return rewriter.notifyMatchFailure(op, "a batch dimension would be innermost");
    Location loc = fuse(producer.getLoc(), op.getLoc());
    rewriter.setInsertionPoint(producer);
    Value init = permuteInit(rewriter, loc, producer.getDpsInits()[0], op.getPermutation());
    auto made = withOperands(rewriter, loc, producer, keepLoops(producer), producer.getDpsInputs(), init, maps);
    rewriter.replaceOp(op, made.getResults());
    rewriter.eraseOp(producer);
    return success();
  }
};

/// A broadcast whose result is reshaped before a contraction reads it (the shared heads of grouped attention): the
/// contraction gets the loops of the broadcast.
bool isReshapedBroadcast(OpOperand *operand) {
  auto reshape = operand->get().getDefiningOp<tensor::CollapseShapeOp>();
  auto reader = dyn_cast<linalg::LinalgOp>(operand->getOwner());
  return reshape && reader && linalg::isaContractionOpInterface(reader) && getBroadcast(reshape.getSrc());
}

struct FoldReads : impl::FoldReadsBase<FoldReads> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    patterns.add<DropUnitReads, ReadThroughBroadcast, ReadSplat, ContractTransposed, WriteContractionTransposed>(
        context);
    linalg::populateFoldReshapeOpsByExpansionPatterns(patterns, isReshapedBroadcast);
    // Dropping a unit dimension may put a reshape between a transposition and a contraction.
    populateSinkTransposePatterns(patterns);
    // It usually meets the reshape that added it.
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
    linalg::FillOp::getCanonicalizationPatterns(patterns, context);
    if (failed(qtensor::rewriteGreedily(*this, getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
} // namespace mlir::qtensor
