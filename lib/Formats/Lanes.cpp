// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Formats/Lanes.h"
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "qtensor/RecordEncoder.h"
#include "llvm/Support/Endian.h"
#include <algorithm>
#include <cstring>
#include <limits>

// Clones are chosen by the dynamic linker; elsewhere the loops are compiled once, for the processor of the build.
#if defined(__x86_64__) && defined(__linux__) && defined(__has_attribute)
#if __has_attribute(target_clones)
#define QTENSOR_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#endif
#endif
#ifndef QTENSOR_CLONES
#define QTENSOR_CLONES
#endif
#define QTENSOR_INLINE static inline __attribute__((always_inline))

using namespace mlir;
using namespace mlir::qtensor;

namespace {
constexpr size_t kLanes = 16;
using Floats = float __attribute__((vector_size(4 * kLanes)));
using Ints = int32_t __attribute__((vector_size(4 * kLanes)));
using Doubles = double __attribute__((vector_size(8 * kLanes)));
template <typename T>
struct Codes {
  using type __attribute__((vector_size(sizeof(T) * kLanes))) = T;
};
} // namespace

QTENSOR_INLINE Floats load(const float *from) {
  Floats v;
  std::memcpy(&v, from, sizeof(v));
  return v;
}

/// Without an addition, which would lose the sign of -0.
QTENSOR_INLINE Floats splat(float value) {
  Floats v;
  for (size_t i = 0; i < kLanes; ++i)
    v[i] = value;
  return v;
}

QTENSOR_INLINE Floats select(Ints mask, Floats yes, Floats no) { return (Floats)((mask & (Ints)yes) | (~mask & (Ints)no)); }

/// v rounded to an integer; |v| < 2^22.
QTENSOR_INLINE Floats roundSmall(Floats v, TieRule tie) {
  const float magic = 12582912.0f; // 1.5 * 2^23: adding it leaves no fraction bits, half to even
  Floats r = (v + magic) - magic, one = Floats{} + 1.0f;
  if (tie == TieRule::Even)
    return r;
  Floats rest = v - r; // exact
  Ints up = rest == 0.5f, down = rest == -0.5f;
  if (tie == TieRule::Away) {
    up &= v > 0.0f;
    down &= v < 0.0f;
  }
  if (tie != TieRule::Low)
    r += (Floats)(up & (Ints)one);
  if (tie != TieRule::Up)
    r -= (Floats)(down & (Ints)one);
  return r;
}

/// Rounded, moved by `zero` and saturated.
QTENSOR_INLINE Floats roundToRange(const LaneRule &rule, Floats v, Floats zero) {
  Floats least = Floats{} - 1048576.0f, most = Floats{} + 1048576.0f;
  v = select(v < least, least, v);
  v = select(v > most, most, v);
  Floats r = roundSmall(v, TieRule(rule.tie)) + zero;
  r = select(r < rule.low, Floats{} + rule.low, r);
  return select(r > rule.high, Floats{} + rule.high, r);
}

/// Up to fifteen thresholds, filled up with NaN, which nothing reaches.
struct Thresholds {
  static constexpr size_t kMost = 15;
  bool used;
  Floats of[kMost];
};

QTENSOR_INLINE Thresholds spreadThresholds(const LaneRule &rule) {
  Thresholds all;
  all.used = rule.unitSteps && rule.thresholds.size() > 4 && rule.thresholds.size() <= Thresholds::kMost;
  for (size_t i = 0; all.used && i < Thresholds::kMost; ++i)
    all.of[i] = splat(i < rule.thresholds.size() ? rule.thresholds[i] : std::numeric_limits<float>::quiet_NaN());
  return all;
}

/// How many thresholds v reaches, by halving: each comparison leaves half of those that may be next.
QTENSOR_INLINE Ints countReached(const Thresholds &t, Floats v) {
  Ints upper = v >= t.of[7];
  Floats next[7];
  for (size_t i = 0; i < 7; ++i)
    next[i] = upper ? t.of[i + 8] : t.of[i];
  Ints second = v >= next[3];
  Floats last[3];
  for (size_t i = 0; i < 3; ++i)
    last[i] = second ? next[i + 4] : next[i];
  Ints third = v >= last[1], fourth = v >= (third ? last[2] : last[0]);
  return -(8 * upper + 4 * second + 2 * third + fourth);
}

QTENSOR_INLINE Ints codesOf(const LaneRule &rule, const Thresholds &thresholds, Floats v, Floats zero) {
  if (rule.integer) {
    if (rule.nanIsZero)
      v = select(v == v, v, Floats{});
    Floats r = roundToRange(rule, v, zero);
    Ints number = v == v; // converting NaN is undefined
    Ints code = __builtin_convertvector(select(number, r, Floats{}), Ints) + rule.bias;
    return (number & code) | (~number & rule.nan);
  }
  v += zero;
  Floats magnitude = rule.signBit ? (Floats)((Ints)v & 0x7fffffff) : v;
  Ints code = Ints{} + rule.firstCode;
  if (thresholds.used)
    code += countReached(thresholds, magnitude);
  else if (rule.unitSteps)
    for (float threshold : rule.thresholds)
      code -= magnitude >= threshold;
  else
    for (size_t i = 0; i < rule.thresholds.size(); ++i)
      code += (magnitude >= rule.thresholds[i]) & rule.codeSteps[i];
  if (rule.signBit)
    code |= ((Ints)v < 0) & int32_t(rule.signBit);
  Ints number = v == v;
  return (number & code) | (~number & rule.nan);
}

QTENSOR_INLINE Floats quotients(Floats x, float scale, float offset) {
  return scale == 0 ? select(x == x, Floats{}, x) : (x - offset) / scale;
}

constexpr size_t kRun = 256;

namespace {
/// Up to kRun quotients on their way through the table of ranks.
struct Run {
  alignas(64) uint32_t bits[kRun];   ///< Of quotients in the order of floats, or of their magnitudes.
  alignas(64) uint32_t signs[kRun];  ///< All bits those of the sign, where `bits` are of magnitudes.
  alignas(64) uint16_t places[kRun]; ///< Where `found` is from.
  alignas(64) uint32_t found[kRun];
};
} // namespace

/// Fills bits, places and with `magnitudes` signs; true when all quotients are numbers. `count` may end inside a
/// vector; whole vectors are written.
QTENSOR_INLINE bool orderQuotients(const LaneRule &rule, const float *x, size_t count, float scale, float offset,
                                   Floats zero, bool magnitudes, Run &run) {
  using Places = typename Codes<uint16_t>::type;
  using Bits = uint32_t __attribute__((vector_size(4 * kLanes)));
  Ints numbers = Ints{} - 1;
  for (size_t i = 0; i < count; i += kLanes) {
    Floats values{};
    if (i + kLanes <= count)
      values = load(x + i);
    else
      std::memcpy(&values, x + i, (count - i) * sizeof(float));
    Floats v = quotients(values, scale, offset) + zero;
    numbers &= v == v;
    Ints raw = (Ints)v, sign = raw >> 31;
    // Of negative numbers all bits change.
    Bits ordered = (Bits)(magnitudes ? raw | int32_t(0x80000000) : raw ^ (sign | int32_t(0x80000000)));
    Places places = __builtin_convertvector(ordered >> rule.rankShift, Places);
    std::memcpy(run.bits + i, &ordered, sizeof(ordered));
    std::memcpy(run.places + i, &places, sizeof(places));
    if (magnitudes)
      std::memcpy(run.signs + i, &sign, sizeof(sign));
  }
  int32_t all = -1;
  for (size_t i = 0; i < kLanes; ++i)
    all &= numbers[i];
  return all != 0;
}

/// found[i] = table[places[i]], one load after the other: gathers take longer (Zen 4: 24 cycles for 16 of them). Four
/// places come in one load, two entries go in one store, for the accesses to memory are the bound. `count` is of whole
/// vectors.
QTENSOR_INLINE void lookUp(const uint32_t *table, size_t count, Run &run) {
#pragma clang loop vectorize(disable) unroll_count(4)
  for (size_t i = 0; i < count; i += 4) {
    uint64_t four;
    std::memcpy(&four, run.places + i, sizeof(four));
    uint64_t low = table[uint16_t(four)] | uint64_t(table[uint16_t(four >> 16)]) << 32;
    uint64_t high = table[uint16_t(four >> 32)] | uint64_t(table[four >> 48]) << 32;
    std::memcpy(run.found + i, &low, sizeof(low));
    std::memcpy(run.found + i + 2, &high, sizeof(high));
  }
}

/// Up to kRun values of one cell through the table of ranks: a lookup between vectors of arithmetic, and one more where
/// codes do not ascend one by one.
template <typename T>
QTENSOR_INLINE void encodeRun(const LaneRule &rule, const float *x, size_t count, float scale, float offset,
                              Floats zero, T *codes) {
  Run run;
  bool numbers = rule.signBit ? orderQuotients(rule, x, count, scale, offset, zero, true, run)
                              : orderQuotients(rule, x, count, scale, offset, zero, false, run);
  const size_t whole = (count + kLanes - 1) / kLanes * kLanes;
  const unsigned shift = rule.rankShift;
  const uint32_t first = uint32_t(rule.firstCode), signBit = rule.signBit;
  lookUp(rule.ranks.data(), whole, run);
  if (rule.unitSteps && !signBit) {
    for (size_t i = 0; i < count; ++i)
      codes[i] = T(((run.found[i] + run.bits[i]) >> shift) + first);
  } else {
    for (size_t i = 0; i < whole; ++i)
      run.places[i] = uint16_t((run.found[i] + run.bits[i]) >> shift);
    lookUp(reinterpret_cast<const uint32_t *>(rule.codeOfRank.data()), whole, run);
    for (size_t i = 0; i < count; ++i)
      codes[i] = T(signBit ? run.found[i] | (run.signs[i] & signBit) : run.found[i]);
  }
  for (size_t i = 0; i < count && !numbers; ++i) {
    float v = scale == 0 ? x[i] : (x[i] - offset) / scale + zero[0];
    if (v != v)
      codes[i] = T(rule.nan);
  }
}

template <typename T>
QTENSOR_INLINE void encodeCells(const LaneRule &rule, ArrayRef<float> x, size_t block, const CellNumbersOf &cells,
                                T *codes) {
  using Stored = typename Codes<T>::type;
  const Thresholds thresholds = spreadThresholds(rule);
  for (size_t begin = 0, cell = 0; begin < x.size(); begin += block, ++cell) {
    float scale = cells.scale.first[cell * cells.scale.step], offset = cells.offset.first[cell * cells.offset.step];
    float z = cells.zero.first[cell * cells.zero.step];
    Floats zero = splat(z == 0 ? -0.0f : z); // adding -0 changes nothing; adding +0 would change -0
    size_t end = std::min(begin + block, x.size()), i = begin;
    for (; !rule.ranks.empty() && i < end; i += kRun)
      encodeRun(rule, &x[i], std::min(kRun, end - i), scale, offset, zero, codes + i);
    for (; i + kLanes <= end; i += kLanes) {
      Stored stored =
          __builtin_convertvector(codesOf(rule, thresholds, quotients(load(&x[i]), scale, offset), zero), Stored);
      std::memcpy(codes + i, &stored, sizeof(stored));
    }
    if (i < end) {
      Floats rest{};
      std::memcpy(&rest, &x[i], (end - i) * sizeof(float));
      Stored stored = __builtin_convertvector(codesOf(rule, thresholds, quotients(rest, scale, offset), zero), Stored);
      std::memcpy(codes + i, &stored, (end - i) * sizeof(T));
    }
  }
}

QTENSOR_CLONES static void encodeBytes(const LaneRule &rule, ArrayRef<float> x, size_t block,
                                       const CellNumbersOf &cells, int8_t *codes) {
  encodeCells(rule, x, block, cells, codes);
}

QTENSOR_CLONES static void encodeShorts(const LaneRule &rule, ArrayRef<float> x, size_t block,
                                        const CellNumbersOf &cells, int16_t *codes) {
  encodeCells(rule, x, block, cells, codes);
}

void mlir::qtensor::encodeLanes(const LaneRule &rule, ArrayRef<float> x, size_t block, const CellNumbersOf &cells,
                                int8_t *codes) {
  encodeBytes(rule, x, block, cells, codes);
}

void mlir::qtensor::encodeLanes(const LaneRule &rule, ArrayRef<float> x, size_t block, const CellNumbersOf &cells,
                                int16_t *codes) {
  encodeShorts(rule, x, block, cells, codes);
}

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

/// The least, or with `most` the largest, of all lanes.
QTENSOR_INLINE float reduce(Floats v, bool most) {
  float lanes[kLanes];
  std::memcpy(lanes, &v, sizeof(v));
  for (size_t width = kLanes / 2; width > 0; width /= 2)
    for (size_t i = 0; i < width; ++i)
      lanes[i] = most ? std::max(lanes[i], lanes[i + width]) : std::min(lanes[i], lanes[i + width]);
  return lanes[0];
}

QTENSOR_CLONES static bool extendCells(ArrayRef<float> x, size_t block, CellNumbers offset, float *low, float *high) {
  Ints finite = Ints{} - 1;
  for (size_t begin = 0, cell = 0; begin < x.size(); begin += block, ++cell) {
    float shift = offset.first[cell * offset.step];
    Floats least = Floats{} + low[cell], most = Floats{} + high[cell];
    size_t end = std::min(begin + block, x.size()), i = begin;
    for (; i + kLanes <= end; i += kLanes) {
      Floats v = load(&x[i]) - shift;
      finite &= v - v == 0.0f;
      least = select(v < least, v, least);
      most = select(v > most, v, most);
    }
    low[cell] = reduce(least, false);
    high[cell] = reduce(most, true);
    for (; i < end; ++i) {
      float v = x[i] - shift;
      finite &= Ints{} - int32_t(v - v == 0);
      low[cell] = std::min(low[cell], v);
      high[cell] = std::max(high[cell], v);
    }
  }
  int32_t all = -1;
  for (size_t i = 0; i < kLanes; ++i)
    all &= finite[i];
  return all != 0;
}

bool mlir::qtensor::extendRanges(ArrayRef<float> x, size_t block, CellNumbers offset, float *low, float *high) {
  return extendCells(x, block, offset, low, high);
}

//===----------------------------------------------------------------------===//
// Errors of candidates
//===----------------------------------------------------------------------===//

/// What a quotient reads back as, before scale and offset.
QTENSOR_INLINE Floats decodedOf(const LaneRule &rule, Floats v, Floats zero) {
  if (rule.integer)
    return roundToRange(rule, v, zero) - zero;
  v += zero;
  Floats magnitude = rule.signBit ? (Floats)((Ints)v & 0x7fffffff) : v;
  Floats value = Floats{} + rule.firstValue;
  for (size_t i = 0; i < rule.thresholds.size(); ++i)
    value = select(magnitude >= rule.thresholds[i], Floats{} + rule.values[i], value);
  if (rule.signBit)
    value = (Floats)((Ints)value | ((Ints)v & int32_t(0x80000000)));
  return value - zero;
}

QTENSOR_CLONES static void sumSquaresOf(const LaneRule &rule, ArrayRef<float> x, Candidates &candidates) {
  for (size_t lane = 0; lane < kCandidates; lane += kLanes) {
    Floats scale = load(candidates.scale + lane), zero = load(candidates.zero + lane);
    Floats offset = load(candidates.offset + lane);
    Ints none = scale == 0.0f;
    Doubles sum{};
    for (float element : x) {
      Floats v = select(none, Floats{}, (element - offset) / scale);
      Floats decoded = scale * decodedOf(rule, v, zero) + offset;
      Doubles error = double(element) - __builtin_convertvector(decoded, Doubles);
      Doubles square = error * error;
      auto finite = error - error == 0.0;
      sum += (Doubles)((decltype(finite))square & finite);
    }
    std::memcpy(candidates.sum + lane, &sum, sizeof(sum));
  }
}

void mlir::qtensor::sumSquares(const LaneRule &rule, ArrayRef<float> x, Candidates &candidates) {
  sumSquaresOf(rule, x, candidates);
}

//===----------------------------------------------------------------------===//
// Halves
//===----------------------------------------------------------------------===//

QTENSOR_CLONES static void toHalves(const float *values, size_t count, uint16_t *halves) {
  for (size_t i = 0; i < count; ++i)
    halves[i] = halfOfFloat(values[i]);
}

QTENSOR_CLONES static void fromHalves(const uint16_t *halves, size_t count, float *values) {
  for (size_t i = 0; i < count; ++i)
    values[i] = floatOfHalf(halves[i]);
}

QTENSOR_CLONES void mlir::qtensor::readHalves(const char *bytes, size_t count, float *values) {
  for (size_t i = 0; i < count; ++i)
    values[i] = floatOfHalf(llvm::support::endian::read16le(bytes + 2 * i));
}

QTENSOR_CLONES void mlir::qtensor::readBrains(const char *bytes, size_t count, float *values) {
  for (size_t i = 0; i < count; ++i)
    values[i] = llvm::bit_cast<float>(uint32_t(llvm::support::endian::read16le(bytes + 2 * i)) << 16);
}

void mlir::qtensor::halvesOfFloats(ArrayRef<float> values, uint16_t *halves) {
  toHalves(values.data(), values.size(), halves);
}

void mlir::qtensor::floatsOfHalves(ArrayRef<uint16_t> halves, float *values) {
  fromHalves(halves.data(), halves.size(), values);
}
