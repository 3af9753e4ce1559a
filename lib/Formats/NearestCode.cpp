// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The code nearest to a value. Integers are rounded by arithmetic; every other codec of at most 16 bits by its
// thresholds, turned once into floats such that `v >= threshold` alone decides, ties included. Loops are written for
// the vectoriser: no branch, no call, one pass a step.
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "qtensor/Codec.h"
#include "qtensor/RecordEncoder.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::qtensor;

namespace {
struct Entry {
  double value;
  uint32_t code;
};

/// Elements per step: values of one step stay in registers and the first level of the cache.
constexpr size_t kStep = 256;
/// Up to so many thresholds all are compared; beyond, a value's upper bits say where to start.
constexpr size_t kFewThresholds = 40;

/// Order of floats as unsigned integers.
uint32_t orderedBits(float value) {
  uint32_t u = llvm::bit_cast<uint32_t>(value);
  return u & 0x80000000u ? ~u : u | 0x80000000u;
}

float floatOfOrderedBits(uint32_t u) { return llvm::bit_cast<float>(u & 0x80000000u ? u & 0x7fffffffu : ~u); }

/// The smallest float v for which v > `t`, or v >= `t` with `inclusive`.
float firstFloatAbove(double t, bool inclusive) {
  float v = float(t);
  while (double(v) > t || (inclusive && double(v) == t))
    v = std::nextafter(v, -std::numeric_limits<float>::infinity());
  while (!(double(v) > t || (inclusive && double(v) == t)))
    v = std::nextafter(v, std::numeric_limits<float>::infinity());
  return v;
}

/// Whether the midpoint of `a` < `b` goes to b.
bool tieGoesUp(TieRule tie, const Entry &a, const Entry &b) {
  switch (tie) {
  case TieRule::Low:
    return false;
  case TieRule::Up:
    return true;
  case TieRule::Away:
    return std::fabs(b.value) > std::fabs(a.value) || (a.value == -b.value);
  case TieRule::Even:
    return a.code % 2 != 0 && b.code % 2 == 0;
  }
  llvm_unreachable("covered switch");
}
} // namespace

NearestCode::NearestCode(CodecAttr codec) : tie(unsigned(codec.getTie())), bits(codec.getBits()) {
  CodecRange range = getCodecRange(codec);
  if (codec.getKind() == CodecKind::Int) {
    method = Method::Integer;
    low = int64_t(range.lowest);
    high = int64_t(range.highest);
    bias = codec.getIntStyle() == IntStyle::Signed ? 0 : codec.getIntOffset();
    hasNaNCode = bool(codec.getNanCode());
    nanCode = hasNaNCode ? uint32_t(toContainer(codec, uint32_t(codec.getNanCode().getInt())))
                                 : uint32_t(int32_t(std::clamp<int64_t>(0, low, high) + bias));
    return;
  }
  if (codec.getKind() == CodecKind::Float && bits > 8) {
    method = Method::Convert;
    mantissaBits = int(codec.getMantissaBits());
    exponentBits = int(codec.getExponentBits());
    exponentBias = int(codec.getBias());
    signBit = codec.getHasSign() ? 1u << (bits - 1) : 0;
    fullIEEE = codec.getSpecials() == FloatSpecials::IEEE;
    isHalf = codec == CodecAttr::getForFloat(Float16Type::get(codec.getContext()));
    high = int64_t(((uint64_t(1) << exponentBits) - 1) << mantissaBits); // the code of infinity
    if (!fullIEEE)
      high = int64_t((uint64_t(1) << (bits - codec.getHasSign())) - (codec.getSpecials() == FloatSpecials::FN ? 2 : 1));
    nanCode = codec.getNanCode() ? uint32_t(codec.getNanCode().getInt())
              : fullIEEE && mantissaBits > 0 ? uint32_t(high) | (1u << mantissaBits) >> 1
              : codec.getSpecials() == FloatSpecials::FN ? uint32_t(high + 1) : 0;
    return;
  }
  method = Method::Thresholds;
  buildThresholds(codec);
}

/// Sorted values without duplicates; -0 stands below +0 as in the order of floats.
static SmallVector<Entry> sortedEntries(CodecAttr codec, bool magnitudesOnly) {
  SmallVector<Entry> entries;
  uint32_t count = uint32_t(codec.getNumCodes() >> magnitudesOnly);
  for (uint32_t code = 0; code < count; ++code)
    if (double value = decodeCode(codec, code); std::isfinite(value))
      entries.push_back({value, code});
  llvm::sort(entries, [](const Entry &a, const Entry &b) {
    uint32_t x = orderedBits(float(a.value)), y = orderedBits(float(b.value));
    return x != y ? x < y : a.code < b.code;
  });
  auto sameFloat = [](const Entry &a, const Entry &b) {
    return llvm::bit_cast<uint32_t>(float(a.value)) == llvm::bit_cast<uint32_t>(float(b.value));
  };
  entries.erase(llvm::unique(entries, sameFloat), entries.end());
  return entries;
}

void NearestCode::buildThresholds(CodecAttr codec) {
  // A sign bit and a symmetric tie rule: round the magnitude and copy the sign, which also keeps -0.
  bool symmetric = codec.getKind() == CodecKind::Float && codec.getHasSign() &&
                   (codec.getTie() == TieRule::Even || codec.getTie() == TieRule::Away);
  signBit = symmetric ? 1u << (bits - 1) : 0;
  SmallVector<Entry> entries = sortedEntries(codec, symmetric);
  for (size_t i = 0; i < entries.size(); ++i) {
    codeOfRank.push_back(toContainer(codec, entries[i].code));
    if (i + 1 == entries.size())
      continue;
    const Entry &a = entries[i], &b = entries[i + 1];
    bool tieUp = a.value == b.value || tieGoesUp(codec.getTie(), a, b);
    thresholds.push_back(firstFloatAbove((a.value + b.value) / 2, tieUp));
  }
  if (codec.getNanCode()) {
    nanCode = uint32_t(codec.getNanCode().getInt());
  } else {
    bool hasNaN = codec.getKind() == CodecKind::Float && codec.getSpecials() != FloatSpecials::Finite;
    uint32_t allOnes = uint32_t(llvm::maskTrailingOnes<uint64_t>(bits - codec.getHasSign()));
    if (hasNaN && codec.getSpecials() == FloatSpecials::FN)
      nanCode = allOnes;
    else if (hasNaN && codec.getMantissaBits() > 0) // quiet: infinity with the upper mantissa bit
      nanCode = uint32_t((allOnes >> codec.getMantissaBits() << codec.getMantissaBits()) |
                         1u << (codec.getMantissaBits() - 1));
    else
      nanCode = uint32_t(codeOfRank[llvm::count_if(thresholds, [](float t) { return 0.0f >= t; })]);
  }
  if (thresholds.size() <= kFewThresholds)
    return;
  firstRank.resize(1 << 16);
  for (uint32_t upper = 0; upper < (1u << 16); ++upper) {
    float first = floatOfOrderedBits(upper << 16);
    if (std::isnan(first))
      first = upper < (1u << 15) ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
    firstRank[upper] = uint16_t(std::upper_bound(thresholds.begin(), thresholds.end(), first) - thresholds.begin());
  }
}

uint32_t NearestCode::searchOne(float value) const {
  if (std::isnan(value))
    return nanCode;
  float magnitude = signBit ? std::fabs(value) : value;
  size_t rank = firstRank.empty() ? 0 : firstRank[orderedBits(magnitude) >> 16];
  while (rank < thresholds.size() && magnitude >= thresholds[rank])
    ++rank;
  return uint32_t(codeOfRank[rank]) | (std::signbit(value) ? signBit : 0);
}

/// Rounding to a float codec of up to 32 bits by arithmetic on the exact value: half to even.
uint32_t NearestCode::convertFloat(float value) const {
  if (std::isnan(value))
    return nanCode;
  if (isHalf)
    return halfOfFloat(value);
  uint32_t sign = signBit && std::signbit(value) ? signBit : 0;
  double magnitude = signBit ? std::fabs(double(value)) : std::max(double(value), 0.0);
  if (std::isinf(magnitude))
    return sign | uint32_t(high);
  int exponent = magnitude == 0 ? 1 - exponentBias : std::max(std::ilogb(magnitude), 1 - exponentBias);
  // In units of the last place the code is monotone: rounding up into the next binade carries into the exponent.
  double units = std::nearbyint(std::ldexp(magnitude, mantissaBits - exponent));
  int64_t code = (int64_t(exponent + exponentBias - 1) << mantissaBits) + int64_t(units);
  return sign | uint32_t(std::min(code, high));
}

uint32_t NearestCode::operator()(float value) const {
  uint32_t mask = uint32_t(llvm::maskTrailingOnes<uint64_t>(bits));
  if (method == Method::Convert)
    return convertFloat(value);
  if (method == Method::Thresholds)
    return searchOne(value) & mask;
  int32_t code;
  encode(value, 1.0f, 0.0f, 0.0f, &code);
  return uint32_t(code) & mask;
}

/// v rounded to an integer; |v| < 2^22.
template <TieRule rule>
static float roundSmall(float v) {
  const float magic = 12582912.0f; // 1.5 * 2^23: adding it leaves no fraction bits, half to even
  float r = (v + magic) - magic;
  float rest = v - r; // exact
  switch (rule) {
  case TieRule::Even:
    return r;
  case TieRule::Low:
    return rest == -0.5f ? r - 1.0f : r;
  case TieRule::Up:
    return rest == 0.5f ? r + 1.0f : r;
  case TieRule::Away:
    return rest == 0.5f && v > 0 ? r + 1.0f : rest == -0.5f && v < 0 ? r - 1.0f : r;
  }
  llvm_unreachable("covered switch");
}

template <TieRule rule, typename T>
static void roundSmallIntegers(const float *v, size_t count, float zero, float low, float high, int32_t bias,
                               int32_t nan, T *codes) {
  for (size_t i = 0; i < count; ++i) {
    float x = v[i];
    x = x < -1048576.0f ? -1048576.0f : x;
    x = x > 1048576.0f ? 1048576.0f : x;
    float r = roundSmall<rule>(x) + zero;
    r = r < low ? low : r;
    r = r > high ? high : r;
    r = x == x ? r : 0.0f;
    int32_t code = int32_t(r) + bias;
    codes[i] = T(x == x ? code : nan);
  }
}

template <typename T>
void NearestCode::roundIntegers(const float *v, size_t count, float zero, T *codes) const {
  if (bits <= 16) {
    auto run = [&](auto *fn) { fn(v, count, zero, float(low), float(high), int32_t(bias), int32_t(nanCode), codes); };
    switch (TieRule(tie)) {
    case TieRule::Even:
      return run(roundSmallIntegers<TieRule::Even, T>);
    case TieRule::Low:
      return run(roundSmallIntegers<TieRule::Low, T>);
    case TieRule::Up:
      return run(roundSmallIntegers<TieRule::Up, T>);
    case TieRule::Away:
      return run(roundSmallIntegers<TieRule::Away, T>);
    }
  }
  for (size_t i = 0; i < count; ++i) {
    double x = v[i], down = std::floor(x), rest = x - down;
    bool up = rest > 0.5 || (rest == 0.5 && (TieRule(tie) == TieRule::Up || (TieRule(tie) == TieRule::Away && x > 0) ||
                                             (TieRule(tie) == TieRule::Even && std::fmod(down, 2.0) != 0)));
    double r = std::clamp((up ? down + 1 : down) + double(zero), double(low), double(high));
    codes[i] = std::isnan(x) ? T(int32_t(nanCode)) : T(int64_t(r) + bias);
  }
}

template <typename T>
void NearestCode::searchCodes(const float *v, size_t count, T *codes) const {
  if (!firstRank.empty() || method == Method::Convert) {
    for (size_t i = 0; i < count; ++i)
      codes[i] = T(method == Method::Convert ? convertFloat(v[i]) : searchOne(v[i]));
    return;
  }
  int32_t rank[kStep] = {};
  float magnitude[kStep];
  uint32_t clearSign = signBit ? 0x7fffffffu : 0xffffffffu;
  for (size_t i = 0; i < count; ++i)
    magnitude[i] = llvm::bit_cast<float>(llvm::bit_cast<uint32_t>(v[i]) & clearSign);
  for (float threshold : thresholds)
    for (size_t i = 0; i < count; ++i)
      rank[i] += magnitude[i] >= threshold;
  for (size_t i = 0; i < count; ++i) {
    uint32_t code = uint32_t(codeOfRank[rank[i]]) | (std::signbit(v[i]) ? signBit : 0);
    codes[i] = T(std::isnan(v[i]) ? nanCode : code);
  }
}

template <typename T>
void NearestCode::encodeRun(ArrayRef<float> x, float scale, float zero, float offset, T *codes) const {
  float v[kStep];
  for (size_t begin = 0; begin < x.size(); begin += kStep) {
    size_t count = std::min(kStep, x.size() - begin);
    const float *in = x.data() + begin;
    for (size_t i = 0; i < count; ++i)
      v[i] = scale == 0 ? (in[i] == in[i] ? 0.0f : in[i]) : (in[i] - offset) / scale;
    if (method == Method::Integer) {
      for (size_t i = 0; !hasNaNCode && i < count; ++i)
        v[i] = v[i] == v[i] ? v[i] : 0.0f; // NaN reads back as zero, whose code is the zero point
      roundIntegers(v, count, zero, codes + begin);
      continue;
    }
    if (zero != 0)
      for (size_t i = 0; i < count; ++i)
        v[i] += zero;
    searchCodes(v, count, codes + begin);
  }
}

void NearestCode::encode(ArrayRef<float> x, float scale, float zero, float offset, int8_t *codes) const {
  encodeRun(x, scale, zero, offset, codes);
}
void NearestCode::encode(ArrayRef<float> x, float scale, float zero, float offset, int16_t *codes) const {
  encodeRun(x, scale, zero, offset, codes);
}
void NearestCode::encode(ArrayRef<float> x, float scale, float zero, float offset, int32_t *codes) const {
  encodeRun(x, scale, zero, offset, codes);
}
