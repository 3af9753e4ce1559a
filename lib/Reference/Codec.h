// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The meaning of codes, written from the definition of a codec and independently of lib/Formats. Internal to the
// reference.
#pragma once
#include "dialects/QTensor/IR/QTensorDialect.h"
#include <vector>

namespace mlir::qtensor::reference {

/// Decodes and encodes single values. Making one enumerates the codec; keep it for a whole tensor.
class Codec {
public:
  explicit Codec(CodecAttr codec);

  /// The value of a code in container form (bits above the codec's are ignored).
  double decode(int64_t code) const;
  /// The code nearest to `value` by the codec's tie rule, in container form. Saturates; NaN gives the NaN code, or the
  /// code of zero.
  int64_t encode(double value) const;
  /// The code of the integer `value` after saturation (integer codecs).
  int64_t encodeInteger(double value) const;
  /// `value` rounded to an integer by the tie rule.
  double roundToInteger(double value) const;

  bool isInteger() const { return attribute.getKind() == CodecKind::Int; }
  /// The largest magnitude that the absmax rule produces.
  double getAmax() const { return amax; }
  /// The range of the values that encode() produces.
  double getLowest() const { return low; }
  double getHighest() const { return high; }
  /// True when every finite value is an integer multiple of `unit`, all within a span of 16383; false when the integers
  /// only approximate the values, within half a unit.
  bool isExactMultiple() const { return exactMultiple; }
  double getUnit() const { return unit; }
  /// The integer that stands for a code in integer arithmetic: its value divided by the unit, rounded to even.
  int64_t toMultiple(int64_t code) const;

private:
  double decodeFloat(uint64_t code) const;
  int64_t toContainer(uint64_t code) const;
  void enumerateValues();
  void chooseUnit();

  CodecAttr attribute;
  uint64_t mask;
  double low = 0, high = 0, amax = 0; // of what encode() produces
  double unit = 1;
  bool exactMultiple = true;
  std::optional<uint64_t> negativeZero;            // a table's code of -0.0, for values below 0
  bool magnitudes = false;                         // `values` are magnitudes; the top bit is the sign
  std::vector<std::pair<double, uint64_t>> values; // finite values with their codes, ascending, one code a value
};

} // namespace mlir::qtensor::reference
