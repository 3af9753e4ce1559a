// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Formats/GGUF/Fits.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/bit.h"
#include <algorithm>
#include <cmath>

using namespace mlir::qtensor::gguf;

/// Blocks whose largest magnitude is below this are all zero.
static constexpr float kZeroBlock = 1e-15f;

int mlir::qtensor::gguf::roundToInt(float v) {
  return int(llvm::bit_cast<uint32_t>(v + 12582912.0f) & 0x7fffff) - 0x400000;
}

float mlir::qtensor::gguf::findPeak(ArrayRef<float> x) {
  float peak = 0;
  for (float v : x)
    if (std::fabs(v) > std::fabs(peak))
      peak = v;
  return peak;
}

namespace {
/// Weighted products of values with codes.
struct Sums {
  float xl = 0, ll = 0;
  void add(float weight, float x, int code) {
    xl += weight * x * float(code);
    ll += weight * float(code) * float(code);
  }
};
} // namespace

static int clampCode(float v, int limit) { return std::clamp(roundToInt(v), -limit, limit - 1); }

float mlir::qtensor::gguf::fitSymmetric(ArrayRef<float> x, int limit, MutableArrayRef<int32_t> codes) {
  float peak = findPeak(x);
  std::fill(codes.begin(), codes.end(), 0);
  if (std::fabs(peak) < kZeroBlock)
    return 0;
  float scale = 0, best = 0;
  auto attempt = [&](float inverse, bool isFirst) {
    Sums sums;
    for (float v : x)
      sums.add(v * v, v, clampCode(inverse * v, limit));
    if (!isFirst && !(sums.ll > 0 && sums.xl * sums.xl > best * sums.ll))
      return;
    scale = sums.ll != 0 ? sums.xl / sums.ll : 0.0f;
    best = scale * sums.xl;
    for (size_t i = 0; i < x.size(); ++i)
      codes[i] = limit + clampCode(inverse * x[i], limit);
  };
  attempt(-float(limit) / peak, true);
  for (int trial = -9; trial <= 9; ++trial)
    if (trial != 0)
      attempt(-(float(limit) + 0.1f * float(trial)) / peak, false);
  return scale;
}

/// Moves every code to the best one given all others; true when one moved.
static bool improveCodes(ArrayRef<float> x, int limit, MutableArrayRef<int32_t> codes, Sums &sums) {
  bool changed = false;
  for (size_t i = 0; i < x.size(); ++i) {
    float weight = x[i] * x[i];
    Sums moved = sums;
    moved.xl -= weight * x[i] * float(codes[i]);
    if (!(moved.xl > 0))
      continue;
    moved.ll -= weight * float(codes[i]) * float(codes[i]);
    int code = clampCode(x[i] * moved.ll / moved.xl, limit);
    if (code == codes[i])
      continue;
    moved.add(weight, x[i], code);
    if (moved.ll > 0 && moved.xl * moved.xl * sums.ll > sums.xl * sums.xl * moved.ll) {
      codes[i] = code;
      sums = moved;
      changed = true;
    }
  }
  return changed;
}

float mlir::qtensor::gguf::fitSymmetricByCodes(ArrayRef<float> x, int limit, MutableArrayRef<int32_t> codes) {
  float peak = findPeak(x);
  std::fill(codes.begin(), codes.end(), 0);
  if (std::fabs(peak) < kZeroBlock)
    return 0;
  float inverse = -float(limit) / peak;
  Sums sums;
  for (size_t i = 0; i < x.size(); ++i) {
    codes[i] = clampCode(inverse * x[i], limit);
    sums.add(x[i] * x[i], x[i], codes[i]);
  }
  for (int round = 0; round < 5 && improveCodes(x, limit, codes, sums); ++round) {
  }
  for (int32_t &code : codes)
    code += limit;
  return sums.ll > 0 ? sums.xl / sums.ll : 0.0f;
}

namespace {
struct Candidate {
  float scale, minimum;
};
} // namespace

/// Weighted error of `codes` under a candidate.
static float measure(ArrayRef<float> x, ArrayRef<float> weights, ArrayRef<int32_t> codes, Candidate c, bool absolute) {
  float error = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    float diff = c.scale * float(codes[i]) + c.minimum - x[i];
    error += weights[i] * (absolute ? std::fabs(diff) : diff * diff);
  }
  return error;
}

/// The least-squares line through (code, x); minimum at most 0. False where all codes are the same.
static bool regress(ArrayRef<float> x, ArrayRef<float> weights, ArrayRef<int32_t> codes, float sumW, float sumX,
                    Candidate &c) {
  float sumL = 0, sumLL = 0, sumXL = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    float w = weights[i], l = float(codes[i]);
    sumL += w * l;
    sumLL += w * l * l;
    sumXL += w * l * x[i];
  }
  float determinant = sumW * sumLL - sumL * sumL;
  if (!(determinant > 0))
    return false;
  c = {(sumW * sumXL - sumX * sumL) / determinant, (sumLL * sumX - sumL * sumXL) / determinant};
  if (c.minimum > 0)
    c = {sumXL / sumLL, 0};
  return true;
}

AffineFit mlir::qtensor::gguf::fitAffine(ArrayRef<float> x, ArrayRef<float> weights, const AffineSearch &search,
                                         MutableArrayRef<int32_t> codes) {
  float low = x[0], high = x[0], sumW = weights[0], sumX = sumW * x[0];
  for (size_t i = 1; i < x.size(); ++i) {
    low = std::min(low, x[i]);
    high = std::max(high, x[i]);
    sumW += weights[i];
    sumX += weights[i] * x[i];
  }
  low = std::min(low, 0.0f);
  std::fill(codes.begin(), codes.end(), 0);
  if (high == low)
    return {0, -low};
  auto roundAll = [&](float inverse, float minimum, MutableArrayRef<int32_t> into) {
    for (size_t i = 0; i < x.size(); ++i)
      into[i] = std::clamp(roundToInt(inverse * (x[i] - minimum)), 0, search.limit);
  };
  float inverse = float(search.limit) / (high - low);
  roundAll(inverse, low, codes);
  Candidate best{1 / inverse, low};
  float bestError = measure(x, weights, codes, best, search.absolute);
  llvm::SmallVector<int32_t, 32> trial(x.size());
  for (int step = 0; step <= search.steps; ++step) {
    // Trials measure from the best minimum so far.
    inverse = (search.first + search.step * float(step) + float(search.limit)) / (high - best.minimum);
    roundAll(inverse, best.minimum, trial);
    Candidate candidate;
    if (!regress(x, weights, trial, sumW, sumX, candidate))
      continue;
    float error = measure(x, weights, trial, candidate, search.absolute);
    if (error < bestError) {
      std::copy(trial.begin(), trial.end(), codes.begin());
      best = candidate;
      bestError = error;
    }
  }
  return {best.scale, -best.minimum};
}
