// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops over values, sixteen at a time, compiled for several processor levels and chosen when they are first called.
// Every lane does what the scalar rule says, each step rounded, so the bits depend on neither level nor lane.
#pragma once
#include "mlir/Support/LLVM.h"
#include "qtensor/Codec.h"
#include "llvm/ADT/ArrayRef.h"
#include <cstdint>

namespace mlir::qtensor {

/// How a quotient becomes a code: by rounding to integers, by counting thresholds, or by a table of ranks.
struct LaneRule {
  bool integer = false;
  // Integers: |low|, |high| < 2^20.
  unsigned tie = 0;
  float low = 0, high = 0;
  int32_t bias = 0;       ///< What is added to a rounded value to make its code.
  bool nanIsZero = false; ///< NaN is rounded as 0 is; else it takes `nan`.
  // Thresholds: a value v has rank #{t : v >= t}, of |v| where there is a sign bit.
  uint32_t signBit = 0;
  ArrayRef<float> thresholds;
  int32_t firstCode = 0;
  ArrayRef<int32_t> codeSteps; ///< From the code of a rank to that of the next.
  bool unitSteps = false;      ///< All of them are 1.
  float firstValue = 0;
  ArrayRef<float> values; ///< Behind each threshold.
  // A table, where thresholds are many. With `o` the bits of a value (magnitude) in the order of floats, its rank is
  // (ranks[o >> rankShift] + o) >> rankShift modulo 2^32: among the values of an entry there is at most one threshold, and
  // from there on the sum carries.
  ArrayRef<uint32_t> ranks;
  unsigned rankShift = 0;
  ArrayRef<int32_t> codeOfRank;

  int32_t nan = 0;
};

/// One number a cell, or the same for all (step 0).
struct CellNumbers {
  const float *first;
  size_t step;
};
struct CellNumbersOf {
  CellNumbers scale, zero, offset;
};

/// Codes of `x`, whose cells are `block` long: (x - offset) / scale, rounded, plus zero. A scale of 0 gives the code of
/// `zero` for every element that is no NaN.
void encodeLanes(const LaneRule &rule, ArrayRef<float> x, size_t block, const CellNumbersOf &cells, int8_t *codes);
void encodeLanes(const LaneRule &rule, ArrayRef<float> x, size_t block, const CellNumbersOf &cells, int16_t *codes);

/// Smallest and largest value of each cell, less its offset, extended into `low` and `high`. False when an element is
/// no finite number: nothing may be concluded then.
bool extendRanges(ArrayRef<float> x, size_t block, CellNumbers offset, float *low, float *high);

/// How many candidates sumSquares judges at once.
inline constexpr size_t kCandidates = 32;
/// One cell under each of several parameters: sums of (x - decoded)^2 in f64, x ascending, of finite errors only.
struct Candidates {
  float scale[kCandidates], zero[kCandidates], offset[kCandidates];
  double sum[kCandidates];
};
void sumSquares(const LaneRule &rule, ArrayRef<float> x, Candidates &candidates);

/// f16 bits of the nearest value, half to even, and back.
void halvesOfFloats(ArrayRef<float> values, uint16_t *halves);
void floatsOfHalves(ArrayRef<uint16_t> halves, float *values);
/// The same for little-endian numbers in a file, aligned or not; and for bf16.
void readHalves(const char *bytes, size_t count, float *values);
void readBrains(const char *bytes, size_t count, float *values);

} // namespace mlir::qtensor
