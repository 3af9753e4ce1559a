// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/IntegerSoftmax16.h"
#include "lib/Reference/FinalMap.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::reference;

/// fn over [low, high] as Q0.15, in f32. Each entry is moved by half of what the line errs in the middle of its step.
template <typename Fn> static std::array<int16_t, kTable16> makeTable(float scale, int zero, Fn fn) {
  constexpr int steps = 512;
  float low = scale * float(-32768 - zero), high = scale * float(32767 - zero), unit = 2.0f / 65535;
  float step = (high - low) / steps, half = step / 2, inverse = 65536.0f / (unit * 32767 - unit * -32768);
  auto bound = [](float value) { return int16_t(std::min(std::max(value, -32768.0f), 32767.0f)); };
  std::array<int16_t, kTable16> table;
  for (int i = 0; i < steps; ++i) {
    float here = fn(low + float(i) * step), middle = fn(low + float(i) * step + half), next = fn(low + float(i + 1) * step);
    float sample = std::round(here * inverse), line = std::round((next * inverse + sample) / 2);
    table[i] = bound(sample - std::round((line - std::round(middle * inverse)) / 2));
  }
  table[steps] = bound(std::round(fn(high) * inverse));
  return table;
}

const std::array<int16_t, kTable16> &reference::expTable16() {
  static const std::array<int16_t, kTable16> table = makeTable(10.0f / 65535, 32767, [](float x) { return std::exp(x); });
  return table;
}

const std::array<int16_t, kTable16> &reference::reciprocalTable16() {
  static const std::array<int16_t, kTable16> table = makeTable(1.0f / 65535, -32768, [](float x) { return 1.0f / (1.0f + x); });
  return table;
}

int16_t reference::lookup16(int16_t code, const std::array<int16_t, kTable16> &table) {
  int index = 256 + (code >> 7), rest = code & 0x7f, slope = int16_t(table[index + 1] - table[index]);
  return int16_t(table[index] + ((slope * rest + 64) >> 7));
}

QuantizedMultiplier reference::softmaxScale16(const RuleCall &call) {
  double real = double(call.inputs[0].scale) * double(float(call.real("beta"))) / (10.0 / 65535.0);
  return quantizeMultiplier(real, call.singleRounding());
}

LogicalResult reference::applySoftmax16(RuleCall &call, std::string &problem) {
  const CodeTensor &x = call.inputs[0];
  CodeTensor &out = call.output;
  if (x.shape.empty() || x.low >= 0 || x.zero || out.bits != 16 || out.low >= 0 || out.zero || out.scale != 1.0f / 32768)
    return problem = "codes of 16 bits have the zero point 0 and an output of scale 2^-15", failure();
  QuantizedMultiplier by = softmaxScale16(call);
  FixedMode mode = call.singleRounding() ? FixedMode::Single : FixedMode::Double;
  int64_t depth = x.shape.back();
  for (int64_t row = 0, rows = depth ? x.count() / depth : 0; row < rows; ++row) {
    const int32_t *from = x.codes.data() + row * depth;
    int32_t top = *std::max_element(from, from + depth), sum = 0;
    std::vector<int32_t> terms(depth);
    for (int64_t i = 0; i < depth; ++i) {
      int64_t scaled = mapFixed(from[i] - top, by.multiplier, by.shift, mode) + 32767;
      terms[i] = lookup16(int16_t(std::clamp<int64_t>(scaled, -32768, 32767)), expTable16());
      sum += terms[i];
    }
    int headroom = __builtin_clz(uint32_t(sum)), right = 31 - headroom;
    int64_t shifted = ((int64_t(sum) << (headroom - 1)) + (1 << 13)) >> 14;
    int64_t inverse = lookup16(int16_t(std::clamp<int64_t>(shifted - 3 * 32768, -32768, 32767)), reciprocalTable16());
    for (int64_t i = 0; i < depth; ++i) {
      int64_t result = (terms[i] * inverse + (int64_t(1) << (right - 1))) >> right;
      out.codes[row * depth + i] = int32_t(std::clamp<int64_t>(result, 0, 32767));
    }
  }
  return success();
}
