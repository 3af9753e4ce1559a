// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How one scalar of a builtin MLIR type is stored and rounded. The reference computes every float in double (all
// formats up to 64 bits embed in it exactly) and rounds each result to its type; every integer lives zero-extended in
// 64 bits.
#pragma once
#include "mlir/IR/Types.h"
#include "llvm/ADT/APFloat.h"
#include <optional>

namespace mlir::qtensor::reference {

/// The storage and rounding of one scalar type: any builtin float of at most 64 bits, any integer of at most 64 bits
/// whatever its signedness, and index (64 bits).
class NumericFormat {
public:
  /// The format of `type`, or nothing when the reference has none (wide integers, f80, f128, complex, ...).
  static std::optional<NumericFormat> get(Type type);

  Type getType() const { return type; }
  bool isFloat() const { return semantics != nullptr; }
  bool isUnsigned() const { return unsignedInteger; }
  unsigned getWidth() const { return width; }
  /// Bytes of one element in memory: 1, 2, 4 or 8. Narrow elements take one byte each.
  unsigned getBytes() const { return bytes; }

  /// `value` rounded to the nearest value of this float format, ties to even. An overflow gives what the format has for
  /// it (infinity, NaN or the largest value); NaN gives zero in a format without NaN.
  double round(double value) const;
  /// The value of the low `getWidth()` bits of a float.
  double decode(uint64_t bits) const;
  /// The bits of `value`, which round() returned.
  uint64_t encode(double value) const;

  /// The largest finite value of a float format of at most 64 bits.
  double getLargest() const;

  uint64_t mask() const { return width == 64 ? ~uint64_t(0) : (uint64_t(1) << width) - 1; }
  int64_t signExtend(uint64_t bits) const { return int64_t(bits << (64 - width)) >> (64 - width); }
  /// The integer value of `bits` under the type's signedness; signless integers are signed, except i1.
  int64_t toInteger(uint64_t bits) const { return unsignedInteger || width == 1 ? int64_t(bits) : signExtend(bits); }

  bool isF32() const { return kind == Kind::F32; }
  bool isF64() const { return kind == Kind::F64; }

private:
  enum class Kind : uint8_t { Integer, F64, F32, F16, BF16, Small };
  Type type;
  const llvm::fltSemantics *semantics = nullptr;
  const double *table = nullptr; // decoded values of all codes, for Kind::Small
  unsigned width = 0, bytes = 0;
  bool unsignedInteger = false;
  Kind kind = Kind::Integer;
};

/// Reads one stored element (little endian, `getBytes()` wide) as bits.
uint64_t readElement(const NumericFormat &format, const char *address);
/// Stores the low bytes of `bits` as one element.
void writeElement(const NumericFormat &format, char *address, uint64_t bits);

/// a * b + c rounded once to `format`.
double fusedMultiplyAdd(const NumericFormat &format, double a, double b, double c);

} // namespace mlir::qtensor::reference
