// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Searches for the scale of a small block. Sums run in f32 in ascending order: their roundings decide which of two
// nearly equal scales wins, and so belong to the format.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include <cstdint>

namespace mlir::qtensor::gguf {
using llvm::ArrayRef;
using llvm::MutableArrayRef;

/// Nearest integer, half to even; |v| < 2^22.
int roundToInt(float v);

/// The value of largest magnitude, the first of several.
float findPeak(ArrayRef<float> x);

/// A scale for codes in [-limit, limit) by weighted least squares, weights x^2, over 19 trial scales. `codes` are
/// shifted to [0, 2 limit).
float fitSymmetric(ArrayRef<float> x, int limit, MutableArrayRef<int32_t> codes);

/// The same by up to five rounds of changing single codes.
float fitSymmetricByCodes(ArrayRef<float> x, int limit, MutableArrayRef<int32_t> codes);

struct AffineFit {
  float scale, minimum; ///< x ~ scale * code - minimum, both not negative.
};
struct AffineSearch {
  int limit;         ///< Codes are 0..limit.
  float first, step; ///< Trial scales are (limit + first + i * step) / range, i = 0..steps.
  int steps;
  bool absolute;     ///< Compare by absolute instead of squared errors.
};
AffineFit fitAffine(ArrayRef<float> x, ArrayRef<float> weights, const AffineSearch &search,
                    MutableArrayRef<int32_t> codes);
} // namespace mlir::qtensor::gguf
