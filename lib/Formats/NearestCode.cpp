// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The code nearest to a value. Integers are rounded by arithmetic; every other codec of at most 16 bits by its
// thresholds, turned once into floats such that `v >= threshold` alone decides, ties included. The loops are in Lanes.
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "lib/Formats/Lanes.h"
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

/// Up to so many thresholds all are compared, and up to so many where no table can be made; else a value's upper bits
/// are looked up.
constexpr size_t kFewThresholds = 15, kManyThresholds = 40;

/// Order of floats as unsigned integers.
uint32_t orderedBits(float value) {
  uint32_t u = llvm::bit_cast<uint32_t>(value);
  return u & 0x80000000u ? ~u : u | 0x80000000u;
}

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

NearestCode::NearestCode(CodecAttr codec)
    : range(getCodecRange(codec)), tie(unsigned(codec.getTie())), bits(codec.getBits()) {
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

const NearestCode &NearestCodes::get(CodecAttr codec) {
  std::lock_guard<std::mutex> lock(mutex);
  std::unique_ptr<NearestCode> &code = known[codec.getAsOpaquePointer()];
  if (!code)
    code = std::make_unique<NearestCode>(codec);
  return *code;
}

void NearestCode::buildThresholds(CodecAttr codec) {
  // A sign bit and a symmetric tie rule: round the magnitude and copy the sign, which also keeps -0.
  bool symmetric = codec.getKind() == CodecKind::Float && codec.getHasSign() &&
                   (codec.getTie() == TieRule::Even || codec.getTie() == TieRule::Away);
  signBit = symmetric ? 1u << (bits - 1) : 0;
  SmallVector<Entry> entries = sortedEntries(codec, symmetric);
  for (size_t i = 0; i < entries.size(); ++i) {
    codeOfRank.push_back(toContainer(codec, entries[i].code));
    valueOfRank.push_back(float(entries[i].value));
    if (i > 0)
      codeSteps.push_back(codeOfRank[i] - codeOfRank[i - 1]);
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
  if (thresholds.size() > kFewThresholds && bits <= 15)
    buildRanks();
}

/// As few upper bits as leave one threshold to an entry: the table should stay near the processor.
void NearestCode::buildRanks() {
  auto place = [](float threshold) { return orderedBits(threshold == 0 ? -0.0f : threshold); }; // -0 >= +0
  auto isShared = [&](unsigned shift) {
    auto clash = [&](float a, float b) { return place(a) >> shift == place(b) >> shift; };
    return std::adjacent_find(thresholds.begin(), thresholds.end(), clash) != thresholds.end();
  };
  rankShift = 22;
  while (rankShift >= 16 && isShared(rankShift))
    --rankShift;
  if (rankShift < 16)
    return;
  uint32_t rank = 0;
  for (uint32_t upper = 0; upper < (1u << (32 - rankShift)); ++upper) {
    uint32_t first = upper << rankShift, entry = (rank << rankShift) - first;
    if (rank < thresholds.size() && place(thresholds[rank]) >> rankShift == upper) {
      entry += (1u << rankShift) - (place(thresholds[rank]) - first); // carries from the threshold on
      ++rank;
    }
    ranks.push_back(entry);
  }
}

uint32_t NearestCode::searchOne(float value) const {
  if (std::isnan(value))
    return nanCode;
  float magnitude = signBit ? std::fabs(value) : value;
  size_t rank = std::upper_bound(thresholds.begin(), thresholds.end(), magnitude) - thresholds.begin();
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
  if (bits > 16)
    return uint32_t(roundWide(value, 0.0f)) & mask;
  int16_t code;
  encode(value, 1.0f, 0.0f, 0.0f, &code);
  return uint32_t(code) & mask;
}

std::optional<LaneRule> NearestCode::getLaneRule() const {
  LaneRule rule;
  rule.nan = int32_t(nanCode);
  if (method == Method::Integer && bits <= 16) {
    rule.integer = true;
    rule.tie = tie;
    rule.low = float(low);
    rule.high = float(high);
    rule.bias = int32_t(bias);
    rule.nanIsZero = !hasNaNCode; // NaN reads back as zero, whose code is the zero point
    return rule;
  }
  if (method != Method::Thresholds || (thresholds.size() > kManyThresholds && ranks.empty()))
    return std::nullopt;
  rule.signBit = signBit;
  rule.ranks = ranks;
  rule.rankShift = rankShift;
  rule.codeOfRank = codeOfRank;
  rule.thresholds = thresholds;
  rule.firstCode = codeOfRank.front();
  rule.codeSteps = codeSteps;
  rule.unitSteps = llvm::all_of(codeSteps, [](int32_t step) { return step == 1; });
  rule.firstValue = valueOfRank.front();
  rule.values = llvm::ArrayRef(valueOfRank).drop_front();
  return rule;
}

/// Integers of more than 16 bits: in f64, which holds all of them.
int64_t NearestCode::roundWide(float value, float zero) const {
  if (std::isnan(value) && hasNaNCode)
    return int32_t(nanCode);
  double x = std::isnan(value) ? 0 : value, down = std::floor(x), rest = x - down;
  bool up = rest > 0.5 || (rest == 0.5 && (TieRule(tie) == TieRule::Up || (TieRule(tie) == TieRule::Away && x > 0) ||
                                           (TieRule(tie) == TieRule::Even && std::fmod(down, 2.0) != 0)));
  return int64_t(std::clamp((up ? down + 1 : down) + double(zero), double(low), double(high))) + bias;
}

template <typename T>
void NearestCode::encodeRun(ArrayRef<float> x, float scale, float zero, float offset, T *codes) const {
  for (auto [value, code] : llvm::zip_equal(x, MutableArrayRef<T>(codes, x.size()))) {
    float v = scale == 0 ? (value == value ? 0.0f : value) : (value - offset) / scale;
    if (method == Method::Integer) {
      code = T(roundWide(v, zero));
      continue;
    }
    v = zero != 0 ? v + zero : v; // +0 would change -0
    code = T(method == Method::Convert ? convertFloat(v) : searchOne(v));
  }
}

template <typename T>
void NearestCode::encodeCells(ArrayRef<float> x, size_t block, const CellNumbersOf &cells, T *codes) const {
  if constexpr (sizeof(T) <= 2)
    if (std::optional<LaneRule> rule = getLaneRule())
      return encodeLanes(*rule, x, block, cells, codes);
  bool plain = cells.scale.step + cells.zero.step + cells.offset.step == 0 && *cells.scale.first == 1 &&
               *cells.zero.first == 0 && *cells.offset.first == 0;
  if constexpr (sizeof(T) == 2)
    if (isHalf && plain)
      return halvesOfFloats(x, reinterpret_cast<uint16_t *>(codes));
  auto at = [](CellNumbers numbers, size_t cell) { return numbers.first[cell * numbers.step]; };
  for (size_t begin = 0, cell = 0; begin < x.size(); begin += block, ++cell)
    encodeRun(x.slice(begin, std::min(block, x.size() - begin)), at(cells.scale, cell), at(cells.zero, cell),
              at(cells.offset, cell), codes + begin);
}
template void NearestCode::encodeCells(ArrayRef<float>, size_t, const CellNumbersOf &, int8_t *) const;
template void NearestCode::encodeCells(ArrayRef<float>, size_t, const CellNumbersOf &, int16_t *) const;
template void NearestCode::encodeCells(ArrayRef<float>, size_t, const CellNumbersOf &, int32_t *) const;

void NearestCode::encode(ArrayRef<float> x, float scale, float zero, float offset, int8_t *codes) const {
  encodeCells(x, std::max<size_t>(1, x.size()), {{&scale, 0}, {&zero, 0}, {&offset, 0}}, codes);
}
void NearestCode::encode(ArrayRef<float> x, float scale, float zero, float offset, int16_t *codes) const {
  encodeCells(x, std::max<size_t>(1, x.size()), {{&scale, 0}, {&zero, 0}, {&offset, 0}}, codes);
}
void NearestCode::encode(ArrayRef<float> x, float scale, float zero, float offset, int32_t *codes) const {
  encodeCells(x, std::max<size_t>(1, x.size()), {{&scale, 0}, {&zero, 0}, {&offset, 0}}, codes);
}
