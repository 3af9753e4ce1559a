// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reading and making large constants.
#pragma once
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include <vector>

namespace mlir::qtensor {

/// The constant op behind `value` when only casts and reshapes stand between, else null. Reshapes keep row-major order,
/// so the data of the constant is that of `value`.
arith::ConstantOp getConstantSource(Value value);

/// The elements of a constant of f32, f16 or bf16, where they lie: valid as long as the constant's attribute.
class FloatSource {
public:
  /// Fails for other types and for resources whose size is wrong, with an error at `constant`.
  static FailureOr<FloatSource> get(arith::ConstantOp constant);
  /// The elements from `first` on, row-major, as f32.
  void read(int64_t first, MutableArrayRef<float> values) const;
  /// All of them as they lie, where they are f32 already and aligned; else empty.
  ArrayRef<float> view() const;

private:
  Type type;
  std::optional<float> splat;
  ArrayRef<char> bytes;
};

/// Numbers that lie in a constant, or that were converted from one.
class FloatData {
public:
  explicit FloatData(ArrayRef<float> lent) : view(lent) {}
  explicit FloatData(std::vector<float> owned) : owned(std::move(owned)), view(this->owned) {}
  // Moving a vector keeps its elements where they are, so the view stays right.
  FloatData(FloatData &&) = default;
  FloatData &operator=(FloatData &&) = default;
  operator ArrayRef<float>() const { return view; }

private:
  std::vector<float> owned;
  ArrayRef<float> view;
};

/// All elements of a FloatSource, without a copy where they are f32 already: valid as long as the constant's attribute.
FailureOr<FloatData> readFloats(arith::ConstantOp constant);

/// The bytes of the elements, row-major; empty when they are missing or packed (truth values).
std::vector<char> readBytes(ElementsAttr attribute);

/// A constant of `type` with these little-endian bytes; beyond a few hundred bytes a resource called after `name`, which
/// takes them over without a copy.
arith::ConstantOp makeConstant(OpBuilder &builder, Location loc, RankedTensorType type, std::vector<char> bytes,
                               StringRef name);

/// `values` of `shape` with its dimensions in the order `permutation` (result dimension i is source dimension
/// permutation[i]). Of floats and bytes.
template <typename T>
std::vector<T> transpose(ArrayRef<T> values, ArrayRef<int64_t> shape, ArrayRef<int64_t> permutation);

} // namespace mlir::qtensor
