// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Stores float weights in the order in which the vector loops read them.
#include "lib/Transforms/Vectorize/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_LAYOUTWEIGHTS
#include "lib/Transforms/Vectorize/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// A constant weight of a contraction, and the result of its map that runs along the output's last loop.
struct Weight {
  linalg::LinalgOp op;
  unsigned operand, position;
};
} // namespace

static bool isFloatConstant(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && !type.getEncoding() && isa<FloatType>(type.getElementType()) && value.hasOneUse() &&
         value.getDefiningOp<arith::ConstantOp>();
}

static std::optional<Weight> matchWeight(linalg::LinalgOp op, OpOperand &weight) {
  AffineMap map = op.getMatchingIndexingMap(&weight), result = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (!isFloatConstant(weight.get()) || !map.isProjectedPermutation() || !result.getNumResults())
    return std::nullopt;
  auto iterators = op.getIteratorTypesArray();
  bool isSummed = llvm::any_of(map.getResults(), [&](AffineExpr expr) {
    return iterators[cast<AffineDimExpr>(expr).getPosition()] == utils::IteratorType::reduction;
  });
  std::optional<unsigned> position = map.getResultPosition(result.getResults().back());
  if (!isSummed || !position)
    return std::nullopt;
  return Weight{op, weight.getOperandNumber(), *position};
}

static linalg::GenericOp generalize(IRRewriter &rewriter, linalg::LinalgOp op) {
  if (auto generic = dyn_cast<linalg::GenericOp>(op.getOperation()))
    return generic;
  rewriter.setInsertionPoint(op);
  FailureOr<linalg::GenericOp> generic = linalg::generalizeNamedOp(rewriter, op);
  return succeeded(generic) ? *generic : linalg::GenericOp();
}

static Value transpose(OpBuilder &b, Value weight, ArrayRef<int64_t> permutation) {
  auto type = cast<RankedTensorType>(weight.getType());
  SmallVector<int64_t> shape;
  for (int64_t source : permutation)
    shape.push_back(type.getDimSize(source));
  // The name of the weight goes along, for plans and manifests.
  Location loc = weight.getLoc();
  Value empty = tensor::EmptyOp::create(b, loc, shape, type.getElementType());
  return linalg::TransposeOp::create(b, loc, weight, empty, permutation)->getResult(0);
}

/// Makes result `position` of the weight's map its last.
static void moveLast(IRRewriter &rewriter, linalg::GenericOp op, const Weight &weight) {
  AffineMap map = op.getMatchingIndexingMap(&op->getOpOperand(weight.operand));
  SmallVector<int64_t> permutation;
  for (int64_t i = 0; i < map.getNumResults(); ++i)
    if (i != weight.position)
      permutation.push_back(i);
  permutation.push_back(weight.position);
  SmallVector<AffineExpr> results;
  for (int64_t source : permutation)
    results.push_back(map.getResult(source));
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  maps[weight.operand] = AffineMap::get(map.getNumDims(), 0, results, map.getContext());
  rewriter.setInsertionPoint(op);
  Value moved = transpose(rewriter, op->getOperand(weight.operand), permutation);
  rewriter.modifyOpInPlace(op, [&] {
    op->setOperand(weight.operand, moved);
    op.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
  });
}

namespace {
/// Splits the loop of the outputs in two: panels, outermost, and outputs within a panel.
class PanelSplitter {
public:
  PanelSplitter(linalg::GenericOp op, const Weight &weight, int64_t width) : op(op), weight(weight), width(width) {
    loop = cast<AffineDimExpr>(getMap(op->getOpOperand(weight.operand)).getResult(weight.position)).getPosition();
  }

  /// Whether every operand either does not move along the loop or has a whole dimension for it, and panels pay.
  bool isPossible() {
    int64_t extent = op.getStaticLoopRanges()[loop];
    if (ShapedType::isDynamic(extent) || extent % width || extent == width || op.hasIndexSemantics())
      return false;
    return llvm::all_of(op->getOpOperands(), [&](OpOperand &operand) {
      AffineMap map = getMap(operand);
      unsigned uses = llvm::count_if(map.getResults(), [&](AffineExpr e) { return e.isFunctionOfDim(loop); });
      return uses == 0 || (uses == 1 && map.getResultPosition(dimOf(loop)));
    });
  }

  void run(IRRewriter &rewriter) {
    rewriter.setInsertionPoint(op);
    SmallVector<Value> operands;
    SmallVector<AffineMap> maps;
    for (OpOperand &operand : op->getOpOperands()) {
      operands.push_back(split(rewriter, operand));
      maps.push_back(splitMap(operand));
    }
    SmallVector<utils::IteratorType> iterators = {utils::IteratorType::parallel};
    llvm::append_range(iterators, op.getIteratorTypesArray());
    Value init = operands.pop_back_val();
    auto wide = linalg::GenericOp::create(rewriter, op.getLoc(), init.getType(), operands, init, maps, iterators);
    rewriter.inlineRegionBefore(op.getRegion(), wide.getRegion(), wide.getRegion().begin());
    rewriter.replaceOpWithNewOp<tensor::CollapseShapeOp>(op, op->getResult(0).getType(), wide->getResult(0),
                                                         reassociation(op->getOpOperands().back()));
  }

private:
  AffineMap getMap(OpOperand &operand) { return op.getMatchingIndexingMap(&operand); }
  AffineExpr dimOf(unsigned dim) { return getAffineDimExpr(dim, op.getContext()); }
  std::optional<unsigned> splitResult(OpOperand &operand) { return getMap(operand).getResultPosition(dimOf(loop)); }
  bool isWeight(OpOperand &operand) { return operand.getOperandNumber() == weight.operand; }

  SmallVector<ReassociationIndices> reassociation(OpOperand &operand) {
    SmallVector<ReassociationIndices> groups;
    int64_t next = 0;
    for (unsigned i = 0; i < getMap(operand).getNumResults(); ++i) {
      groups.push_back({next++});
      if (i == splitResult(operand))
        groups.back().push_back(next++);
    }
    return groups;
  }

  Value split(OpBuilder &b, OpOperand &operand) {
    Value value = operand.get();
    std::optional<unsigned> at = splitResult(operand);
    if (!at)
      return value;
    Location loc = value.getLoc();
    SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(b, loc, value);
    int64_t extent = *getConstantIntValue(sizes[*at]);
    sizes[*at] = b.getIndexAttr(extent / width);
    sizes.insert(sizes.begin() + *at + 1, b.getIndexAttr(width));
    SmallVector<int64_t> shape = decomposeMixedValues(sizes).first;
    auto type = RankedTensorType::get(shape, getElementTypeOrSelf(value.getType()));
    value = tensor::ExpandShapeOp::create(b, loc, type, value, reassociation(operand), sizes);
    return isWeight(operand) ? transpose(b, value, weightOrder(operand)) : value;
  }

  /// Panel first, output within the panel last.
  SmallVector<int64_t> weightOrder(OpOperand &operand) {
    int64_t rank = getMap(operand).getNumResults() + 1, panel = weight.position;
    SmallVector<int64_t> order = {panel};
    for (int64_t i = 0; i < rank; ++i)
      if (i != panel && i != panel + 1)
        order.push_back(i);
    order.push_back(panel + 1);
    return order;
  }

  AffineMap splitMap(OpOperand &operand) {
    AffineMap map = getMap(operand);
    SmallVector<AffineExpr> results;
    for (auto [i, expr] : llvm::enumerate(map.getResults())) {
      if (i == splitResult(operand))
        results.push_back(dimOf(0));
      results.push_back(expr.shiftDims(map.getNumDims(), 1));
    }
    if (isWeight(operand))
      results = llvm::map_to_vector(weightOrder(operand), [&](int64_t from) { return results[from]; });
    return AffineMap::get(map.getNumDims() + 1, 0, results, op.getContext());
  }

  linalg::GenericOp op;
  const Weight &weight;
  int64_t width;
  unsigned loop;
};

struct LayOutWeights : mlir::qtensor::impl::LayOutWeightsBase<LayOutWeights> {
  using LayOutWeightsBase::LayOutWeightsBase;

  void runOnOperation() override {
    SmallVector<Weight> found;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (!op.hasPureTensorSemantics() || op.getNumDpsInits() != 1 || op.getNumReductionLoops() == 0)
        return;
      for (OpOperand *input : op.getDpsInputOperands())
        if (std::optional<Weight> weight = matchWeight(op, *input)) {
          found.push_back(*weight);
          return;
        }
    });
    IRRewriter rewriter(&getContext());
    for (const Weight &weight : found)
      layOut(rewriter, weight);
  }

  void layOut(IRRewriter &rewriter, const Weight &weight) {
    linalg::GenericOp op = generalize(rewriter, weight.op);
    if (!op)
      return;
    if (PanelSplitter splitter(op, weight, panel); splitter.isPossible())
      splitter.run(rewriter);
    else if (weight.position + 1 != op.getMatchingIndexingMap(&op->getOpOperand(weight.operand)).getNumResults())
      moveLast(rewriter, op, weight);
  }
};
} // namespace
