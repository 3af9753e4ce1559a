// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/IntegerBinary.h"
#include "lib/Reference/FinalMap.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::reference;

static int32_t scaleBy(int64_t accumulator, QuantizedMultiplier by, bool single) {
  return int32_t(mapFixed(accumulator, by.multiplier, by.shift, single ? FixedMode::Single : FixedMode::Double));
}

/// The row-major position in `from` of the element that `to`'s position reads, with numpy's broadcasting.
static int64_t broadcastPosition(ArrayRef<int64_t> from, ArrayRef<int64_t> to, int64_t position) {
  int64_t result = 0, stride = 1;
  for (size_t i = 0; i < to.size(); ++i) {
    size_t axis = to.size() - 1 - i;
    int64_t index = position % to[axis];
    position /= to[axis];
    if (i >= from.size())
      continue;
    int64_t extent = from[from.size() - 1 - i];
    result += (extent == 1 ? 0 : index) * stride;
    stride *= extent;
  }
  return result;
}

/// Both inputs in units of twice the larger scale / 2^shift, where their sum or difference is scaled to the output.
static LogicalResult addCodes(RuleCall &call, int sign) {
  const CodeTensor &a = call.inputs[0], &b = call.inputs[1];
  CodeTensor &out = call.output;
  bool single = call.singleRounding();
  int shift = out.bits > 8 ? 15 : 20;
  double twice = 2 * double(std::max(a.scale, b.scale));
  QuantizedMultiplier ma = quantizeMultiplier(a.scale / twice, single), mb = quantizeMultiplier(b.scale / twice, single);
  QuantizedMultiplier mo = quantizeMultiplier(twice / (double(int64_t(1) << shift) * out.scale), single);
  auto [low, high] = activationBounds(out, call.integer("activation"));
  for (int64_t i = 0, count = out.count(); i < count; ++i) {
    int64_t x = a.codes[broadcastPosition(a.shape, out.shape, i)] - a.zero;
    int64_t y = b.codes[broadcastPosition(b.shape, out.shape, i)] - b.zero;
    int64_t sum = scaleBy(x << shift, ma, single) + sign * int64_t(scaleBy(y << shift, mb, single));
    out.codes[i] = int32_t(std::clamp(scaleBy(sum, mo, single) + out.zero, low, high));
  }
  return success();
}

LogicalResult reference::addCodes(RuleCall &call, std::string &) { return ::addCodes(call, 1); }
LogicalResult reference::subtractCodes(RuleCall &call, std::string &) { return ::addCodes(call, -1); }

/// out = fn(a - its zero point, b - its zero point), clamped.
template <typename Fn> static LogicalResult mapPairs(RuleCall &call, int64_t activation, Fn fn) {
  const CodeTensor &a = call.inputs[0], &b = call.inputs[1];
  CodeTensor &out = call.output;
  auto [low, high] = activationBounds(out, activation);
  for (int64_t i = 0, count = out.count(); i < count; ++i) {
    int64_t x = a.codes[broadcastPosition(a.shape, out.shape, i)] - a.zero;
    int64_t y = b.codes[broadcastPosition(b.shape, out.shape, i)] - b.zero;
    out.codes[i] = int32_t(std::clamp<int64_t>(fn(x, y) + out.zero, low, high));
  }
  return success();
}

double reference::productScale(const RuleCall &call) {
  float product = call.inputs[0].scale * call.inputs[1].scale;
  return double(product / call.output.scale);
}

LogicalResult reference::multiplyCodes(RuleCall &call, std::string &) {
  bool single = call.singleRounding();
  QuantizedMultiplier by = quantizeMultiplier(productScale(call), single);
  return mapPairs(call, call.integer("activation"), [&](int64_t x, int64_t y) { return scaleBy(x * y, by, single); });
}

int reference::squaredShift(const RuleCall &call) { return call.output.bits > 8 ? 0 : 7; }

LogicalResult reference::squaredDifference(RuleCall &call, std::string &problem) {
  const CodeTensor &a = call.inputs[0], &b = call.inputs[1], &out = call.output;
  if (a.bits != b.bits || a.bits != out.bits || (a.bits > 8 && (a.zero || b.zero || out.zero)))
    return problem = "its inputs and output have one width, and codes of 16 bits the zero point 0", failure();
  bool single = call.singleRounding();
  int shift = squaredShift(call);
  double twice = 2 * double(std::max(a.scale, b.scale));
  QuantizedMultiplier ma = quantizeMultiplier(a.scale / twice, single), mb = quantizeMultiplier(b.scale / twice, single);
  QuantizedMultiplier mo =
      quantizeMultiplier(twice * twice / (double(int64_t(1) << (2 * shift)) * double(out.scale)), single);
  return mapPairs(call, 0, [&](int64_t x, int64_t y) {
    int64_t difference = int64_t(scaleBy(x << shift, ma, single)) - scaleBy(y << shift, mb, single);
    return scaleBy(int32_t(difference * difference), mo, single);
  });
}

LogicalResult reference::parametricRelu(RuleCall &call, std::string &) {
  bool single = call.singleRounding();
  double input = double(call.inputs[0].scale), output = double(call.output.scale);
  QuantizedMultiplier positive = quantizeMultiplier(input / output, single);
  QuantizedMultiplier negative = quantizeMultiplier(input * double(call.inputs[1].scale) / output, single);
  return mapPairs(call, 0, [&](int64_t x, int64_t slope) {
    return x >= 0 ? scaleBy(x, positive, single) : scaleBy(x * slope, negative, single);
  });
}

double reference::quotientScale(const RuleCall &call) {
  return double(call.inputs[0].scale) / (double(call.inputs[1].scale) * double(call.output.scale));
}

LogicalResult reference::divideCodes(RuleCall &call, std::string &problem) {
  for (const CodeTensor *x : {&call.inputs[0], &call.inputs[1], &call.output})
    if (x->bits > 8)
      return problem = "it is defined for codes of 8 bits", failure();
  bool single = call.singleRounding();
  QuantizedMultiplier by = quantizeMultiplier(quotientScale(call), single);
  return mapPairs(call, call.integer("activation"), [&](int64_t x, int64_t y) {
    if (y < 0)
      x = -x, y = -y;
    y = std::max<int64_t>(y, 1);
    int zeros = __builtin_clz(uint32_t(y));
    int32_t inverse = oneOverOnePlus(int32_t((uint32_t(y) << zeros) - (1u << 31)));
    // As far to the left as the sign allows.
    int headroom = x > 0 ? __builtin_clz(uint32_t(x)) - 1 : x < 0 ? __builtin_clz(uint32_t(-2 * x - 1)) : 30;
    int32_t quotient = doublingHighMultiply(int32_t(x * (int64_t(1) << headroom)), inverse);
    return scaleBy(quotient, {by.multiplier, by.shift - (31 - zeros) - headroom}, single);
  });
}
