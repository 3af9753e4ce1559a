// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/Codec.h"
#include "llvm/ADT/bit.h"
#include <algorithm>
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;
using reference::Codec;

Codec::Codec(CodecAttr codec) : attribute(codec), mask((uint64_t(1) << codec.getBits()) - 1) {
  if (isInteger()) {
    double count = double(mask) + 1;
    low = codec.getIntStyle() == IntStyle::Signed ? -count / 2 : -double(codec.getIntOffset());
    high = low + (codec.getCount() ? codec.getCount() : count) - 1;
    low += codec.getNarrow();
    amax = high > 0 ? high : -low;
    if (codec.getAmax()) {
      amax = codec.getAmax().getValueAsDouble();
      low = std::max(low, -std::floor(amax));
      high = std::min(high, std::floor(amax));
    }
    return;
  }
  enumerateValues();
  if (codec.getBits() <= 8)
    chooseUnit();
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

double Codec::decodeFloat(uint64_t code) const {
  unsigned mantissaBits = attribute.getMantissaBits(), exponentBits = attribute.getExponentBits();
  uint64_t mantissaCount = uint64_t(1) << mantissaBits, exponentCount = uint64_t(1) << exponentBits;
  uint64_t mantissa = code % mantissaCount, exponent = code / mantissaCount % exponentCount;
  double sign = attribute.getHasSign() && code / mantissaCount / exponentCount ? -1.0 : 1.0;
  bool topExponent = exponent == exponentCount - 1;
  if (attribute.getSpecials() == FloatSpecials::IEEE && topExponent)
    return mantissa ? NAN : sign * HUGE_VAL;
  if (attribute.getSpecials() == FloatSpecials::FN && topExponent && mantissa == mantissaCount - 1)
    return NAN;
  double fraction = double(mantissa) / double(mantissaCount);
  // Exponent field 0 holds zero and the subnormals; a format of bare exponents has neither.
  bool bareExponent = mantissaBits == 0 && !attribute.getHasSign();
  if (exponent == 0 && !bareExponent)
    return sign * std::ldexp(fraction, 1 - int(attribute.getBias()));
  return sign * std::ldexp(1.0 + fraction, int(exponent) - int(attribute.getBias()));
}

double Codec::decode(int64_t container) const {
  uint64_t code = uint64_t(container) & mask;
  if (attribute.getNanCode() && uint64_t(attribute.getNanCode().getInt()) == code)
    return NAN;
  switch (attribute.getKind()) {
  case CodecKind::Float:
    return decodeFloat(code);
  case CodecKind::Table:
    return attribute.getTable()[code];
  case CodecKind::Int:
    break;
  }
  if (attribute.getIntStyle() == IntStyle::Signed)
    return double(toContainer(code));
  return double(code) - double(attribute.getIntOffset());
}

/// Signed integers are sign-extended, everything else is zero-extended.
int64_t Codec::toContainer(uint64_t code) const {
  bool negative = isInteger() && attribute.getIntStyle() == IntStyle::Signed && code > mask / 2;
  return negative ? int64_t(code) - int64_t(mask) - 1 : int64_t(code);
}

//===----------------------------------------------------------------------===//
// Encoding
//===----------------------------------------------------------------------===//

void Codec::enumerateValues() {
  magnitudes = attribute.getKind() == CodecKind::Float && attribute.getHasSign();
  if (attribute.getBits() > 16) { // only the builtin f32 is wider; its nearest code needs no list
    high = HUGE_VAL;
    return;
  }
  uint64_t last = magnitudes ? mask >> 1 : mask;
  for (uint64_t code = 0; code <= last; ++code)
    if (double value = decode(int64_t(code)); std::isfinite(value))
      values.push_back({value, code});
  for (auto [value, code] : values)
    if (value == 0 && std::signbit(value))
      negativeZero = code;
  llvm::sort(values); // of equal values the lowest code is kept
  values.erase(std::unique(values.begin(), values.end(), [](auto &a, auto &b) { return a.first == b.first; }),
               values.end());
  high = values.back().first;
  low = magnitudes ? -high : values.front().first;
  amax = attribute.getAmax() ? attribute.getAmax().getValueAsDouble() : std::max(std::fabs(low), std::fabs(high));
  if (amax == 0)
    amax = 1;
}

double Codec::roundToInteger(double value) const {
  double below = std::floor(value), rest = value - below;
  if (rest != 0.5)
    return rest < 0.5 ? below : below + 1;
  switch (attribute.getTie()) {
  case TieRule::Even:
    return std::fmod(below, 2) == 0 ? below : below + 1;
  case TieRule::Low:
    return below;
  case TieRule::Up:
    return below + 1;
  case TieRule::Away:
    return value < 0 ? below : below + 1;
  }
  llvm_unreachable("covered switch");
}

int64_t Codec::encodeInteger(double value) const {
  double saturated = std::min(std::max(value, low), high);
  if (attribute.getIntStyle() == IntStyle::Offset)
    saturated += double(attribute.getIntOffset());
  return int64_t(saturated);
}

int64_t Codec::encode(double value) const {
  if (std::isnan(value)) {
    if (attribute.getNanCode())
      return toContainer(uint64_t(attribute.getNanCode().getInt()));
    bool ieee = attribute.getKind() == CodecKind::Float && attribute.getSpecials() != FloatSpecials::Finite;
    if (ieee && attribute.getSpecials() == FloatSpecials::FN)
      return toContainer(magnitudes ? mask >> 1 : mask);
    if (ieee) // the quiet NaN: top exponent, top mantissa bit
      return toContainer(
          ((magnitudes ? mask >> 1 : mask) >> attribute.getMantissaBits() << attribute.getMantissaBits()) |
          (uint64_t(1) << attribute.getMantissaBits() >> 1));
    return encode(0.0);
  }
  if (isInteger())
    return encodeInteger(std::isinf(value) ? value : roundToInteger(value));
  if (values.empty())
    return toContainer(llvm::bit_cast<uint32_t>(static_cast<float>(value)));
  double target = magnitudes ? std::fabs(value) : value;
  auto above = std::lower_bound(values.begin(), values.end(), target,
                                [](const auto &entry, double wanted) { return entry.first < wanted; });
  uint64_t signBit = magnitudes && std::signbit(value) ? (mask >> 1) + 1 : 0;
  auto pick = [&](const std::pair<double, uint64_t> &entry) {
    bool keepsSign = negativeZero && entry.first == 0 && value < 0;
    return toContainer(keepsSign ? *negativeZero : entry.second | signBit);
  };
  if (above == values.end()) {
    // A builtin float of more than 8 bits overflows to infinity, the code after its largest value; others saturate.
    bool overflows = attribute.getKind() == CodecKind::Float && attribute.getSpecials() == FloatSpecials::IEEE &&
                     attribute.getBits() > 8 && target >= high + (high - values[values.size() - 2].first) / 2;
    return toContainer((values.back().second + overflows) | signBit);
  }
  if (above == values.begin() || above->first == target)
    return pick(*above);
  auto below = std::prev(above);
  double gapBelow = target - below->first, gapAbove = above->first - target;
  bool takeAbove = gapAbove < gapBelow;
  if (gapAbove == gapBelow) {
    bool negative = std::signbit(value);
    switch (attribute.getTie()) {
    case TieRule::Even:
      takeAbove = above->second % 2 == 0;
      break;
    case TieRule::Low:
      takeAbove = magnitudes && negative;
      break;
    case TieRule::Up:
      takeAbove = !(magnitudes && negative);
      break;
    case TieRule::Away:
      takeAbove = magnitudes || !negative;
      break;
    }
  }
  return pick(takeAbove ? *above : *below);
}

//===----------------------------------------------------------------------===//
// Integer arithmetic on codes
//===----------------------------------------------------------------------===//

/// The largest f32 unit of which all finite values are multiples that span at most 14 bits; else the span in 16382 steps.
void Codec::chooseUnit() {
  constexpr int mostSteps = 16383;
  double bottom = 0, top = 0;
  for (uint64_t code = 0; code <= mask; ++code)
    if (double value = decode(toContainer(code)); std::isfinite(value)) {
      bottom = std::min(bottom, value);
      top = std::max(top, value);
    }
  if (bottom == top)
    return;
  double largest = std::max(-bottom, top);
  for (int steps = 1; steps <= mostSteps; ++steps) {
    unit = largest / steps;
    if (unit != double(float(unit)))
      continue;
    bool allMultiples = true;
    for (uint64_t code = 0; code <= mask && allMultiples; ++code) {
      double value = decode(toContainer(code));
      allMultiples = !std::isfinite(value) || std::nearbyint(value / unit) * unit == value;
    }
    if (allMultiples && (top - bottom) / unit <= mostSteps)
      return;
    if (allMultiples)
      break;
  }
  unit = float((top - bottom) / (mostSteps - 1));
  exactMultiple = false;
}

int64_t Codec::toMultiple(int64_t code) const {
  double value = decode(code);
  return std::isfinite(value) ? int64_t(std::nearbyint(value / unit)) : 0;
}
