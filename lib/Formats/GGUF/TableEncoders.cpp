// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Non-linear 4-bit tables: the scale is searched among the 15 that make the peak one of the low entries, or near.
#include "lib/Formats/GGUF/Encoders.h"
#include "lib/Formats/GGUF/Fits.h"
#include <algorithm>
#include <cmath>

using namespace mlir::qtensor;
using namespace mlir::qtensor::gguf;

static constexpr float table[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

/// The nearest entry; midpoints go up.
static int nearestEntry(float v) {
  int upper = int(std::upper_bound(table, table + 16, v) - table);
  if (upper == 0 || upper == 16)
    return upper == 0 ? 0 : 15;
  return v - table[upper - 1] < table[upper] - v ? upper - 1 : upper;
}

/// The best scale of 32 values, weights x^2.
static float fitScale(ArrayRef<float> x) {
  float peak = findPeak(x);
  if (std::fabs(peak) < 1e-15f)
    return 0;
  float scale = 0, best = 0;
  auto attempt = [&](float inverse, bool isFirst) {
    float qx = 0, qq = 0;
    for (float v : x) {
      float q = table[nearestEntry(inverse * v)], weight = v * v;
      qx += weight * q * v;
      qq += weight * q * q;
    }
    if (!isFirst && !(qq > 0 && qx * qx > best * qq))
      return;
    scale = qq > 0 ? qx / qq : 0.0f;
    best = scale * qx;
  };
  attempt(1 / (-peak / table[0]), true);
  for (int trial = -7; trial <= 7; ++trial)
    attempt((float(trial) + table[0]) / peak, false);
  return scale;
}

static void roundAll(ArrayRef<float> x, float scale, llvm::MutableArrayRef<int32_t> codes) {
  float inverse = scale != 0 ? 1 / scale : 0.0f;
  for (size_t i = 0; i < x.size(); ++i)
    codes[i] = nearestEntry(inverse * x[i]);
}

void gguf::encodeIQ4_NL(ArrayRef<float> x, RecordCodes out) {
  float scale = fitScale(x);
  out[1][0] = halfOfFloat(scale);
  roundAll(x, scale, out[0]);
}

void gguf::encodeIQ4_XS(ArrayRef<float> x, RecordCodes out) {
  float scales[8];
  for (size_t block = 0; block < 8; ++block)
    scales[block] = fitScale(x.slice(block * 32, 32));
  float root = -findPeak(scales) / 32, inverse = root != 0 ? 1 / root : 0.0f;
  out[2][0] = halfOfFloat(root);
  for (size_t block = 0; block < 8; ++block) {
    int code = std::clamp(roundToInt(inverse * scales[block]), -32, 31);
    out[1][block] = code + 32;
    roundAll(x.slice(block * 32, 32), root * float(code), out[0].slice(block * 32, 32));
  }
}
