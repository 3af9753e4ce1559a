// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/Graph/DimMath.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

namespace mlir::qtensor::graph {

std::optional<int64_t> DimMath::number(OpFoldResult extent) { return getConstantIntValue(extent); }

int64_t DimMath::numberOrDynamic(OpFoldResult extent) { return number(extent).value_or(ShapedType::kDynamic); }

bool DimMath::same(OpFoldResult a, OpFoldResult b) { return isEqualConstantIntOrValue(a, b); }

SmallVector<int64_t> DimMath::shape(ArrayRef<OpFoldResult> extents) {
  return llvm::map_to_vector(extents, numberOrDynamic);
}

DimMath::Polynomial DimMath::polynomial(OpFoldResult extent) {
  if (std::optional<int64_t> known = number(extent))
    return *known ? Polynomial{{Monomial{}, *known}} : Polynomial{};
  auto value = llvm::cast<Value>(extent);
  auto [entry, isNew] = polynomials.try_emplace(value);
  if (isNew) {
    entry->second = {{Monomial{static_cast<unsigned>(atoms.size())}, 1}};
    atoms.push_back(value);
    made[entry->second] = value;
  }
  return entry->second;
}

/// Writes a polynomial as arith ops, once per polynomial: later requests get the same value.
OpFoldResult DimMath::materialise(const Polynomial &polynomial) {
  if (polynomial.empty())
    return builder.getIndexAttr(0);
  if (polynomial.size() == 1 && polynomial.begin()->first.empty())
    return builder.getIndexAttr(polynomial.begin()->second);
  if (auto found = made.find(polynomial); found != made.end())
    return found->second;
  auto indexConstant = [&](int64_t number) -> Value { return arith::ConstantIndexOp::create(builder, *loc, number); };
  Value sum;
  for (const auto &[monomial, coefficient] : llvm::reverse(polynomial)) {
    Value term;
    for (unsigned factor : monomial)
      term = term ? Value(arith::MulIOp::create(builder, *loc, term, atoms[factor])) : atoms[factor];
    if (!term)
      term = indexConstant(coefficient);
    else if (coefficient != 1)
      term = arith::MulIOp::create(builder, *loc, term, indexConstant(coefficient));
    sum = sum ? Value(arith::AddIOp::create(builder, *loc, sum, term)) : term;
  }
  made[polynomial] = sum;
  polynomials[sum] = polynomial;
  return sum;
}

/// sum += coefficient * monomial.
void DimMath::accumulate(Polynomial &sum, const Monomial &monomial, int64_t coefficient) {
  int64_t &entry = sum[monomial];
  overflow |= llvm::AddOverflow(entry, coefficient, entry);
  if (entry == 0)
    sum.erase(monomial);
}

OpFoldResult DimMath::add(OpFoldResult a, OpFoldResult b) {
  Polynomial sum = polynomial(a);
  for (const auto &[monomial, coefficient] : polynomial(b))
    accumulate(sum, monomial, coefficient);
  return materialise(sum);
}

OpFoldResult DimMath::sub(OpFoldResult a, OpFoldResult b) { return add(a, mul(b, constant(-1))); }

OpFoldResult DimMath::mul(OpFoldResult a, OpFoldResult b) {
  Polynomial right = polynomial(b), out;
  for (const auto &[left, leftCoefficient] : polynomial(a)) {
    for (const auto &[other, coefficient] : right) {
      Monomial merged = left;
      merged.insert(merged.end(), other.begin(), other.end());
      llvm::sort(merged);
      int64_t scaled = 0;
      overflow |= llvm::MulOverflow(leftCoefficient, coefficient, scaled);
      accumulate(out, merged, scaled);
    }
  }
  return materialise(out);
}

/// a / b where b is one monomial that divides every term of a.
std::optional<DimMath::Polynomial> DimMath::divideExactly(const Polynomial &a, const Polynomial &b) {
  if (b.size() != 1)
    return a == b ? std::optional(Polynomial{{Monomial{}, 1}}) : std::nullopt;
  const auto &[divisor, divisorCoefficient] = *b.begin();
  Polynomial quotient;
  for (const auto &[monomial, coefficient] : a) {
    Monomial rest;
    if (divisorCoefficient < 0 || coefficient % divisorCoefficient != 0 ||
        !std::includes(monomial.begin(), monomial.end(), divisor.begin(), divisor.end()))
      return std::nullopt;
    std::set_difference(monomial.begin(), monomial.end(), divisor.begin(), divisor.end(), std::back_inserter(rest));
    quotient[rest] = coefficient / divisorCoefficient;
  }
  return quotient;
}

template <typename OpT> OpFoldResult DimMath::atom(const char *name, OpFoldResult a, OpFoldResult b) {
  Value &made = operations[{name, polynomial(a), polynomial(b)}];
  if (!made)
    made = OpT::create(builder, *loc, value(a, *loc), value(b, *loc));
  return made;
}

OpFoldResult DimMath::floorDiv(OpFoldResult a, OpFoldResult b) {
  auto left = number(a), right = number(b);
  if (left && right && *right > 0)
    return constant(llvm::divideFloorSigned(*left, *right));
  if (!right || *right != 0)
    if (auto exact = divideExactly(polynomial(a), polynomial(b)))
      return materialise(*exact);
  return atom<arith::FloorDivSIOp>("floordiv", a, b);
}

OpFoldResult DimMath::truncDiv(OpFoldResult a, OpFoldResult b) {
  auto left = number(a), right = number(b);
  if (right && *right == -1)
    return mul(a, b);
  if (left && right && *right != 0)
    return constant(*left / *right);
  if (!right || *right != 0)
    if (auto exact = divideExactly(polynomial(a), polynomial(b)))
      return materialise(*exact);
  return atom<arith::DivSIOp>("div", a, b);
}

OpFoldResult DimMath::ceilDiv(OpFoldResult a, OpFoldResult b) {
  auto right = number(b);
  if (right && *right == 1)
    return a;
  return floorDiv(sub(add(a, b), constant(1)), b);
}

OpFoldResult DimMath::min(OpFoldResult a, OpFoldResult b) {
  auto left = number(a), right = number(b);
  if (left && right)
    return constant(std::min(*left, *right));
  return same(a, b) ? a : atom<arith::MinSIOp>("min", a, b);
}

OpFoldResult DimMath::max(OpFoldResult a, OpFoldResult b) {
  auto left = number(a), right = number(b);
  if (left && right)
    return constant(std::max(*left, *right));
  return same(a, b) ? a : atom<arith::MaxSIOp>("max", a, b);
}

/// What the polynomial never falls below: extents of tensors are not negative, other atoms may be.
std::optional<int64_t> DimMath::lowerBound(const Polynomial &polynomial) {
  int64_t constantTerm = 0;
  for (const auto &[monomial, coefficient] : polynomial) {
    if (monomial.empty())
      constantTerm = coefficient;
    else if (coefficient < 0 ||
             !llvm::all_of(monomial, [&](unsigned factor) { return atoms[factor].getDefiningOp<tensor::DimOp>(); }))
      return std::nullopt;
  }
  return constantTerm;
}

std::optional<bool> DimMath::less(OpFoldResult a, OpFoldResult b) {
  if (auto margin = lowerBound(polynomial(sub(b, a))); margin && *margin > 0)
    return true;
  if (auto margin = lowerBound(polynomial(sub(a, b))); margin && *margin >= 0)
    return false;
  return std::nullopt;
}

std::optional<bool> DimMath::equal(OpFoldResult a, OpFoldResult b) {
  if (same(a, b))
    return true;
  if (less(a, b) == true || less(b, a) == true)
    return false;
  return std::nullopt;
}

OpFoldResult DimMath::product(ArrayRef<OpFoldResult> values) {
  OpFoldResult result = constant(1);
  for (OpFoldResult value : values)
    result = mul(result, value);
  return result;
}

Value DimMath::value(OpFoldResult extent, Location where) {
  if (auto known = llvm::dyn_cast<Value>(extent))
    return known;
  return arith::ConstantIndexOp::create(builder, where, *number(extent));
}

SmallVector<Value> DimMath::values(ArrayRef<OpFoldResult> extents, Location where) {
  return llvm::map_to_vector(extents, [&](OpFoldResult extent) { return value(extent, where); });
}

} // namespace mlir::qtensor::graph
