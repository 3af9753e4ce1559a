// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/FinalMap.h"
#include "lib/Reference/FixedPoint.h"
#include "llvm/Support/ErrorHandling.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir::qtensor;
using Wide = __int128;

/// value * 2^-bits for bits in [1, 120], rounded.
static Wide shiftRightRounded(Wide value, int bits, RoundingMode rounding) {
  Wide unit = Wide(1) << bits, below = value >> bits, rest = value - below * unit;
  switch (rounding) {
  case RoundingMode::Truncate:
    return below + (value < 0 && rest != 0);
  case RoundingMode::HalfAway:
    return below + (value < 0 ? rest * 2 > unit : rest * 2 >= unit);
  case RoundingMode::HalfEven:
    return below + (rest * 2 > unit || (rest * 2 == unit && (below & 1)));
  }
  llvm_unreachable("covered switch");
}

static int64_t saturate(Wide value, int64_t low, int64_t high) {
  return value < low ? low : value > high ? high : int64_t(value);
}

int64_t mlir::qtensor::reference::mapReal(int64_t accumulator, float multiplier, RoundingMode rounding) {
  constexpr int64_t low = std::numeric_limits<int64_t>::min(), high = std::numeric_limits<int64_t>::max();
  if (accumulator == 0 || multiplier == 0 || std::isnan(multiplier))
    return 0;
  bool negative = (accumulator < 0) != (multiplier < 0);
  if (std::isinf(multiplier))
    return negative ? low : high;
  int exponent;
  Wide product = Wide(accumulator) * int64_t(std::ldexp(std::frexp(multiplier, &exponent), 24)); // below 2^88
  exponent -= 24;
  if (exponent >= 0)
    return exponent > 38 ? (negative ? low : high) : saturate(product << exponent, low, high);
  return saturate(shiftRightRounded(product, std::min(-exponent, 120), rounding), low, high);
}

int64_t mlir::qtensor::reference::mapFixed(int64_t accumulator, int32_t multiplier, int32_t shift, FixedMode mode) {
  constexpr int64_t low = std::numeric_limits<int32_t>::min(), high = std::numeric_limits<int32_t>::max();
  switch (mode) {
  case FixedMode::Double: {
    int left = std::max(shift, 0), right = std::max(-shift, 0);
    int32_t shifted = int32_t(saturate(Wide(accumulator) << left, low, high));
    return divideByPowerOfTwo(doublingHighMultiply(shifted, multiplier), right);
  }
  case FixedMode::Single: {
    int total = 31 - shift; // at least 0
    Wide half = total > 0 ? Wide(1) << (total - 1) : Wide(0);
    return saturate((Wide(accumulator) * multiplier + half) >> total, low, high);
  }
  case FixedMode::X16: {
    int64_t reduced = multiplier < 0x7FFF0000 ? (int64_t(multiplier) + (1 << 15)) >> 16 : 0x7FFF;
    int total = 15 - shift;
    Wide product = Wide(accumulator) * reduced;
    if (total <= 0)
      return saturate(product << -total, low, high);
    return saturate((product + (Wide(1) << (total - 1))) >> total, low, high);
  }
  }
  llvm_unreachable("covered switch");
}
