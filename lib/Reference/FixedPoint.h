// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The fixed-point functions that published integer kernels are written in (gemmlowp's fixedpoint.h is their text).
// Qm.n below is an i32 with m integer and n fractional bits beside the sign.
#pragma once
#include <array>
#include <cstdint>

namespace mlir::qtensor::reference {

/// A positive real as multiplier * 2^(shift - 31), multiplier in [2^30, 2^31). 0, and numbers below 2^-32, are (0, 0).
/// With one rounding, numbers of 2^30 and more are (2^31 - 1, 30).
struct QuantizedMultiplier {
  int32_t multiplier = 0, shift = 0;
};
QuantizedMultiplier quantizeMultiplier(double real, bool singleRounding = false);

/// floor((a * b + 2^30) / 2^31), saturated: the high half of 2ab, ties up.
int32_t doublingHighMultiply(int32_t a, int32_t b);
/// value / 2^bits, ties away from zero; 0 <= bits.
int32_t divideByPowerOfTwo(int32_t value, int bits);
/// value * 2^bits, saturated; 0 <= bits <= 31.
int32_t saturatingShiftLeft(int32_t value, int bits);

/// exp(a) as Q0.31 for a <= 0 in Q(m).(31 - m), m = `integerBits` in [0, 5].
int32_t expOnNegative(int32_t a, int integerBits);
/// 1 / (1 + a) and (1 - a) / (1 + a) as Q0.31 for a in [0, 1) in Q0.31.
int32_t oneOverOnePlus(int32_t a);
int32_t oneMinusOverOnePlus(int32_t a);
/// 1 / (1 + exp(-a)) and tanh(a) as Q0.31, for a in Q4.27.
int32_t logisticQ4(int32_t a);
int32_t tanhQ4(int32_t a);

/// 65536 / (1 + exp(-i / 24)) for i = 0, 1, ... 255, between which TFLite's 16-bit kernels draw lines. Entries are raised by
/// half of what a line is below the function at most, so that it errs to both sides; the last one ends the table at 2^16 - 1.
const std::array<uint16_t, 256> &sigmoidTable();
/// 1 / (1 + exp(-x)) and tanh(x) as Q0.15 from the table; a = 3 * 2^12 * x.
int16_t logisticByTable(int64_t a);
int16_t tanhByTable(int64_t a);

} // namespace mlir::qtensor::reference
