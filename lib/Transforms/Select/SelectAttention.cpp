// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attention over encoded keys and values becomes qtensor.attention on their components.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Select/Attention.h"
#include "lib/Transforms/Select/Components.h"
#include "lib/Transforms/Select/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_SELECTATTENTION
#include "lib/Transforms/Select/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

namespace {
class AttentionBuilder {
public:
  AttentionBuilder(IRRewriter &b, AttentionMatch &match) : b(b), match(match), loc(match.values.contraction.op->getLoc()) {}
  LogicalResult build(std::string &why);

private:
  /// Components of keys or values, of rank 4, and which dimension is batch, head, token and element.
  struct Cache {
    SmallVector<Value> components;
    BlockAttr encoding;
    SmallVector<int64_t> order;
  };
  FailureOr<Cache> readCache(const AttentionProduct &product, std::string &why);
  Value readQuery();
  FailureOr<Value> buildMask(std::string &why);
  void writeResult(Value result);
  Value transpose(Value value, ArrayRef<int64_t> permutation);
  Value reshape(Value value, ArrayRef<int64_t> shape);
  static int64_t extent(linalg::LinalgOp op, unsigned dim);

  IRRewriter &b;
  AttentionMatch &match;
  Location loc;
};
} // namespace

int64_t AttentionBuilder::extent(linalg::LinalgOp op, unsigned dim) { return op.getStaticLoopRanges()[dim]; }

Value AttentionBuilder::transpose(Value value, ArrayRef<int64_t> permutation) {
  if (isIdentityPermutation(permutation))
    return value;
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape = applyPermutation(type.getShape(), permutation), moved, sorted;
  for (int64_t dim : permutation)
    if (type.getDimSize(dim) != 1)
      moved.push_back(dim);
  sorted = moved;
  llvm::sort(sorted);
  if (moved == sorted) // only extents of 1 move: nothing does in memory
    return reshape(value, shape);
  Value empty = tensor::EmptyOp::create(b, loc, shape, type.getElementType());
  return linalg::TransposeOp::create(b, loc, value, empty, permutation)->getResult(0);
}

/// Any reshape, through the shape with all dimensions collapsed.
Value AttentionBuilder::reshape(Value value, ArrayRef<int64_t> shape) {
  auto type = cast<RankedTensorType>(value.getType());
  if (type.getShape() == shape)
    return value;
  auto target = type.clone(shape);
  if (auto groups = getReassociationIndicesForReshape(type, target))
    return shape.size() < static_cast<size_t>(type.getRank())
               ? tensor::CollapseShapeOp::create(b, loc, target, value, *groups).getResult()
               : tensor::ExpandShapeOp::create(b, loc, target, value, *groups).getResult();
  auto flat = type.clone({type.getNumElements()});
  auto all = [](int64_t rank) { return SmallVector<ReassociationIndices>{llvm::to_vector(llvm::seq<int64_t>(0, rank))}; };
  Value line = tensor::CollapseShapeOp::create(b, loc, flat, value, all(type.getRank()));
  return tensor::ExpandShapeOp::create(b, loc, target, line, all(shape.size()));
}

/// The query as [B, H, S, D].
Value AttentionBuilder::readQuery() {
  const AttentionProduct &p = match.scores;
  Value query = p.contraction.lhs->get();
  if (auto rounding = query.getDefiningOp<QuantizeOp>())
    query = rounding.getSource(); // the kernel rounds it itself
  SmallVector<unsigned> order = llvm::to_vector(llvm::concat<const unsigned>(p.batches, p.rows));
  order.push_back(p.element);
  SmallVector<int64_t> permutation;
  for (unsigned dim : order)
    for (auto [position, expr] : llvm::enumerate(p.contraction.lhsMap.getResults()))
      if (cast<AffineDimExpr>(expr).getPosition() == dim)
        permutation.push_back(position);
  return transpose(query, permutation);
}

FailureOr<AttentionBuilder::Cache> AttentionBuilder::readCache(const AttentionProduct &product, std::string &why) {
  Value value = product.contraction.rhs->get();
  auto type = cast<RankedTensorType>(value.getType());
  int64_t more = 4 - type.getRank();
  FailureOr<BlockAttr> encoding = addLeadingDims(getBlockEncoding(type), more);
  if (failed(encoding))
    return why = "blocks of its keys or values go over several tokens", failure();
  Cache cache{{}, *encoding, {}};
  for (const ComponentGrid &grid : getComponentGrids(type, getBlockEncoding(type))) {
    Value component = ComponentOp::create(b, loc, grid.component.type, value, b.getStringAttr(grid.component.name));
    SmallVector<int64_t> shape(more, 1);
    llvm::append_range(shape, grid.component.type.getShape());
    cache.components.push_back(reshape(component, shape));
  }
  auto positionOf = [&](unsigned dim) -> int64_t {
    for (auto [position, expr] : llvm::enumerate(product.contraction.rhsMap.getResults()))
      if (cast<AffineDimExpr>(expr).getPosition() == dim)
        return more + position;
    llvm_unreachable("every loop of keys and values has a dimension");
  };
  int64_t added = 0;
  for (size_t missing = product.batches.size(); missing < 2; ++missing)
    cache.order.push_back(added++);
  for (unsigned dim : product.batches)
    cache.order.push_back(positionOf(dim));
  cache.order.append({positionOf(product.token), positionOf(product.element)});
  return cache;
}

/// The scores' masks on a score of 0, over [S, T] where no mask depends on more, else [B, H, S, T]; null without a mask.
FailureOr<Value> AttentionBuilder::buildMask(std::string &why) {
  bool needed = false;
  unsigned rank = 0;
  int64_t used = 0;
  for (auto [op, input] : match.masks) {
    if (rank && op.getNumLoops() != rank)
      return why = "its masks have different ranks", failure();
    rank = op.getNumLoops();
    needed |= op.getNumDpsInputs() > 1 || op.hasIndexSemantics();
    for (unsigned d = 0; d + 2 < rank; ++d) {
      for (unsigned i = 0; i < op.getNumDpsInputs(); ++i)
        used += i != input && op.getIndexingMapsArray()[i].isFunctionOfDim(d);
      op.getBody()->walk([&](linalg::IndexOp index) { used += index.getDim() == d; });
    }
  }
  if (!needed)
    return Value();
  SmallVector<int64_t> ranges = match.masks.front().first.getStaticLoopRanges();
  unsigned drop = used || rank < 2 ? 0 : rank - 2;
  if (rank < 2 || (used && rank != 4))
    return why = "its mask is no [rows, tokens] or [batch, head, row, token]", failure();
  // Loops that are dropped have no part in any map: their place is 0.
  SmallVector<AffineExpr> places;
  for (unsigned d = 0; d < rank; ++d)
    places.push_back(d < drop ? b.getAffineConstantExpr(0) : b.getAffineDimExpr(d - drop));
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (auto [op, input] : match.masks)
    for (unsigned i = 0; i < op.getNumDpsInputs(); ++i)
      if (i != input) {
        inputs.push_back(op.getDpsInputs()[i]);
        maps.push_back(op.getIndexingMapsArray()[i].replaceDimsAndSymbols(places, {}, rank - drop, 0));
      }
  maps.push_back(b.getMultiDimIdentityMap(rank - drop));
  ArrayRef<int64_t> shape = ArrayRef(ranges).drop_front(drop);
  Value empty = tensor::EmptyOp::create(b, loc, shape, b.getF32Type());
  SmallVector<utils::IteratorType> iterators(rank - drop, utils::IteratorType::parallel);
  auto made = linalg::GenericOp::create(
      b, loc, empty.getType(), inputs, empty, maps, iterators, [&](OpBuilder &inner, Location where, ValueRange arguments) {
        Value score = arith::ConstantOp::create(inner, where, inner.getF32FloatAttr(0));
        for (auto [op, input] : match.masks) {
          IRMapping mapping;
          for (unsigned i = 0; i < op.getNumDpsInputs(); ++i) {
            mapping.map(op.getBody()->getArgument(i), i == input ? score : arguments.front());
            if (i != input)
              arguments = arguments.drop_front();
          }
          for (Operation &each : op.getBody()->without_terminator()) {
            Operation *copy = inner.clone(each, mapping);
            if (auto index = dyn_cast<linalg::IndexOp>(copy))
              index.setDim(index.getDim() - drop);
          }
          score = mapping.lookupOrDefault(op.getBody()->getTerminator()->getOperand(0));
        }
        linalg::YieldOp::create(inner, where, score);
      });
  return made.getResult(0);
}

/// [B, H, S, E] back to what the product made.
void AttentionBuilder::writeResult(Value result) {
  AttentionProduct &p = match.values;
  SmallVector<unsigned> order = llvm::to_vector(llvm::concat<const unsigned>(p.batches, p.rows));
  order.push_back(p.element);
  SmallVector<int64_t> shape, permutation;
  for (unsigned dim : order)
    shape.push_back(extent(p.contraction.op, dim));
  for (AffineExpr expr : p.contraction.outputMap.getResults())
    permutation.push_back(llvm::find(order, cast<AffineDimExpr>(expr).getPosition()) - order.begin());
  Value value = transpose(reshape(result, shape), permutation);
  b.replaceOp(p.contraction.op, value);
}

LogicalResult AttentionBuilder::build(std::string &why) {
  AttentionProduct &p = match.scores;
  b.setInsertionPoint(match.values.contraction.op);
  int64_t batch = 1, heads = 1, group = 1, rows = 1;
  for (auto [i, dim] : llvm::enumerate(p.batches))
    (i + 1 == p.batches.size() ? heads : batch) *= extent(p.contraction.op, dim);
  for (auto [i, dim] : llvm::enumerate(p.rows))
    (i + 1 == p.rows.size() ? rows : group) *= extent(p.contraction.op, dim);
  FailureOr<Cache> key = readCache(match.scores, why), value = readCache(match.values, why);
  FailureOr<Value> mask = buildMask(why);
  if (failed(key) || failed(value) || failed(mask))
    return failure();
  int64_t keyWidth = extent(p.contraction.op, p.element), valueWidth = extent(match.values.contraction.op, match.values.element);
  Value query = reshape(readQuery(), {batch, heads * group, rows, keyWidth});
  Value empty = tensor::EmptyOp::create(b, loc, ArrayRef<int64_t>{batch, heads * group, rows, valueWidth}, b.getF32Type());
  bool integer = match.rounded && canSumIntegers(key->encoding, keyWidth) && canSumIntegers(value->encoding, valueWidth);
  auto strategy = integer ? StrategyAttr::get(b.getContext(), StrategyKind::Integer, 1) : StrategyAttr();
  auto attention = AttentionOp::create(b, loc, empty.getType(), query, key->components, key->encoding, value->components,
                                       value->encoding, *mask, b.getF32FloatAttr(match.scale), empty, strategy,
                                       b.getDenseI64ArrayAttr(key->order), b.getDenseI64ArrayAttr(value->order),
                                       /*key_packed=*/UnitAttr(), /*value_packed=*/UnitAttr());
  if (!integer)
    attention->setAttr(kReasonAttr, b.getStringAttr(match.rounded ? "its codes are no signed integers in runs of 16"
                                                                  : "queries and weights are not rounded"));
  writeResult(attention.getResult());
  return success();
}

namespace {
struct SelectAttention : mlir::qtensor::impl::SelectAttentionBase<SelectAttention> {
  void runOnOperation() override {
    SmallVector<linalg::LinalgOp> products;
    getOperation().walk([&](linalg::LinalgOp op) {
      FailureOr<Contraction> contraction = matchContraction(op);
      if (succeeded(contraction) && getBlockEncoding(contraction->rhs->get().getType()))
        products.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (linalg::LinalgOp product : products) {
      std::string why; // what is no attention stays two products
      FailureOr<AttentionMatch> match = matchAttention(product, why);
      if (succeeded(match) && getBlockEncoding(match->scores.contraction.rhs->get().getType()))
        (void)AttentionBuilder(rewriter, *match).build(why);
    }
  }
};
} // namespace
