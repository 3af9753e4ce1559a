// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/FixedPoint16.h"
#include <algorithm>
#include <limits>

using namespace mlir::qtensor;
using namespace mlir::qtensor::reference;

int16_t reference::doublingHighMultiply16(int16_t a, int16_t b) {
  if (a == -32768 && b == -32768)
    return 32767;
  return int16_t((int32_t(a) * b + (1 << 14)) >> 15);
}

static int16_t saturate16(int32_t value) { return int16_t(std::clamp(value, -32768, 32767)); }

/// exp(a) for a in [-1/4, 0) in Q0.15: a Taylor polynomial of degree 4 around -1/8.
static int16_t expNearZero(int16_t a) {
  constexpr int16_t expOfMinusEighth = 28918, third = 10923;
  int16_t x = int16_t(a + (1 << 12));
  int16_t x2 = doublingHighMultiply16(x, x), x3 = doublingHighMultiply16(x2, x), x4 = doublingHighMultiply16(x2, x2);
  int16_t tail = int16_t(doublingHighMultiply16(int16_t(divideByPowerOfTwo(x4, 2) + x3), third) + x2);
  int16_t sum = int16_t(x + divideByPowerOfTwo(tail, 1));
  return saturate16(expOfMinusEighth + doublingHighMultiply16(expOfMinusEighth, sum));
}

int16_t reference::expOnNegative16(int16_t a, int integerBits) {
  if (a == 0)
    return 32767;
  int fraction = 15 - integerBits;
  // Beyond -32 there is nothing left.
  if (integerBits > 5 && a < -(32 << fraction))
    return 0;
  // exp(-2^i) for i = -2 ... 4.
  static constexpr int16_t factors[] = {25520, 19875, 12055, 4435, 600, 11, 0};
  int32_t quarter = 1 << (fraction - 2), inQuarter = (a & (quarter - 1)) - quarter, rest = inQuarter - a;
  int16_t result = expNearZero(int16_t(inQuarter * (1 << integerBits)));
  for (int i = 0; i < 7 && i - 2 < integerBits; ++i)
    if (rest & (1 << (fraction - 2 + i)))
      result = doublingHighMultiply16(result, factors[i]);
  return result;
}

/// 48/17 - 32/17 * half of 1 + a in Q2.13, then three steps of Newton for its reciprocal.
static int16_t reciprocalOfHalf(int16_t a) {
  int16_t half = int16_t((int32_t(a) + 32767 + 1) / 2), x = int16_t(23130 + doublingHighMultiply16(half, -15420));
  for (int step = 0; step < 3; ++step) {
    int16_t error = int16_t((1 << 13) - doublingHighMultiply16(half, x));
    x = int16_t(x + saturate16(doublingHighMultiply16(x, error) * 4));
  }
  return x;
}

int16_t reference::logisticQ3(int16_t a) {
  if (a == 0)
    return 1 << 14;
  // The negative of -2^15 is itself.
  int16_t positive = saturate16(2 * reciprocalOfHalf(expOnNegative16(a > 0 ? int16_t(-a) : a, 3)));
  return a > 0 ? positive : int16_t(32767 - positive);
}

int16_t reference::tanh16(int16_t a, int integerBits) {
  if (a == 0)
    return 0;
  // exp(2a): the same bits with one integer bit more.
  int16_t x = reciprocalOfHalf(expOnNegative16(a > 0 ? int16_t(-a) : a, integerBits + 1));
  int16_t magnitude = saturate16((x - (1 << 13)) * 4);
  return a > 0 ? magnitude : int16_t(-magnitude);
}

QuantizedMultiplier reference::inverseRoot(int32_t value) {
  if (value <= 1)
    return {std::numeric_limits<int32_t>::max(), 0};
  int right = 11;
  for (; value >= 1 << 29; value /= 4)
    ++right;
  int pairs = (__builtin_clz(uint32_t(value)) - 1) / 2 - 1;
  right -= pairs;
  value <<= 2 * pairs;
  // Newton's iteration from 1 in Q3.28: x = 3/2 x - v/2 x^3.
  int32_t input = value >> 1, half = divideByPowerOfTwo(input, 1), x = 1 << 28;
  for (int step = 0; step < 5; ++step) {
    int32_t cube = saturatingShiftLeft(doublingHighMultiply(doublingHighMultiply(x, x), x), 6);
    x = saturatingShiftLeft(doublingHighMultiply((1 << 28) + (1 << 27), x) - doublingHighMultiply(half, cube), 3);
  }
  x = doublingHighMultiply(x, 1518500250);
  return right < 0 ? QuantizedMultiplier{int32_t(uint32_t(x) << -right), 0} : QuantizedMultiplier{x, -right};
}
