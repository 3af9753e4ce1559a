// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/FixedPoint.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir::qtensor;
using namespace mlir::qtensor::reference;

static constexpr int32_t kMin = std::numeric_limits<int32_t>::min(), kMax = std::numeric_limits<int32_t>::max();

QuantizedMultiplier reference::quantizeMultiplier(double real, bool singleRounding) {
  QuantizedMultiplier result;
  if (real == 0)
    return result;
  int exponent;
  int64_t fixed = int64_t(std::round(std::frexp(real, &exponent) * double(int64_t(1) << 31)));
  if (fixed == int64_t(1) << 31) {
    fixed /= 2;
    ++exponent;
  }
  if (exponent < -31)
    return result;
  if (singleRounding && exponent > 30)
    return {kMax, 30};
  return {int32_t(fixed), exponent};
}

int32_t reference::doublingHighMultiply(int32_t a, int32_t b) {
  if (a == kMin && b == kMin)
    return kMax;
  return int32_t((int64_t(a) * b + (int64_t(1) << 30)) >> 31);
}

int32_t reference::divideByPowerOfTwo(int32_t value, int bits) {
  if (bits > 31)
    return 0;
  int64_t mask = (int64_t(1) << bits) - 1, rest = value & mask, threshold = (mask >> 1) + (value < 0);
  return int32_t((int64_t(value) >> bits) + (rest > threshold));
}

int32_t reference::saturatingShiftLeft(int32_t value, int bits) {
  return int32_t(std::clamp<int64_t>(int64_t(value) * (int64_t(1) << bits), kMin, kMax));
}

/// exp(a) for a in [-1/4, 0) in Q0.31: a Taylor polynomial of degree 4 around -1/8.
static int32_t expNearZero(int32_t a) {
  constexpr int32_t expOfMinusEighth = 1895147668, third = 715827883;
  int32_t x = a + (1 << 28);
  int32_t x2 = doublingHighMultiply(x, x), x3 = doublingHighMultiply(x2, x), x4 = doublingHighMultiply(x2, x2);
  int32_t tail = doublingHighMultiply(divideByPowerOfTwo(x4, 2) + x3, third) + x2;
  return expOfMinusEighth + doublingHighMultiply(expOfMinusEighth, x + divideByPowerOfTwo(tail, 1));
}

int32_t reference::expOnNegative(int32_t a, int integerBits) {
  if (a == 0)
    return kMax;
  // exp(-2^i) for i = -2 ... 4.
  static constexpr int32_t factors[] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  int fraction = 31 - integerBits;
  int32_t quarter = 1 << (fraction - 2), inQuarter = (a & (quarter - 1)) - quarter;
  int32_t result = expNearZero(int32_t(uint32_t(inQuarter) << integerBits)), rest = inQuarter - a;
  for (int i = 0; i < 7 && i - 2 < integerBits; ++i)
    if (rest & (1 << (fraction - 2 + i)))
      result = doublingHighMultiply(result, factors[i]);
  return result;
}

/// 48/17 - 32/17 * half the denominator in Q2.29, then three steps of Newton for its reciprocal.
static int32_t reciprocalOfHalf(int32_t half) {
  int32_t x = 1515870810 + doublingHighMultiply(half, -1010580540);
  for (int step = 0; step < 3; ++step) {
    int32_t error = (1 << 29) - doublingHighMultiply(half, x);
    x += saturatingShiftLeft(doublingHighMultiply(x, error), 2);
  }
  return x;
}

static int32_t halfDenominator(int32_t a) { return int32_t((int64_t(a) + kMax + 1) / 2); }

int32_t reference::oneOverOnePlus(int32_t a) { return saturatingShiftLeft(reciprocalOfHalf(halfDenominator(a)), 1); }

int32_t reference::oneMinusOverOnePlus(int32_t a) {
  return saturatingShiftLeft(reciprocalOfHalf(halfDenominator(a)) - (1 << 29), 2);
}

int32_t reference::logisticQ4(int32_t a) {
  if (a == 0)
    return 1 << 30;
  int32_t positive = oneOverOnePlus(expOnNegative(a > 0 ? -a : a, 4));
  return a > 0 ? positive : kMax - positive;
}

int32_t reference::tanhQ4(int32_t a) {
  if (a == 0)
    return 0;
  // exp(2a): the same bits with one integer bit more.
  int32_t magnitude = oneMinusOverOnePlus(expOnNegative(a > 0 ? -a : a, 5));
  return a > 0 ? magnitude : -magnitude;
}

const std::array<uint16_t, 256> &reference::sigmoidTable() {
  static const std::array<uint16_t, 256> table = [] {
    std::array<uint16_t, 256> entries;
    for (int i = 0; i < 255; ++i) {
      double s = 1 / (1 + std::exp(-i / 24.0));
      // A line between two points of distance d is off by d^2 / 8 times the second derivative at most.
      double raised = s + s * (1 - s) * (2 * s - 1) / (24.0 * 24.0 * 16);
      entries[i] = uint16_t(std::lround(65536 * raised));
    }
    entries[255] = 65535;
    return entries;
  }();
  return table;
}

/// The table at |a| / 2^bits as a number with `bits` more fractional bits; `last` beyond its end.
static int64_t interpolate(int64_t a, int bits, int64_t last) {
  const std::array<uint16_t, 256> &table = reference::sigmoidTable();
  int64_t magnitude = a < 0 ? -a : a, position = magnitude >> bits;
  if (position >= 255)
    return last << bits;
  int64_t rest = magnitude & ((int64_t(1) << bits) - 1), low = table[position], high = table[position + 1];
  return (low << bits) + rest * (high - low);
}

int16_t reference::logisticByTable(int64_t a) {
  int64_t value = interpolate(a, 9, 32767 * 2);
  return int16_t((a >= 0 ? value + (1 << 9) : (1 << 25) - value + (1 << 9) - 1) >> 10);
}

int16_t reference::tanhByTable(int64_t a) {
  int64_t value = interpolate(a, 8, 65535) - (1 << 23);
  return int16_t((a >= 0 ? value + (1 << 7) : -value + (1 << 7) - 1) >> 8);
}
