// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Plan/ExtentTerms.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::rules;

ExtentTerm rules::constant(int64_t number) {
  return [=](const ExtentSource &source) { return source.math.constant(number); };
}

ExtentTerm rules::extentOf(Value tensor, int64_t dim) {
  return [=](const ExtentSource &source) { return source.extent(tensor, dim); };
}

ExtentTerm rules::numberOf(OpFoldResult index) {
  return [=](const ExtentSource &source) { return source.number(index); };
}

bool rules::isOpen(Value tensor, int64_t dim) { return cast<RankedTensorType>(tensor.getType()).isDynamicDim(dim); }

std::string rules::name(unsigned operand, int64_t dim) {
  return ("dimension " + Twine(dim) + " of operand " + Twine(operand)).str();
}

SmallVector<OpOperand *> rules::pointers(MutableArrayRef<OpOperand> operands) {
  return llvm::map_to_vector(operands, [](OpOperand &operand) { return &operand; });
}

void rules::requireSame(Rules &rules, OpOperand &a, int64_t aDim, OpOperand &b, int64_t bDim) {
  if (isOpen(a.get(), aDim) || isOpen(b.get(), bDim))
    rules.push_back({ExtentRule::Equal, extentOf(a.get(), aDim), extentOf(b.get(), bDim),
                     name(a.getOperandNumber(), aDim) + " and " + name(b.getOperandNumber(), bDim) + " differ"});
}

//===----------------------------------------------------------------------===//
// Loops over indexing maps
//===----------------------------------------------------------------------===//

namespace {
/// The least and the largest value of an expression over loops.
struct Span {
  OpFoldResult low, high;
};
} // namespace

/// `loops` are the extents of the loops. Exact where no loop occurs twice.
static Span rangeOf(AffineExpr expr, ArrayRef<OpFoldResult> loops, DimMath &math) {
  if (auto number = dyn_cast<AffineConstantExpr>(expr))
    return {math.constant(number.getValue()), math.constant(number.getValue())};
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return {math.constant(0), math.sub(loops[dim.getPosition()], math.constant(1))};
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Span left = rangeOf(binary.getLHS(), loops, math), right = rangeOf(binary.getRHS(), loops, math);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return {math.add(left.low, right.low), math.add(left.high, right.high)};
  case AffineExprKind::Mul: {
    Span scaled = {math.mul(left.low, right.low), math.mul(left.high, right.low)};
    if (DimMath::number(right.low).value_or(0) < 0)
      std::swap(scaled.low, scaled.high);
    return scaled;
  }
  case AffineExprKind::FloorDiv:
    return {math.floorDiv(left.low, right.low), math.floorDiv(left.high, right.low)};
  case AffineExprKind::CeilDiv:
    return {math.ceilDiv(left.low, right.low), math.ceilDiv(left.high, right.low)};
  default: // Mod
    return {math.constant(0), math.min(left.high, math.sub(right.low, math.constant(1)))};
  }
}

void rules::requireInside(Rules &rules, AffineExpr expr, ArrayRef<ExtentTerm> loops, ExtentTerm extent, StringRef place,
                          OpOperand *lookup) {
  auto range = [expr, loops = SmallVector<ExtentTerm>(loops)](const ExtentSource &source) {
    SmallVector<OpFoldResult> extents =
        llvm::map_to_vector(loops, [&](const ExtentTerm &loop) { return loop(source); });
    return rangeOf(expr, extents, source.math);
  };
  auto require = [&](ExtentTerm left, ExtentTerm right, StringRef broken) {
    rules.push_back({ExtentRule::AtMost, std::move(left), std::move(right), (place + broken).str()});
    rules.back().lookup = lookup;
  };
  require([=](const ExtentSource &source) { return source.math.add(range(source).high, source.math.constant(1)); },
          std::move(extent), lookup ? " is read past its last element" : " is too short for the windows of the others");
  bool descends = false;
  expr.walk([&](AffineExpr part) {
    auto number = dyn_cast<AffineConstantExpr>(part);
    descends |= number && number.getValue() < 0;
  });
  if (descends)
    require(
        constant(0), [=](const ExtentSource &source) { return range(source).low; },
        " is read in front of its first element");
}

namespace {
struct Place {
  OpOperand *operand = nullptr;
  int64_t dim = 0;
};
} // namespace

static void visitPlaces(ArrayRef<AffineMap> maps, ArrayRef<OpOperand *> operands,
                        llvm::function_ref<void(AffineExpr, OpOperand &, int64_t)> take) {
  for (auto [map, operand] : llvm::zip_equal(maps, operands))
    if (isa<RankedTensorType>(operand->get().getType()))
      for (auto [dim, expr] : llvm::enumerate(map.getResults()))
        take(expr, *operand, static_cast<int64_t>(dim));
}

/// Where each loop runs over a dimension alone, at first; `again` is told of each other such dimension.
static SmallVector<Place> findPlaces(ArrayRef<AffineMap> maps, ArrayRef<OpOperand *> operands,
                                     llvm::function_ref<void(OpOperand &, int64_t, const Place &)> again) {
  SmallVector<Place> places(maps.front().getNumDims());
  visitPlaces(maps, operands, [&](AffineExpr expr, OpOperand &operand, int64_t dim) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    if (!loop)
      return;
    Place &place = places[loop.getPosition()];
    if (place.operand)
      again(operand, dim, place);
    else
      place = {&operand, dim};
  });
  return places;
}

static SmallVector<ExtentTerm> getLoops(ArrayRef<Place> places) {
  return llvm::map_to_vector(places, [](const Place &place) {
    return place.operand ? extentOf(place.operand->get(), place.dim) : constant(0);
  });
}

SmallVector<ExtentTerm> rules::getLoops(ArrayRef<AffineMap> maps, ArrayRef<OpOperand *> operands) {
  return ::getLoops(findPlaces(maps, operands, [](OpOperand &, int64_t, const Place &) {}));
}

void rules::addLoopRules(Rules &rules, ArrayRef<AffineMap> maps, ArrayRef<OpOperand *> operands) {
  if (maps.empty())
    return;
  SmallVector<Place> places = findPlaces(maps, operands, [&](OpOperand &operand, int64_t dim, const Place &place) {
    requireSame(rules, operand, dim, *place.operand, place.dim);
  });
  auto isOpenLoop = [](const Place &place) { return place.operand && isOpen(place.operand->get(), place.dim); };
  SmallVector<ExtentTerm> loops = ::getLoops(places);
  visitPlaces(maps, operands, [&](AffineExpr expr, OpOperand &operand, int64_t dim) {
    bool isAnyOpen = isOpen(operand.get(), dim);
    expr.walk([&](AffineExpr part) {
      if (auto loop = dyn_cast<AffineDimExpr>(part))
        isAnyOpen |= isOpenLoop(places[loop.getPosition()]);
    });
    if (!isa<AffineDimExpr>(expr) && isAnyOpen)
      requireInside(rules, expr, loops, extentOf(operand.get(), dim), name(operand.getOperandNumber(), dim));
  });
}
