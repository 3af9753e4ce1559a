// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arithmetic on extents. Extents are numbers or index values; the index values are polynomials over the dimensions of
// the model's inputs, kept in canonical form, so that equal extents are one SSA value and (B*S*64)/(B*S) is 64.
#pragma once
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"
#include "llvm/ADT/DenseMap.h"
#include <map>
#include <vector>

namespace mlir::qtensor {

class DimMath {
public:
  explicit DimMath(OpBuilder &builder) : builder(builder) {}

  OpFoldResult constant(int64_t value) { return builder.getIndexAttr(value); }
  OpFoldResult add(OpFoldResult a, OpFoldResult b);
  OpFoldResult sub(OpFoldResult a, OpFoldResult b);
  OpFoldResult mul(OpFoldResult a, OpFoldResult b);
  /// Division rounding down; `b` must be positive.
  OpFoldResult floorDiv(OpFoldResult a, OpFoldResult b);
  /// Division rounding towards zero, as ONNX divides integers.
  OpFoldResult truncDiv(OpFoldResult a, OpFoldResult b);
  OpFoldResult ceilDiv(OpFoldResult a, OpFoldResult b);
  OpFoldResult min(OpFoldResult a, OpFoldResult b);
  OpFoldResult max(OpFoldResult a, OpFoldResult b);
  /// Whether a < b and a == b, where that is the same for all extents of the inputs.
  std::optional<bool> less(OpFoldResult a, OpFoldResult b);
  std::optional<bool> equal(OpFoldResult a, OpFoldResult b);
  /// a / b where that leaves nothing over for all extents of the inputs (of which those in b are not 0).
  std::optional<OpFoldResult> exactDiv(OpFoldResult a, OpFoldResult b);
  /// From here on both are known to be the same.
  void assume(OpFoldResult a, OpFoldResult b);
  /// Product of a range; 1 for an empty one.
  OpFoldResult product(ArrayRef<OpFoldResult> values);
  /// The index value of an extent (a constant op for a number).
  Value value(OpFoldResult extent, Location loc);
  SmallVector<Value> values(ArrayRef<OpFoldResult> extents, Location loc);

  /// The number, or nothing for an index value.
  static std::optional<int64_t> number(OpFoldResult extent);
  /// The number, or ShapedType::kDynamic.
  static int64_t numberOrDynamic(OpFoldResult extent);
  /// True if both are known to be the same extent.
  static bool same(OpFoldResult a, OpFoldResult b);
  static SmallVector<int64_t> shape(ArrayRef<OpFoldResult> extents);

  /// Where the ops of later extents come from.
  void setLoc(Location location) { loc = location; }
  /// True once a product or sum did not fit in 64 bits; the extents made since mean nothing.
  bool overflowed() const { return overflow; }

private:
  using Monomial = std::vector<unsigned>;         // sorted numbers of atoms; empty is the constant term
  using Polynomial = std::map<Monomial, int64_t>; // no zero coefficients

  Polynomial polynomial(OpFoldResult extent);
  void accumulate(Polynomial &sum, const Monomial &monomial, int64_t coefficient);
  void accumulateProduct(Polynomial &sum, const Polynomial &a, const Polynomial &b);
  Polynomial substitute(const Polynomial &polynomial);
  OpFoldResult materialise(const Polynomial &polynomial);
  std::optional<int64_t> lowerBound(const Polynomial &polynomial);
  std::optional<Polynomial> divideExactly(const Polynomial &a, const Polynomial &b);
  template <typename OpT> OpFoldResult atom(const char *name, OpFoldResult a, OpFoldResult b);

  OpBuilder &builder;
  std::optional<Location> loc;
  bool overflow = false;
  std::vector<Value> atoms;
  DenseMap<Value, Polynomial> polynomials;
  std::map<unsigned, Polynomial> assumed; // atom -> what it is equal to, in atoms that are not in this map
  std::map<Polynomial, Value> made;
  std::map<std::tuple<std::string, Polynomial, Polynomial>, Value> operations;
};

} // namespace mlir::qtensor
