// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The functions of FixedPoint.h in 16 bits (gemmlowp's for int16_t), and the reciprocal root of layer normalizations. Qm.n
// below is an i16 with m integer and n fractional bits beside the sign.
#pragma once
#include "lib/Reference/FixedPoint.h"

namespace mlir::qtensor::reference {

/// floor((a * b + 2^14) / 2^15), saturated: the high half of 2ab, ties up.
int16_t doublingHighMultiply16(int16_t a, int16_t b);
/// exp(a) as Q0.15 for a <= 0 in Q(m).(15 - m), m = `integerBits` in [0, 7].
int16_t expOnNegative16(int16_t a, int integerBits);
/// 1 / (1 + exp(-a)) as Q0.15 for a in Q3.12.
int16_t logisticQ3(int16_t a);
/// tanh(a) as Q0.15 for a in Q(m).(15 - m), m = `integerBits` in [0, 6].
int16_t tanh16(int16_t a, int integerBits);

/// 1 / sqrt(value) for value >= 0 as a multiplier; `shift` is 0 or below. 0 counts as 1.
QuantizedMultiplier inverseRoot(int32_t value);

} // namespace mlir::qtensor::reference
