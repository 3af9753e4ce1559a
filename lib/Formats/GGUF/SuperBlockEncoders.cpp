// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Super-blocks: small blocks are fitted one by one, their scales (and minima) are encoded under those of the
// super-block, and the codes are rounded again under what was stored.
#include "lib/Formats/GGUF/Encoders.h"
#include "lib/Formats/GGUF/Fits.h"
#include <algorithm>
#include <cmath>

using namespace mlir::qtensor;
using namespace mlir::qtensor::gguf;

static constexpr size_t kSuperBlock = 256;

//===----------------------------------------------------------------------===//
// Affine: x = d * scale * code - dmin * minimum
//===----------------------------------------------------------------------===//

namespace {
/// Components of the affine formats, in the order of their encoding.
enum AffinePart { Codes, ScaleCodes, ScaleRoot, MinimumCodes, MinimumRoot };

struct AffineRule {
  size_t blockSize;
  int highestScale;      ///< Largest code of a scale or minimum.
  bool weightByRms;      ///< Weights are rms + |x|, else |x|.
  AffineSearch search;
};
} // namespace

/// Codes of non-negative `values` under their largest; the root is stored as f16.
static void encodeRoots(ArrayRef<float> values, int highest, llvm::MutableArrayRef<int32_t> codes, int32_t &root) {
  float largest = std::max(0.0f, *std::max_element(values.begin(), values.end()));
  float inverse = largest > 0 ? float(highest) / largest : 0.0f;
  for (size_t i = 0; i < values.size(); ++i)
    codes[i] = std::min(highest, int(uint8_t(roundToInt(inverse * values[i]))));
  root = halfOfFloat(largest / float(highest));
}

static void computeWeights(ArrayRef<float> x, bool byRms, llvm::MutableArrayRef<float> weights) {
  float base = 0;
  if (byRms) {
    float squares = 0;
    for (float v : x)
      squares += v * v;
    base = std::sqrt(squares / float(x.size()));
  }
  for (size_t i = 0; i < x.size(); ++i)
    weights[i] = base + std::fabs(x[i]);
}

static void encodeAffine(ArrayRef<float> x, const AffineRule &rule, RecordCodes out) {
  size_t size = rule.blockSize, count = kSuperBlock / size;
  float scales[16], minima[16], weights[32];
  for (size_t block = 0; block < count; ++block) {
    ArrayRef<float> part = x.slice(block * size, size);
    computeWeights(part, rule.weightByRms, llvm::MutableArrayRef<float>(weights, size));
    AffineFit fit = fitAffine(part, {weights, size}, rule.search, out[Codes].slice(block * size, size));
    scales[block] = fit.scale;
    minima[block] = fit.minimum;
  }
  encodeRoots({scales, count}, rule.highestScale, out[ScaleCodes], out[ScaleRoot][0]);
  encodeRoots({minima, count}, rule.highestScale, out[MinimumCodes], out[MinimumRoot][0]);
  float root = floatOfHalf(uint16_t(out[ScaleRoot][0])), minimumRoot = floatOfHalf(uint16_t(out[MinimumRoot][0]));
  for (size_t block = 0; block < count; ++block) {
    float scale = root * float(out[ScaleCodes][block]), minimum = minimumRoot * float(out[MinimumCodes][block]);
    if (scale == 0)
      continue; // the codes of the fit stay
    for (size_t i = block * size; i < (block + 1) * size; ++i)
      out[Codes][i] = std::clamp(roundToInt((x[i] + minimum) / scale), 0, rule.search.limit);
  }
}

void gguf::encodeQ2_K(ArrayRef<float> x, RecordCodes out) {
  encodeAffine(x, {16, 15, false, {3, -0.5f, 0.1f, 15, true}}, out);
}
void gguf::encodeQ4_K(ArrayRef<float> x, RecordCodes out) {
  encodeAffine(x, {32, 63, true, {15, -1.0f, 0.1f, 20, false}}, out);
}
void gguf::encodeQ5_K(ArrayRef<float> x, RecordCodes out) {
  encodeAffine(x, {32, 63, true, {31, -0.5f, 0.1f, 15, false}}, out);
}

//===----------------------------------------------------------------------===//
// Symmetric: x = d * scale * (code - limit)
//===----------------------------------------------------------------------===//

/// Rounds again under the stored scale of each block of 16.
static void roundSymmetric(ArrayRef<float> x, float root, int limit, int scaleBias, RecordCodes out) {
  for (size_t block = 0; block < kSuperBlock / 16; ++block) {
    float scale = root * float(out[1][block] - scaleBias);
    if (scale == 0)
      continue;
    for (size_t i = block * 16; i < (block + 1) * 16; ++i)
      out[0][i] = std::clamp(roundToInt(x[i] / scale), -limit, limit - 1) + limit;
  }
}

void gguf::encodeQ3_K(ArrayRef<float> x, RecordCodes out) {
  float scales[16];
  for (size_t block = 0; block < 16; ++block)
    scales[block] = fitSymmetricByCodes(x.slice(block * 16, 16), 4, out[0].slice(block * 16, 16));
  float peak = findPeak(scales);
  for (size_t block = 0; block < 16; ++block)
    out[1][block] = peak != 0 ? std::clamp(roundToInt(-32.0f / peak * scales[block]), -32, 31) + 32 : 0;
  out[2][0] = halfOfFloat(peak != 0 ? 1 / (-32.0f / peak) : 0.0f);
  roundSymmetric(x, floatOfHalf(uint16_t(out[2][0])), 4, 32, out);
}

void gguf::encodeQ6_K(ArrayRef<float> x, RecordCodes out) {
  float scales[16];
  for (size_t block = 0; block < 16; ++block)
    scales[block] = fitSymmetric(x.slice(block * 16, 16), 32, out[0].slice(block * 16, 16));
  float peak = findPeak(scales);
  if (std::fabs(peak) < 1e-15f) {
    std::fill(out[0].begin(), out[0].end(), 0);
    return;
  }
  float inverse = -128.0f / peak;
  for (size_t block = 0; block < 16; ++block)
    out[1][block] = std::min(127, roundToInt(inverse * scales[block]));
  out[2][0] = halfOfFloat(1 / inverse);
  roundSymmetric(x, floatOfHalf(uint16_t(out[2][0])), 32, 0, out);
}
