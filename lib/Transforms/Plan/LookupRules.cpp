// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What tensor.extract in the bodies of ops with loops needs of extents.
#include "lib/Transforms/Plan/CheckLookups.h"
#include "lib/Transforms/Plan/ExtentTerms.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::rules;

static AffineExpr sumOf(Value index);

static AffineExpr sumOf(affine::AffineApplyOp apply) {
  AffineMap map = apply.getAffineMap();
  SmallVector<AffineExpr> dims;
  for (Value operand : apply.getMapOperands())
    dims.push_back(sumOf(operand));
  if (map.getNumSymbols() || llvm::is_contained(dims, AffineExpr()))
    return nullptr;
  return map.getResult(0).replaceDimsAndSymbols(dims, {});
}

/// Sums of multiples of loops; null for anything else.
static AffineExpr sumOf(Value index) {
  if (std::optional<int64_t> number = getConstantIntValue(index))
    return getAffineConstantExpr(*number, index.getContext());
  Operation *op = index.getDefiningOp();
  if (!op)
    return nullptr;
  auto combine = [&](auto build) -> AffineExpr {
    AffineExpr left = sumOf(op->getOperand(0)), right = left ? sumOf(op->getOperand(1)) : nullptr;
    return right ? build(left, right) : nullptr;
  };
  return llvm::TypeSwitch<Operation *, AffineExpr>(op)
      .Case<linalg::IndexOp>([](auto loop) { return getAffineDimExpr(loop.getDim(), loop.getContext()); })
      .Case<affine::AffineApplyOp>([](auto apply) { return sumOf(apply); })
      .Case<arith::IndexCastOp>([](auto cast) -> AffineExpr {
        Type type = cast.getType();
        return type.isIndex() || type.isInteger(64) ? sumOf(cast.getIn()) : nullptr;
      })
      .Case<arith::AddIOp>([&](auto) { return combine([](auto a, auto b) { return a + b; }); })
      .Case<arith::SubIOp>([&](auto) { return combine([](auto a, auto b) { return a - b; }); })
      .Case<arith::MulIOp>([&](auto) {
        return combine(
            [](auto a, auto b) { return a.isSymbolicOrConstant() || b.isSymbolicOrConstant() ? a * b : nullptr; });
      })
      .Default([](Operation *) { return nullptr; });
}

AffineExpr qtensor::getPlace(Value index) {
  AffineExpr sum = sumOf(index);
  if (!sum || !sum.isPureAffine())
    return nullptr;
  llvm::SmallDenseSet<AffineExpr> loops;
  bool isExact = true; // The range of a loop that occurs twice says too much.
  sum.walk([&](AffineExpr part) { isExact &= !isa<AffineDimExpr>(part) || loops.insert(part).second; });
  return isExact ? sum : nullptr;
}

SmallVector<OpOperand *> qtensor::getLookups(linalg::GenericOp op) {
  SmallVector<OpOperand *> lookups;
  for (auto read : op.getBody()->getOps<tensor::ExtractOp>())
    for (OpOperand &index : read.getIndicesMutable())
      lookups.push_back(&index);
  return lookups;
}

void rules::addLookupRules(Rules &rules, linalg::GenericOp op) {
  SmallVector<OpOperand *> lookups = getLookups(op);
  if (lookups.empty())
    return;
  SmallVector<ExtentTerm> loops = getLoops(op.getIndexingMapsArray(), pointers(op->getOpOperands()));
  auto once = [loops](const ExtentSource &source) { // 1 if the body runs at all
    DimMath &math = source.math;
    return math.min(math.constant(1),
                    math.product(llvm::map_to_vector(loops, [&](const ExtentTerm &loop) { return loop(source); })));
  };
  for (OpOperand *index : lookups) {
    int64_t dim = index->getOperandNumber() - 1;
    Value tensor = index->getOwner()->getOperand(0);
    std::string place = ("dimension " + Twine(dim) + " of what its body looks up").str();
    if (AffineExpr sum = getPlace(index->get())) {
      requireInside(rules, sum, loops, extentOf(tensor, dim), place, index);
      continue;
    }
    rules.push_back({ExtentRule::AtMost, once, extentOf(tensor, dim), place + " has no element"});
    rules.back().lookup = index;
  }
}
