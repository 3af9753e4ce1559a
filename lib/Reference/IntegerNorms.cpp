// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/IntegerNorms.h"
#include "lib/Reference/FinalMap.h"
#include "lib/Reference/FixedPoint16.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::reference;

static constexpr int64_t kMin = std::numeric_limits<int32_t>::min(), kMax = std::numeric_limits<int32_t>::max();

static FixedMode modeOf(const RuleCall &call) { return call.singleRounding() ? FixedMode::Single : FixedMode::Double; }
static int leadingZeros(int32_t value) { return value ? __builtin_clz(uint32_t(value)) : 32; }
static int32_t saturate(int64_t value) { return int32_t(std::clamp(value, kMin, kMax)); }

LogicalResult reference::normalizeRows(RuleCall &call, std::string &problem) {
  const CodeTensor &x = call.inputs[0];
  CodeTensor &out = call.output;
  int64_t depth = x.shape.empty() ? 0 : x.shape.back();
  if (x.bits != 8 || x.low >= 0 || out.bits != 8 || out.scale != 1.0f / 128 || out.zero || depth > 33000)
    return problem = "it takes int8 rows of at most 33000 codes; its output is int8 of scale 2^-7 and zero point 0", failure();
  for (int64_t row = 0, rows = depth ? x.count() / depth : 0; row < rows; ++row) {
    int32_t sum = 0;
    for (int64_t i = row * depth; i < (row + 1) * depth; ++i)
      sum += int32_t((x.codes[i] - x.zero) * (x.codes[i] - x.zero));
    QuantizedMultiplier by = inverseRoot(sum);
    for (int64_t i = row * depth; i < (row + 1) * depth; ++i) {
      int64_t code = mapFixed(x.codes[i] - x.zero, by.multiplier, by.shift + kUnitShift, modeOf(call));
      out.codes[i] = int32_t(std::clamp(code, out.low, out.high));
    }
  }
  return success();
}

int32_t reference::logOfSum(int32_t sum) {
  constexpr int kWhole = 12, kStep = 25; // a power of 2 in Q6.25
  auto multiply = doublingHighMultiply;
  int zeros = leadingZeros(sum), zerosBelow = leadingZeros(multiply(sum, kRootOfHalf)) - 1;
  int32_t above = saturatingShiftLeft(multiply(saturatingShiftLeft(sum, zeros - 1), kRootOfHalf), 1);
  int32_t r = std::min(above, saturatingShiftLeft(sum, zerosBelow));
  int64_t quarter = 1 << (kStep - 2), power = std::max((int64_t(kWhole - zeros) << kStep) + quarter,
                                                     (int64_t(kWhole - zerosBelow) << kStep) - quarter);
  int32_t p = int32_t((int64_t(r) + kFourthRootOfHalf + 1) / 2), q = 2 * (r - kFourthRootOfHalf), square = multiply(q, q);
  int32_t numerator = multiply(q, r) + multiply(multiply(q, square), kLogNumerator);
  int32_t denominator = multiply(p, kLogOffset + q + multiply(kLogDenominator, square)) + multiply(kLogFactor, q);
  int32_t line = multiply(divideByPowerOfTwo(numerator, 6), oneOverOnePlus(denominator));
  return saturate((int64_t(multiply(saturate(power), kLogOf2)) + line) * 2);
}

std::optional<LogSoftmaxScale> reference::logSoftmaxScale(const RuleCall &call) {
  bool single = call.singleRounding();
  double most = double((int64_t(1) << (single ? 30 : 31)) - 1);
  QuantizedMultiplier by = quantizeMultiplier(std::min(double(call.inputs[0].scale) * double(1 << 26), most), single);
  if (by.shift < 1 || by.shift > 31)
    return std::nullopt;
  LogSoftmaxScale out;
  out.least = -int64_t(std::floor(31.0 * double(1 << 26) / std::ldexp(1.0, by.shift)));
  for (int64_t i = 0; i < 256; ++i)
    out.differences.push_back(int32_t(mapFixed(-i, by.multiplier, by.shift, modeOf(call))));
  out.back = quantizeMultiplier(std::ldexp(1.0, 31 - by.shift) / double(by.multiplier), single);
  return out;
}

LogicalResult reference::logSoftmaxRows(RuleCall &call, std::string &problem) {
  const CodeTensor &x = call.inputs[0];
  CodeTensor &out = call.output;
  std::optional<LogSoftmaxScale> scale = logSoftmaxScale(call);
  int64_t depth = x.shape.empty() ? 0 : x.shape.back();
  if (x.bits != 8 || x.low >= 0 || out.bits != 8 || out.scale != 1.0f / 16 || out.zero != 127 || !scale || depth > 4000)
    return problem = "it takes int8 rows of at most 4000 codes; its output is int8 of scale 2^-4 and zero point 127", failure();
  std::vector<int32_t> terms = softmaxTerms(call);
  for (int64_t row = 0, rows = depth ? x.count() / depth : 0; row < rows; ++row) {
    const int32_t *from = x.codes.data() + row * depth;
    int32_t top = *std::max_element(from, from + depth), sum = 0;
    for (int64_t i = 0; i < depth; ++i)
      sum += divideByPowerOfTwo(terms[top - from[i]], 12);
    int32_t log = logOfSum(sum);
    int64_t least = std::max(scale->least - 1, mapFixed(log + kMin, scale->back.multiplier, scale->back.shift, modeOf(call)));
    for (int64_t i = 0; i < depth; ++i) {
      int64_t code = divideByPowerOfTwo(int32_t(uint32_t(scale->differences[top - from[i]]) - uint32_t(log)), 22) + out.zero;
      out.codes[row * depth + i] = int32_t(from[i] - top > least ? std::clamp(code, out.low, out.high) : out.low);
    }
  }
  return success();
}
