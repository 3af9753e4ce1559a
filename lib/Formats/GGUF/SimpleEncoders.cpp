// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Formats of one level. They multiply by the reciprocal of the unrounded scale and store the scale rounded.
#include "lib/Formats/GGUF/Encoders.h"
#include "lib/Formats/GGUF/Fits.h"
#include "llvm/ADT/bit.h"
#include <algorithm>
#include <cmath>

using namespace mlir::qtensor;
using namespace mlir::qtensor::gguf;

static float reciprocal(float scale) { return scale != 0 ? 1.0f / scale : 0.0f; }

/// The value of largest magnitude becomes the lowest code, so the scale has the opposite of its sign.
static void encodeSigned(ArrayRef<float> x, int limit, RecordCodes out) {
  float scale = findPeak(x) / float(-limit), inverse = reciprocal(scale);
  out[1][0] = halfOfFloat(scale);
  for (size_t i = 0; i < x.size(); ++i)
    out[0][i] = std::min(2 * limit - 1, int(int8_t(x[i] * inverse + (float(limit) + 0.5f))));
}

static void encodeAffine(ArrayRef<float> x, int highest, RecordCodes out) {
  auto [low, high] = std::minmax_element(x.begin(), x.end());
  float scale = (*high - *low) / float(highest), inverse = reciprocal(scale);
  out[1][0] = halfOfFloat(scale);
  out[2][0] = halfOfFloat(*low);
  for (size_t i = 0; i < x.size(); ++i)
    out[0][i] = std::min(highest, int(int8_t((x[i] - *low) * inverse + 0.5f)));
}

void gguf::encodeQ4_0(ArrayRef<float> x, RecordCodes out) { encodeSigned(x, 8, out); }
void gguf::encodeQ5_0(ArrayRef<float> x, RecordCodes out) { encodeSigned(x, 16, out); }
void gguf::encodeQ4_1(ArrayRef<float> x, RecordCodes out) { encodeAffine(x, 15, out); }
void gguf::encodeQ5_1(ArrayRef<float> x, RecordCodes out) { encodeAffine(x, 31, out); }

void gguf::encodeQ8_0(ArrayRef<float> x, RecordCodes out) {
  float scale = std::fabs(findPeak(x)) / 127, inverse = reciprocal(scale);
  out[1][0] = halfOfFloat(scale);
  for (size_t i = 0; i < x.size(); ++i)
    out[0][i] = int(std::round(x[i] * inverse));
}

void gguf::encodeTernary(ArrayRef<float> x, RecordCodes out) {
  float scale = std::fabs(findPeak(x)), inverse = reciprocal(scale);
  out[1][0] = halfOfFloat(scale);
  for (size_t i = 0; i < x.size(); ++i)
    out[0][i] = int(std::lround(x[i] * inverse)) + 1;
}

//===----------------------------------------------------------------------===//
// Four-bit floats: doubled values times half the scale
//===----------------------------------------------------------------------===//

/// The first code of least error.
static int nearestFloat4(float x, float halfScale) {
  static constexpr float doubled[] = {0, 1, 2, 3, 4, 6, 8, 12};
  int best = 0;
  float bestError = std::fabs(doubled[0] * halfScale - x);
  for (int code = 1; code < 16; ++code) {
    float value = code < 8 ? doubled[code] : -doubled[code - 8];
    float error = std::fabs(value * halfScale - x);
    if (error < bestError) {
      best = code;
      bestError = error;
    }
  }
  return best;
}

void gguf::encodeMXFP4(ArrayRef<float> x, RecordCodes out) {
  float largest = std::fabs(findPeak(x));
  int exponent = largest > 0 ? int(uint8_t(std::floor(std::log2(largest)) - 2 + 127)) : 0;
  out[1][0] = exponent;
  float halfScale = std::ldexp(1.0f, exponent - 128);
  for (size_t i = 0; i < x.size(); ++i)
    out[0][i] = nearestFloat4(x[i], halfScale);
}

/// Unsigned e4m3 by adding the first dropped bit; from 256 up everything is the largest code.
static int unsignedE4M3OfFloat(float x) {
  if (!(x > 0))
    return 0;
  x = std::min(x, 448.0f);
  uint32_t bits = llvm::bit_cast<uint32_t>(x);
  int exponent = int(bits >> 23 & 0xff) - 127 + 7;
  if (exponent <= 0)
    return std::min(int(x * 512.0f + 0.5f), 7);
  if (exponent >= 15)
    return 0x7e;
  int code = (exponent << 3) + int(bits >> 20 & 7) + int(bits >> 19 & 1);
  return code >= 15 << 3 ? 0x7e : code;
}

void gguf::encodeNVFP4(ArrayRef<float> x, RecordCodes out) {
  for (size_t block = 0; block < 4; ++block) {
    ArrayRef<float> part = x.slice(block * 16, 16);
    int code = unsignedE4M3OfFloat(std::fabs(findPeak(part)) / 6.0f);
    out[1][block] = code;
    float scale = code < 8 ? std::ldexp(float(code), -9) : std::ldexp(1.0f + float(code & 7) / 8, (code >> 3) - 7);
    for (size_t i = 0; i < 16; ++i)
      out[0][block * 16 + i] = nearestFloat4(part[i], scale * 0.5f);
  }
}
