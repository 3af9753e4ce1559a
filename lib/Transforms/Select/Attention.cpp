// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Recognises attention from its end: values, division, sum, exp, maximum, masks, scores.
#include "lib/Transforms/Select/Attention.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::qtensor;

static LogicalResult miss(std::string &why, const Twine &reason) { return why = reason.str(), failure(); }

/// The value under reshapes that keep the last dimension, and under a rounding.
static Value peel(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::CastOp, QuantizeOp>(op))
      break;
    auto from = cast<RankedTensorType>(op->getOperand(0).getType()), to = cast<RankedTensorType>(value.getType());
    bool unit = to.getShape().back() == 1 || from.getShape().back() == 1; // a sum whose dimension was kept
    if (!unit && from.getShape().back() != to.getShape().back())
      break;
    value = op->getOperand(0);
  }
  return value;
}

static linalg::GenericOp getElementwise(Value value) {
  auto op = value.getDefiningOp<linalg::GenericOp>();
  if (!op || op.getNumResults() != 1 || op.getNumParallelLoops() != op.getNumLoops() || !op.hasPureTensorSemantics() ||
      !op.getIndexingMapsArray().back().isIdentity() || op.payloadUsesValueFromOperand(op.getDpsInitOperand(0)))
    return {};
  return op;
}

static bool readsAll(linalg::GenericOp op, unsigned input) { return op.getIndexingMapsArray()[input].isIdentity(); }

/// Whether an input is read at the position of the loops without the last one: extents of 1 do not matter.
static bool readsRows(linalg::GenericOp op, unsigned input) {
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  auto shape = cast<RankedTensorType>(op.getDpsInputs()[input].getType()).getShape();
  SmallVector<unsigned> expected, found;
  for (unsigned d = 0; d + 1 < op.getNumLoops(); ++d)
    if (ranges[d] != 1)
      expected.push_back(d);
  for (auto [extent, expr] : llvm::zip_equal(shape, op.getIndexingMapsArray()[input].getResults())) {
    if (extent == 1)
      continue;
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim)
      return false;
    found.push_back(dim.getPosition());
  }
  return expected == found;
}

/// A reduction over the last dimension whose body is `Op`(accumulator, input); returns what it reduces.
template <typename... Ops> static Value readReduction(Value value) {
  auto op = value.getDefiningOp<linalg::LinalgOp>();
  if (!op || op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1 || op.getNumReductionLoops() != 1 ||
      op.getIteratorTypesArray().back() != utils::IteratorType::reduction || !op.getIndexingMapsArray()[0].isIdentity())
    return {};
  AffineMap output = op.getIndexingMapsArray()[1];
  for (auto [i, expr] : llvm::enumerate(output.getResults()))
    if (expr != getAffineDimExpr(i, op.getContext()))
      return {};
  Block &body = *op.getBlock();
  Operation *combine = body.getTerminator()->getOperand(0).getDefiningOp();
  if (!combine || !isa<Ops...>(combine) || std::distance(body.begin(), body.end()) != 2)
    return {};
  Value x = combine->getOperand(0), y = combine->getOperand(1);
  bool both = (x == body.getArgument(0) && y == body.getArgument(1)) || (y == body.getArgument(0) && x == body.getArgument(1));
  return both && output.getNumResults() + 1 == op.getNumLoops() ? op->getOperand(0) : Value();
}

/// The comparison that decides what an elementwise body yields, where that is `select(comparison, yes, no)`.
static std::pair<arith::SelectOp, arith::CmpFOp> getChoice(linalg::GenericOp op) {
  auto select = op.getBody()->getTerminator()->getOperand(0).getDefiningOp<arith::SelectOp>();
  return {select, select ? select.getCondition().getDefiningOp<arith::CmpFOp>() : arith::CmpFOp()};
}

/// What the body of the exponentials yields. `select(-inf < maximum, x, 0)` only guards rows without a visible token;
/// any other choice is part of the model.
static Operation *getTerm(linalg::GenericOp op) {
  auto [select, compare] = getChoice(op);
  if (!select)
    return op.getBody()->getTerminator()->getOperand(0).getDefiningOp();
  APFloat low(0.0f);
  bool guards = compare && compare.getPredicate() == arith::CmpFPredicate::OLT &&
                compare.getRhs() == op.getBody()->getArgument(1) &&
                matchPattern(compare.getLhs(), m_ConstantFloat(&low)) && low.isInfinity() && low.isNegative() &&
                matchPattern(select.getFalseValue(), m_AnyZeroFloat());
  return guards ? select.getTrueValue().getDefiningOp() : nullptr;
}

/// What the body of the division yields, under the guard `select(total == 0, total, x)`.
static Operation *getQuotient(linalg::GenericOp op) {
  auto [select, compare] = getChoice(op);
  if (!select)
    return op.getBody()->getTerminator()->getOperand(0).getDefiningOp();
  Value total = op.getBody()->getArgument(1);
  bool guards = compare && compare.getPredicate() == arith::CmpFPredicate::OEQ && compare.getLhs() == total &&
                matchPattern(compare.getRhs(), m_AnyZeroFloat()) && select.getTrueValue() == total;
  return guards ? select.getFalseValue().getDefiningOp() : nullptr;
}

/// The scores under exp(s - max s) / sum; null with a reason otherwise.
static Value readSoftmax(Value weights, std::string &why) {
  linalg::GenericOp divide = getElementwise(weights);
  auto quotient =
      divide && divide.getNumDpsInputs() == 2 ? dyn_cast_or_null<arith::DivFOp>(getQuotient(divide)) : arith::DivFOp();
  if (!quotient || quotient.getLhs() != divide.getBody()->getArgument(0) ||
      quotient.getRhs() != divide.getBody()->getArgument(1) || !readsAll(divide, 0) || !readsRows(divide, 1))
    return (void)miss(why, "its weights are not divided by their sum"), Value();
  Value terms = peel(divide.getDpsInputs()[0]), total = peel(divide.getDpsInputs()[1]);
  Value summed = readReduction<arith::AddFOp>(total);
  bool fromZero = summed && !readInit(total.getDefiningOp<linalg::LinalgOp>().getDpsInits()[0]).extra;
  if (!fromZero || peel(summed) != terms)
    return (void)miss(why, "its weights are not divided by their sum"), Value();
  linalg::GenericOp raise = getElementwise(terms);
  auto exp = raise && raise.getNumDpsInputs() == 2 ? dyn_cast_or_null<math::ExpOp>(getTerm(raise)) : math::ExpOp();
  auto difference = exp ? exp.getOperand().getDefiningOp<arith::SubFOp>() : arith::SubFOp();
  if (!difference || difference.getLhs() != raise.getBody()->getArgument(0) ||
      difference.getRhs() != raise.getBody()->getArgument(1) || !readsAll(raise, 0) || !readsRows(raise, 1))
    return (void)miss(why, "its weights are not exp(score - maximum)"), Value();
  Value scores = peel(raise.getDpsInputs()[0]);
  Value compared = readReduction<arith::MaximumFOp, arith::MaxNumFOp>(peel(raise.getDpsInputs()[1]));
  if (!compared || peel(compared) != scores)
    return (void)miss(why, "its weights are not exp(score - maximum)"), Value();
  return scores;
}

/// The value under reshapes.
static Value stripReshapes(Value value) {
  while (isa_and_nonnull<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  return value;
}

FailureOr<Softmax> qtensor::matchSoftmax(Value weights) {
  std::string why;
  if (!readSoftmax(weights, why))
    return failure();
  auto divide = weights.getDefiningOp<linalg::GenericOp>();
  auto raise = divide.getDpsInputs()[0].getDefiningOp<linalg::GenericOp>();
  auto sum = stripReshapes(divide.getDpsInputs()[1]).getDefiningOp<linalg::LinalgOp>();
  auto most = raise ? stripReshapes(raise.getDpsInputs()[1]).getDefiningOp<linalg::LinalgOp>() : linalg::LinalgOp();
  if (!sum || !most || sum.getDpsInputs()[0] != raise->getResult(0) ||
      most.getDpsInputs()[0] != raise.getDpsInputs()[0])
    return failure();
  return Softmax{raise.getDpsInputs()[0], raise.getDpsInputOperand(0), most.getDpsInputOperand(0)};
}

static bool dependsOn(Value value, Value on) {
  if (value == on)
    return true;
  Operation *op = value.getDefiningOp();
  return op && op->getBlock() == on.getParentBlock() &&
         llvm::any_of(op->getOperands(), [&](Value operand) { return dependsOn(operand, on); });
}

/// The factor of `x` in `value` = factor * x + what does not depend on x; or nothing. Where x is replaced by something
/// that no sum with x changes (-inf, or the lowest finite numbers), that counts as added.
static std::optional<double> readFactor(Value value, Value x) {
  if (value == x)
    return 1.0;
  Operation *op = value.getDefiningOp();
  if (!op || op->getNumOperands() < 2)
    return std::nullopt;
  Value left = op->getOperand(0), right = op->getOperand(1);
  APFloat number(0.0f);
  auto constantOf = [&](Value v) -> std::optional<double> {
    return matchPattern(v, m_ConstantFloat(&number)) ? std::optional(number.convertToDouble()) : std::nullopt;
  };
  if (isa<arith::MulFOp, arith::DivFOp>(op)) {
    bool swapped = isa<arith::MulFOp>(op) && dependsOn(right, x);
    std::optional<double> factor = readFactor(swapped ? right : left, x), other = constantOf(swapped ? left : right);
    if (!factor || !other)
      return std::nullopt;
    return isa<arith::MulFOp>(op) ? *factor * *other : *factor / *other;
  }
  if (isa<arith::AddFOp>(op) && dependsOn(left, x) != dependsOn(right, x))
    return readFactor(dependsOn(left, x) ? left : right, x);
  if (isa<arith::SubFOp>(op) && !dependsOn(right, x))
    return readFactor(left, x);
  auto select = dyn_cast<arith::SelectOp>(op);
  if (!select || dependsOn(select.getCondition(), x))
    return std::nullopt;
  std::optional<double> yes = constantOf(select.getTrueValue()), no = constantOf(select.getFalseValue());
  constexpr double low = -1e30;
  if (yes && *yes <= low)
    return readFactor(select.getFalseValue(), x);
  return no && *no <= low ? readFactor(select.getTrueValue(), x) : std::nullopt;
}

/// Follows masks and scales down to the product of queries and keys.
static linalg::LinalgOp readMasks(Value scores, AttentionMatch &match, std::string &why) {
  for (Value value = scores;;) {
    value = peel(value);
    if (succeeded(matchContraction(value.getDefiningOp())))
      return cast<linalg::LinalgOp>(value.getDefiningOp());
    linalg::GenericOp op = getElementwise(value);
    std::optional<unsigned> input;
    for (unsigned i = 0; op && i < op.getNumDpsInputs(); ++i) {
      Operation *source = peel(op.getDpsInputs()[i]).getDefiningOp();
      bool leads = source && (getElementwise(source->getResult(0)) || succeeded(matchContraction(source)));
      if (!readsAll(op, i) || !leads || !op.getBody()->getArgument(i).getType().isF32())
        continue;
      if (std::optional<double> factor = readFactor(op.getBody()->getTerminator()->getOperand(0), op.getBody()->getArgument(i))) {
        match.scale *= *factor;
        input = i;
        break;
      }
    }
    if (!input)
      return (void)miss(why, "what happens to its scores is no scale and mask"), linalg::LinalgOp();
    match.masks.insert(match.masks.begin(), {op, *input});
    value = op.getDpsInputs()[*input];
  }
}

static SmallVector<unsigned> dimsOf(AffineMap map) {
  return llvm::map_to_vector(map.getResults(), [](AffineExpr expr) { return cast<AffineDimExpr>(expr).getPosition(); });
}

/// Sorts the loops of a contraction. `map` is that of the scores or weights, whose dimensions are in order.
static LogicalResult sortLoops(AttentionProduct &product, AffineMap map, unsigned token, unsigned element, std::string &why) {
  const Contraction &c = product.contraction;
  for (AffineMap each : {c.lhsMap, c.rhsMap, c.outputMap})
    if (!each.isProjectedPermutation())
      return miss(why, "its products do not read their operands dimension by dimension");
  product.token = token, product.element = element;
  for (unsigned dim : ArrayRef(dimsOf(map)).drop_back()) {
    bool batch = c.rhsMap.isFunctionOfDim(dim);
    if (batch && !product.rows.empty())
      return miss(why, "rows of its scores lie between batches");
    (batch ? product.batches : product.rows).push_back(dim);
  }
  bool complete = c.rhsMap.isFunctionOfDim(token) && c.rhsMap.isFunctionOfDim(element) &&
                  c.rhsMap.getNumResults() == product.batches.size() + 2 && product.batches.size() <= 2 &&
                  product.rows.size() <= 2 && c.rhsMap.getResults().back() == getAffineDimExpr(element, c.rhsMap.getContext());
  return complete ? success() : miss(why, "its keys or values are no [batch, head, token, element] in some order");
}

FailureOr<AttentionMatch> qtensor::matchAttention(linalg::LinalgOp product, std::string &why) {
  AttentionMatch match;
  FailureOr<Contraction> values = matchContraction(product, &why);
  if (failed(values))
    return failure();
  if (product.getNumReductionLoops() != 1)
    return miss(why, "it sums over more than tokens");
  Value scores = readSoftmax(peel(values->lhs->get()), why);
  linalg::LinalgOp first = scores ? readMasks(scores, match, why) : linalg::LinalgOp();
  if (!first)
    return failure();
  match.values.contraction = *values;
  match.scores.contraction = *matchContraction(first);
  const Contraction &s = match.scores.contraction;
  if (first.getNumReductionLoops() != 1)
    return miss(why, "its scores sum over more than a head");
  unsigned element = dimsOf(s.rhsMap).back(), token = dimsOf(s.outputMap).back();
  if (failed(sortLoops(match.scores, s.outputMap, token, element, why)) ||
      failed(sortLoops(match.values, values->lhsMap, dimsOf(values->lhsMap).back(), dimsOf(values->rhsMap).back(), why)))
    return failure();
  auto scoreShape = cast<RankedTensorType>(first->getResult(0).getType()), weightShape = cast<RankedTensorType>(values->lhs->get().getType());
  for (Contraction c : {s, *values})
    for (Value operand : {c.lhs->get(), c.rhs->get(), Value(c.op.getOperation()->getResult(0))})
      if (!cast<RankedTensorType>(operand.getType()).hasStaticShape())
        return miss(why, "its extents are open");
  if (scoreShape.getShape() != weightShape.getShape() || match.scores.batches.size() != match.values.batches.size() ||
      readInit(first.getDpsInits()[0]).extra || readInit(product.getDpsInits()[0]).extra)
    return miss(why, "its two products do not fit each other");
  match.rounded = s.lhs->get().getDefiningOp<QuantizeOp>() && values->lhs->get().getDefiningOp<QuantizeOp>();
  if (getEncoding(s.lhs->get().getType()) && !s.lhs->get().getDefiningOp<QuantizeOp>())
    return miss(why, "its queries come encoded");
  return match;
}
