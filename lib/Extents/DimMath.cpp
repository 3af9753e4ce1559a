// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Extents/DimMath.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

namespace mlir::qtensor {

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
  return assumed.empty() ? entry->second : substitute(entry->second);
}

DimMath::Polynomial DimMath::substitute(const Polynomial &polynomial) {
  auto isAssumed = [&](unsigned factor) { return assumed.count(factor) != 0; };
  Polynomial out;
  for (const auto &[monomial, coefficient] : polynomial) {
    auto at = llvm::find_if(monomial, isAssumed);
    if (at == monomial.end()) {
      accumulate(out, monomial, coefficient);
      continue;
    }
    Monomial rest(monomial.begin(), at);
    rest.insert(rest.end(), std::next(at), monomial.end());
    Polynomial product;
    accumulateProduct(product, {{rest, coefficient}}, assumed[*at]);
    for (const auto &[other, factor] : substitute(product))
      accumulate(out, other, factor);
  }
  return out;
}

void DimMath::assume(OpFoldResult a, OpFoldResult b) {
  Polynomial difference = polynomial(a);
  for (const auto &[monomial, coefficient] : polynomial(b))
    accumulate(difference, monomial, -coefficient);
  // The latest atom that stands alone becomes what the others say of it.
  std::optional<unsigned> atom;
  for (const auto &[monomial, coefficient] : difference) {
    bool isUnit = monomial.size() == 1 && (coefficient == 1 || coefficient == -1);
    if (isUnit && llvm::count_if(difference, [&, &factor = monomial](const auto &term) {
                    return llvm::is_contained(term.first, factor.front());
                  }) == 1)
      atom = std::max(atom.value_or(0), monomial.front());
  }
  if (!atom)
    return;
  int64_t sign = difference[{*atom}];
  difference.erase({*atom});
  for (auto &[monomial, coefficient] : difference)
    coefficient *= -sign;
  assumed[*atom] = difference;
  for (auto &[other, meaning] : assumed)
    meaning = substitute(meaning);
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

/// sum += a * b.
void DimMath::accumulateProduct(Polynomial &sum, const Polynomial &a, const Polynomial &b) {
  for (const auto &[left, leftCoefficient] : a) {
    for (const auto &[other, coefficient] : b) {
      Monomial merged = left;
      merged.insert(merged.end(), other.begin(), other.end());
      llvm::sort(merged);
      int64_t scaled = 0;
      overflow |= llvm::MulOverflow(leftCoefficient, coefficient, scaled);
      accumulate(sum, merged, scaled);
    }
  }
}

OpFoldResult DimMath::mul(OpFoldResult a, OpFoldResult b) {
  Polynomial product;
  accumulateProduct(product, polynomial(a), polynomial(b));
  return materialise(product);
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

std::optional<OpFoldResult> DimMath::exactDiv(OpFoldResult a, OpFoldResult b) {
  if (number(b) == 0)
    return std::nullopt;
  if (auto exact = divideExactly(polynomial(a), polynomial(b)))
    return materialise(*exact);
  return std::nullopt;
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
  if (auto exact = exactDiv(a, b))
    return *exact;
  return atom<arith::FloorDivSIOp>("floordiv", a, b);
}

OpFoldResult DimMath::truncDiv(OpFoldResult a, OpFoldResult b) {
  auto left = number(a), right = number(b);
  if (right && *right == -1)
    return mul(a, b);
  if (left && right && *right != 0)
    return constant(*left / *right);
  if (auto exact = exactDiv(a, b))
    return *exact;
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
  if (same(a, b) || polynomial(a) == polynomial(b))
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

} // namespace mlir::qtensor
