// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Encoded tensors as integers, and exact sums of them.
#pragma once
#include "lib/Transforms/Integer/RealForm.h"
#include "lib/Transforms/Select/Addition.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::qtensor::integer {

/// An encoded tensor as integers: codes, a zero point, and one scale, one for each index of a dimension, or one a
/// block.
struct Codes {
  Value codes; ///< i8 or i16, as the codec stores them.
  bool isUnsigned = false;
  int64_t zero = 0;
  unsigned bits = 8;
  std::vector<float> scales;
  int64_t axis = -1;          ///< Of several scales.
  SmallVector<int64_t> block; ///< Where there is a scale for each block of this shape; else empty.

  /// The largest |code - zero|.
  int64_t largest() const;
  /// A code, less the zero point, as an integer of `type`.
  Value widen(OpBuilder &builder, Location loc, Value code, Type type) const;
};

/// The codes of a tensor, read or not. `mayHaveBlocks`: also with scales along more than one dimension.
std::optional<Codes> readCodes(ImplicitLocOpBuilder &b, Value value, bool mayHaveBlocks = false);
/// The codes of an operand that may be an encoded tensor with zeros around it: padding is the zero point.
Value padCodes(ImplicitLocOpBuilder &b, Value operand, const Codes &of);
/// The source of a tensor padded with 0.0, or the tensor itself; null where it is padded with something else.
Value stripPadding(Value value);
/// The encoded tensor that is read here.
Value stripDequantize(Value value);
/// The numbers of a constant of floats.
std::optional<std::vector<float>> readReals(Value constant);

/// Exact sums of codes or of products of codes: value = scale * sum, one scale or one for each index of a result
/// dimension.
struct Sums {
  Value tensor; ///< i32 or i64.
  std::vector<double> scales;
  int64_t axis = -1;
  int64_t axes =
      1; ///< Dimensions from `axis` on that have scales, those of a grouped convolution; first varies slowest.
  bool grouped = false;  ///< Of products times the factors of their groups.
  bool products = false; ///< Their steps are small beside those of any output.
  double most = 0;       ///< A bound of their magnitude, where they are no products.
};

/// The codes that an addition over windows or axes adds up. Nothing where they are none, or where sums do not fit: 31
/// bits, or 47 for codes of more than 8 bits that are not scaled by a `real`.
std::optional<Sums> sumCodes(ImplicitLocOpBuilder &b, const Addition &addition, bool real);
/// Makes the steps of sums as small as their width allows, by a shift, for something to be added in these steps.
void refineSums(ImplicitLocOpBuilder &b, Sums &sums);
/// Divides sums by constant whole numbers (how many elements a window has): sums are brought to the smallest common
/// multiple of the divisors, exactly. False where a divisor is none or sums become too large.
bool divideSums(ImplicitLocOpBuilder &b, Sums &sums, ArrayRef<Factor> divisors);

} // namespace mlir::qtensor::integer
