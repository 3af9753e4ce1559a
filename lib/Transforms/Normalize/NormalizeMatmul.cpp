// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Contractions with constant weights to one form: weights [.., n, k], two dimensions where there is no batch.
#include "lib/Transforms/Normalize/Passes.h"
#include "lib/Transforms/Normalize/Support.h"
#include "lib/Transforms/RewriteGreedily.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_NORMALIZEMATMUL
#include "lib/Transforms/Normalize/Passes.h.inc"

using namespace normalize;

namespace {
using Loops = SmallVector<int64_t>;

/// A contraction with exactly one constant factor, its weights.
struct Weighted {
  linalg::LinalgOp op;
  SmallVector<AffineMap> maps;
  unsigned weights; // operand number of the weights: 0 or 1
  /// Loops by the operands they index; `rows` index the other factor, `columns` the weights, each in order of the
  /// result.
  Loops batch, rows, columns, sums;

  AffineMap weightsMap() const { return maps[weights]; }
  AffineMap rowsMap() const { return maps[1 - weights]; }
  Value rowsOperand() { return op.getDpsInputs()[1 - weights]; }
};

std::optional<Weighted> match(linalg::LinalgOp op) {
  if (!op.hasPureTensorSemantics() || !linalg::isaContractionOpInterface(op))
    return std::nullopt;
  bool left = isConstant(op.getDpsInputs()[0]), right = isConstant(op.getDpsInputs()[1]);
  if (left == right)
    return std::nullopt;
  Weighted found{op, op.getIndexingMapsArray(), left ? 0u : 1u, {}, {}, {}, {}};
  for (AffineExpr expr : found.maps[2].getResults()) {
    unsigned loop = cast<AffineDimExpr>(expr).getPosition();
    bool inRows = found.rowsMap().isFunctionOfDim(loop), inColumns = found.weightsMap().isFunctionOfDim(loop);
    (inRows && inColumns ? found.batch : inRows ? found.rows : found.columns).push_back(loop);
  }
  for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
    if (!found.maps[2].isFunctionOfDim(loop))
      found.sums.push_back(loop);
  return found;
}

Loops getLoops(AffineMap map) {
  return llvm::map_to_vector(map.getResults(),
                             [](AffineExpr expr) -> int64_t { return cast<AffineDimExpr>(expr).getPosition(); });
}

/// Weights as batch, columns, sums: one row of numbers per output.
class TransposeWeights : public OpInterfaceRewritePattern<linalg::LinalgOp> {
public:
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(linalg::LinalgOp op, PatternRewriter &rewriter) const override {
    std::optional<Weighted> found = match(op);
    if (!found)
      return rewriter.notifyMatchFailure(op, "no contraction with constant weights");
    Loops wanted = found->batch;
    wanted.append(found->columns);
    wanted.append(found->sums);
    Loops have = getLoops(found->weightsMap());
    Permutation order;
    for (int64_t loop : wanted)
      if (auto position = llvm::find(have, loop); position != have.end())
        order.push_back(position - have.begin());
    if (isIdentity(order))
      return rewriter.notifyMatchFailure(op, "the weights are in order");
    SmallVector<Value> inputs = op.getDpsInputs();
    Value &weights = inputs[found->weights];
    weights = transpose(rewriter, fuse(weights.getLoc(), op.getLoc()), weights, order);
    found->maps[found->weights] = permuteResults(found->weightsMap(), order);
    auto loops = llvm::to_vector(llvm::seq<int64_t>(0, op.getNumLoops()));
    auto generic = withOperands(rewriter, op.getLoc(), op, loops, inputs, op.getDpsInits(), found->maps);
    rewriter.replaceOp(op, generic.getResults());
    return success();
  }
};

/// Folds all rows into one loop: [b, m, k] x [n, k] is [b * m, k] x [n, k].
class CollapseRows : public OpInterfaceRewritePattern<linalg::LinalgOp> {
public:
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(linalg::LinalgOp op, PatternRewriter &rewriter) const override {
    std::optional<Weighted> found = match(op);
    if (!found || !found->batch.empty() || found->rows.size() < 2)
      return rewriter.notifyMatchFailure(op, "no contraction with several row dimensions");
    SmallVector<ReassociationIndices> fold = {ReassociationIndices(ArrayRef<int64_t>(found->rows))};
    if (!linalg::areDimSequencesPreserved(found->maps, fold))
      return rewriter.notifyMatchFailure(op, "the row dimensions are not next to each other");
    auto loops = llvm::to_vector(llvm::seq<int64_t>(0, op.getNumLoops()));
    auto generic = withOperands(rewriter, op.getLoc(), op, loops, op.getDpsInputs(), op.getDpsInits(), found->maps);
    FailureOr<linalg::CollapseResult> collapsed = linalg::collapseOpIterationDims(generic, fold, rewriter);
    if (failed(collapsed)) {
      rewriter.eraseOp(generic);
      return rewriter.notifyMatchFailure(op, "the rows cannot be collapsed");
    }
    rewriter.replaceOp(op, collapsed->results);
    rewriter.eraseOp(generic);
    return success();
  }
};

/// A vector times weights becomes a matrix of one row, or of one column if the weights come first.
class ExpandVector : public OpInterfaceRewritePattern<linalg::LinalgOp> {
public:
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(linalg::LinalgOp op, PatternRewriter &rewriter) const override {
    std::optional<Weighted> found = match(op);
    if (!found || !found->batch.empty() || !found->rows.empty() || found->columns.size() != 1 ||
        found->sums.size() != 1)
      return rewriter.notifyMatchFailure(op, "no vector times constant weights");
    AffineExpr row = rewriter.getAffineDimExpr(0), column = rewriter.getAffineDimExpr(1),
               sum = rewriter.getAffineDimExpr(2);
    bool columnFirst = found->weightsMap().getResult(0) == getAffineDimExpr(found->columns[0], getContext());
    auto map = [&](AffineExpr a, AffineExpr b) { return AffineMap::get(3, 0, {a, b}, getContext()); };
    SmallVector<AffineMap> maps = {map(row, sum), columnFirst ? map(column, sum) : map(sum, column), map(row, column)};
    Value rows = expand(rewriter, op.getLoc(), found->rowsOperand());
    SmallVector<Value> inputs = {rows, op.getDpsInputs()[found->weights]};
    if (found->weights == 0) { // the payload may tell its factors apart
      std::swap(inputs[0], inputs[1]);
      std::swap(maps[0], maps[1]);
    }
    Value init = expand(rewriter, op.getLoc(), op.getDpsInits()[0]);
    using utils::IteratorType;
    IteratorType iterators[] = {IteratorType::parallel, IteratorType::parallel, IteratorType::reduction};
    auto generic = linalg::GenericOp::create(rewriter, op.getLoc(), init.getType(), inputs, init, maps, iterators);
    rewriter.cloneRegionBefore(op->getRegion(0), generic.getRegion(), generic.getRegion().begin());
    copyAttributes(op, generic);
    SmallVector<ReassociationIndices> all = {{0, 1}};
    rewriter.replaceOpWithNewOp<tensor::CollapseShapeOp>(op, op->getResult(0).getType(), generic.getResult(0), all);
    return success();
  }

private:
  static Value expand(OpBuilder &builder, Location loc, Value vector) {
    auto type = cast<RankedTensorType>(vector.getType());
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, vector);
    sizes.insert(sizes.begin(), builder.getIndexAttr(1));
    auto wide = RankedTensorType::get({1, type.getDimSize(0)}, type.getElementType());
    SmallVector<ReassociationIndices> all = {{0, 1}};
    return tensor::ExpandShapeOp::create(builder, loc, wide, vector, all, sizes);
  }
};

/// A generic that is the product of two matrices gets the name linalg.matmul.
class NameMatmul : public OpRewritePattern<linalg::GenericOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    std::optional<Weighted> found = match(op);
    if (!found || !found->batch.empty() || found->rows.size() != 1 || found->columns.size() != 1 ||
        found->sums.size() != 1)
      return rewriter.notifyMatchFailure(op, "no product of two matrices");
    // linalg.matmul's loops are m, n, k with the left factor over m; its payload has no conversion.
    Loops order = {getLoops(found->maps[2])};
    order.append(found->sums);
    if (!found->maps[0].isFunctionOfDim(order[0]) || !isPlain(op.getRegion().front()))
      return rewriter.notifyMatchFailure(op, "linalg.matmul says less than this op");
    SmallVector<Attribute> maps = llvm::map_to_vector(
        found->maps, [&](AffineMap map) -> Attribute { return AffineMapAttr::get(permuteLoops(map, order)); });
    auto named = linalg::MatmulOp::create(rewriter, op.getLoc(), op.getResultTypes(), op.getInputs(), op.getOutputs());
    named.setIndexingMapsAttr(rewriter.getArrayAttr(maps));
    copyAttributes(op, named);
    rewriter.replaceOp(op, named->getResults());
    return success();
  }

private:
  static bool isPlain(Block &block) {
    if (!llvm::hasNItems(block.getOperations(), 3))
      return false;
    Operation &product = block.front(), *sum = product.getNextNode();
    return (isa<arith::MulFOp>(product) && isa<arith::AddFOp>(sum)) ||
           (isa<arith::MulIOp>(product) && isa<arith::AddIOp>(sum));
  }
};

struct NormalizeMatmul : impl::NormalizeMatmulBase<NormalizeMatmul> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    patterns.add<TransposeWeights, CollapseRows, ExpandVector, NameMatmul>(context);
    // Collapsing puts reshapes on inits and on operands that were reshaped before.
    linalg::FillOp::getCanonicalizationPatterns(patterns, context);
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
    if (failed(qtensor::rewriteGreedily(*this, getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
} // namespace mlir::qtensor
