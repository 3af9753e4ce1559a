// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// TFLite Micro's integer kernels, from their published definitions.
#include "lib/Reference/IntegerRules.h"
#include "lib/Reference/FinalMap.h"
#include "lib/Reference/FixedPoint.h"
#include "lib/Reference/FixedPoint16.h"
#include "lib/Reference/IntegerBinary.h"
#include "lib/Reference/IntegerLstm.h"
#include "lib/Reference/IntegerNorms.h"
#include "lib/Reference/IntegerSoftmax16.h"
#include "lib/Reference/IntegerSums.h"
#include "lib/Reference/IntegerSvdf.h"
#include "lib/Reference/LiteLstm.h"
#include "qtensor/Codec.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/StringMap.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::reference;

int64_t CodeTensor::count() const {
  int64_t product = 1;
  for (int64_t extent : shape)
    product *= extent;
  return product;
}

std::optional<CodeTensor> CodeTensor::describe(RankedTensorType type, ArrayRef<int64_t> shape) {
  auto encoding = dyn_cast_or_null<BlockAttr>(type.getEncoding());
  if (!encoding || !encoding.isStatic() || encoding.getCodec().getKind() != CodecKind::Int || encoding.getOffset())
    return std::nullopt;
  CodeTensor out;
  CodecRange range = getCodecRange(encoding.getCodec());
  out.shape.assign(shape.begin(), shape.end());
  out.scale = encoding.getScale() ? float(*encoding.getScale().getScalar()) : 1.0f;
  out.zero = encoding.getZero() ? int64_t(*encoding.getZero().getScalar()) : 0;
  out.low = int64_t(range.lowest);
  out.high = int64_t(range.highest);
  out.bits = encoding.getCodec().getBits();
  return out;
}

int64_t RuleCall::integer(StringRef name, int64_t otherwise) const {
  auto value = parameters ? parameters.getAs<IntegerAttr>(name) : IntegerAttr();
  return value ? value.getInt() : otherwise;
}

double RuleCall::real(StringRef name) const {
  auto value = parameters ? parameters.getAs<FloatAttr>(name) : FloatAttr();
  return value ? value.getValueAsDouble() : 0;
}

ArrayRef<int64_t> RuleCall::list(StringRef name) const {
  auto value = parameters ? parameters.getAs<DenseI64ArrayAttr>(name) : DenseI64ArrayAttr();
  return value ? value.asArrayRef() : ArrayRef<int64_t>();
}

bool RuleCall::singleRounding() const {
  auto value = parameters ? parameters.getAs<StringAttr>("rounding") : StringAttr();
  return value && value.getValue() == "single";
}

static int32_t scaleBy(int64_t accumulator, QuantizedMultiplier by, bool single) {
  return int32_t(mapFixed(accumulator, by.multiplier, by.shift, single ? FixedMode::Single : FixedMode::Double));
}

int64_t reference::dot(const CodeTensor &weights, int64_t row, const int32_t *values, int64_t zero) {
  int64_t sum = 0, width = weights.shape[1];
  for (int64_t i = 0; i < width; ++i)
    sum += int64_t(weights.codes[row * width + i]) * (values[i] - zero);
  return sum;
}

int64_t reference::codeOf(float real, const CodeTensor &tensor) {
  return int64_t(std::round(real / tensor.scale)) + tensor.zero;
}

std::pair<int64_t, int64_t> reference::activationBounds(const CodeTensor &output, int64_t activation) {
  int64_t low = output.low, high = output.high;
  if (activation == 1 || activation == 3)
    low = std::max(low, codeOf(0, output));
  if (activation == 2)
    low = std::max(low, codeOf(-1, output)), high = std::min(high, codeOf(1, output));
  if (activation == 3)
    high = std::min(high, codeOf(6, output));
  return {low, high};
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

/// out = fn(code) for every element.
template <typename Fn> static LogicalResult mapCodes(RuleCall &call, Fn fn) {
  const CodeTensor &x = call.inputs[0];
  CodeTensor &out = call.output;
  for (int64_t i = 0, count = out.count(); i < count; ++i)
    out.codes[i] = int32_t(std::clamp<int64_t>(fn(int64_t(x.codes[i]) - x.zero) + out.zero, out.low, out.high));
  return success();
}

/// Codes of another scale.
static LogicalResult quantizeCodes(RuleCall &call, std::string &) {
  bool single = call.singleRounding();
  QuantizedMultiplier by = quantizeMultiplier(double(call.inputs[0].scale) / double(call.output.scale), single);
  return mapCodes(call, [&](int64_t x) { return scaleBy(x, by, single); });
}

double reference::scaleRatio(const RuleCall &call, bool narrow) {
  float input = call.inputs[0].scale, output = call.output.scale;
  return narrow ? double(input / output) : double(input) / double(output);
}

double reference::slopeRatio(const RuleCall &call, bool narrow) {
  float input = call.inputs[0].scale, output = call.output.scale, alpha = float(call.real("alpha"));
  float sloped = input * alpha;
  return narrow ? double(sloped / output) : double(input) * double(alpha) / double(output);
}

std::pair<int64_t, int64_t> reference::clampBounds(const RuleCall &call) {
  // Bounds may be far outside of the codes.
  auto bound = [&](StringRef name) {
    float code = std::round(float(call.real(name)) / call.output.scale) + float(call.output.zero);
    return int64_t(std::clamp(code, float(call.output.low), float(call.output.high)));
  };
  return {bound("low"), call.parameters.get("high") ? bound("high") : call.output.high};
}

/// A negative slope is the opposite of what its magnitude makes: the products that are rounded have positive
/// multipliers.
template <bool narrow> static LogicalResult leakyRelu(RuleCall &call, std::string &) {
  bool single = call.singleRounding();
  double slope = slopeRatio(call, narrow);
  QuantizedMultiplier positive = quantizeMultiplier(scaleRatio(call, narrow), single);
  QuantizedMultiplier negative = quantizeMultiplier(std::abs(slope), single);
  return mapCodes(call, [&](int64_t x) -> int64_t {
    if (x >= 0)
      return scaleBy(x, positive, single);
    int64_t below = scaleBy(x, negative, single);
    return slope < 0 ? -below : below;
  });
}

template <bool narrow> static LogicalResult magnitudes(RuleCall &call, std::string &) {
  bool single = call.singleRounding();
  QuantizedMultiplier by = quantizeMultiplier(scaleRatio(call, narrow), single);
  return mapCodes(call, [&](int64_t x) { return scaleBy(std::abs(x), by, single); });
}

/// An activation between two scales.
static LogicalResult clampCodes(RuleCall &call, std::string &) {
  bool single = call.singleRounding();
  QuantizedMultiplier by = quantizeMultiplier(scaleRatio(call, /*narrow=*/true), single);
  auto [low, high] = clampBounds(call);
  return mapCodes(call, [&, low = low, high = high](int64_t x) {
    return std::clamp<int64_t>(scaleBy(x, by, single) + call.output.zero, low, high) - call.output.zero;
  });
}

/// ELU of 8-bit codes, as the runtime fills its table: in f32, ties away from zero.
static LogicalResult exponentialUnit(RuleCall &call, std::string &problem) {
  if (call.inputs[0].bits > 8)
    return problem = "it is defined for codes of 8 bits", failure();
  float step = float(call.inputs[0].scale), inverse = 1.0f / float(call.output.scale);
  return mapCodes(call, [&](int64_t x) {
    float value = step * float(x), unit = value < 0 ? std::expm1(value) : value;
    // Beyond any code on both sides where the scales are far apart.
    return int64_t(std::clamp(std::round(unit * inverse), -0x1p30f, 0x1p30f));
  });
}

/// Where the fixed-point function of Q4.27 saturates: the largest code difference whose scaled value has 4 integer bits.
static int64_t inputRadius(QuantizedMultiplier by) {
  double most = double((1 << 4) - 1) * double(int64_t(1) << (31 - 4)) / double(int64_t(1) << by.shift);
  return int64_t(std::floor(most));
}

/// logistic and tanh of 8-bit codes: `bits` bits of the Q0.31 result are kept.
template <typename Fn> static LogicalResult squash(RuleCall &call, std::string &problem, int bits, Fn fn) {
  if (call.inputs[0].bits > 8)
    return problem = "it is defined for codes of 8 and 16 bits", failure();
  bool single = call.singleRounding();
  QuantizedMultiplier by = quantizeMultiplier(double(call.inputs[0].scale) * double(int64_t(1) << (31 - 4)), single);
  if (by.shift < 0)
    return problem = "the scale of its input is below 2^-27", failure();
  int64_t radius = inputRadius(by);
  CodeTensor &out = call.output;
  int64_t zero = bits == 8 ? out.low : out.low + 128;
  for (int64_t i = 0, count = out.count(); i < count; ++i) {
    int64_t x = int64_t(call.inputs[0].codes[i]) - call.inputs[0].zero;
    int64_t code = x <= -radius  ? out.low
                   : x >= radius ? out.high
                                 : divideByPowerOfTwo(fn(scaleBy(x, by, single)), 31 - bits) + zero;
    out.codes[i] = int32_t(std::clamp(code, out.low, out.high));
  }
  return success();
}

TableScale reference::tableScale(float scale, int most) {
  int exponent;
  // A power of two is 0.5 times one.
  if (std::frexp(scale, &exponent) == 0.5f && exponent - 1 + 12 >= 0 && exponent - 1 + 12 <= most)
    return {int64_t(3) << (exponent - 1 + 12), 0};
  double multiplier = double(scale) * 4096.0 * 3.0;
  int64_t shift = 0;
  for (; multiplier <= 32767.0 / 2.0 && shift <= 30; ++shift)
    multiplier *= 2;
  return {int64_t(multiplier), shift};
}

/// As above for 16 bits, by a table.
template <typename Fn> static LogicalResult squashByTable(RuleCall &call, std::string &problem, int most, Fn fn) {
  const CodeTensor &x = call.inputs[0];
  if (x.zero || call.output.zero || call.output.bits != 16 || call.output.scale != 1.0f / 32768.0f)
    return problem = "codes of 16 bits have the zero point 0 and an output of scale 2^-15", failure();
  TableScale by = tableScale(x.scale, most);
  int64_t half = by.shift ? int64_t(1) << (by.shift - 1) : 0;
  return mapCodes(call, [&](int64_t code) -> int64_t { return fn((code * by.multiplier + half) >> by.shift); });
}

static LogicalResult logistic(RuleCall &call, std::string &problem) {
  if (call.inputs[0].bits == 16)
    return squashByTable(call, problem, kLogisticPowers, logisticByTable);
  return squash(call, problem, 8, logisticQ4);
}
static LogicalResult hyperbolicTangent(RuleCall &call, std::string &problem) {
  if (call.inputs[0].bits == 16)
    return squashByTable(call, problem, kTanhPowers, tanhByTable);
  return squash(call, problem, 7, tanhQ4);
}

static int16_t saturate16(int64_t value) { return int16_t(std::clamp<int64_t>(value, -32768, 32767)); }

/// The high half of 2ab in 16 bits: rounded (ties away from zero), or truncated.
static int16_t highMultiply16(int16_t a, int16_t b, bool rounded) {
  if (a == b && a == -32768)
    return 32767;
  int32_t product = int32_t(a) * b, nudge = rounded ? (product >= 0 ? 1 << 14 : 1 - (1 << 14)) : 0;
  return int16_t((product + nudge) / (1 << 15));
}

static int16_t to16Bits(int32_t multiplier) {
  return multiplier >= 0x7FFF0000 ? int16_t(32767) : int16_t((multiplier + (1 << 15)) >> 16);
}

/// x * relu6(x + 3) / 6 in 16-bit arithmetic.
static LogicalResult hardSwish(RuleCall &call, std::string &problem) {
  const CodeTensor &x = call.inputs[0];
  if (x.bits > 8 || call.output.bits > 8)
    return problem = "it is defined for codes of 8 bits", failure();
  float fine = x.scale / 128.0f, reluish = 3.0f / 32768.0f;
  QuantizedMultiplier output = quantizeMultiplier(double(fine / call.output.scale));
  QuantizedMultiplier relu = quantizeMultiplier(double(fine / reluish));
  if (output.shift > 0)
    return problem = "its output has a scale that is too small for its input's", failure();
  int16_t outputMultiplier = to16Bits(output.multiplier), reluMultiplier = to16Bits(relu.multiplier);
  return mapCodes(call, [&](int64_t value) -> int64_t {
    auto scaled = int16_t(value * 128);
    int16_t before = highMultiply16(scaled, outputMultiplier, /*rounded=*/true), gate = scaled;
    if (relu.shift > 0)
      gate = saturate16(int64_t(gate) << (relu.shift - 1));
    gate = highMultiply16(gate, reluMultiplier, /*rounded=*/true);
    if (relu.shift > 0)
      gate = saturate16(int64_t(gate) << 1);
    if (relu.shift < 0)
      gate = int16_t(divideByPowerOfTwo(gate, -relu.shift));
    gate = int16_t((gate + (1 << 15)) >> 1);
    return divideByPowerOfTwo(highMultiply16(gate, before, /*rounded=*/false), -output.shift);
  });
}

/// 1 / sqrt(x), in 20 fractional bits on the way. What is not positive has no root and gets the largest code.
static LogicalResult inverseRoots(RuleCall &call, std::string &problem) {
  constexpr int kFraction = 20;
  const CodeTensor &x = call.inputs[0];
  if (x.bits > 8 || call.output.bits > 8)
    return problem = "it is defined for codes of 8 bits", failure();
  bool single = call.singleRounding();
  QuantizedMultiplier by = quantizeMultiplier(1.0 / double(std::sqrt(x.scale) * call.output.scale), single);
  by.shift -= kFraction;
  return mapCodes(call, [&](int64_t value) -> int64_t {
    if (value <= 0)
      return call.output.high - call.output.zero;
    QuantizedMultiplier root = inverseRoot(int32_t(value));
    root.shift += kFraction;
    return scaleBy(scaleBy(1, root, single), by, single);
  });
}

//===----------------------------------------------------------------------===//
// Windows and reductions
//===----------------------------------------------------------------------===//

static LogicalResult averagePool(RuleCall &call, std::string &problem) {
  const CodeTensor &x = call.inputs[0];
  CodeTensor &out = call.output;
  ArrayRef<int64_t> kernel = call.list("kernel"), strides = call.list("strides"), padding = call.list("padding");
  if (x.shape.size() != 4 || kernel.size() != 2 || strides.size() != 2 || padding.size() != 2)
    return problem = "it takes [N, H, W, C], and two numbers for each of kernel, strides and padding", failure();
  auto [low, high] = activationBounds(out, call.integer("activation"));
  int64_t channels = x.shape[3];
  for (int64_t i = 0, count = out.count(); i < count; ++i) {
    int64_t channel = i % channels, column = i / channels % out.shape[2], row = i / channels / out.shape[2] % out.shape[1];
    int64_t image = i / channels / out.shape[2] / out.shape[1], sum = 0, taps = 0;
    for (int64_t h = row * strides[0] - padding[0], bottom = h + kernel[0]; h < bottom; ++h)
      for (int64_t w = column * strides[1] - padding[1], right = w + kernel[1]; w < right; ++w)
        if (h >= 0 && w >= 0 && h < x.shape[1] && w < x.shape[2]) {
          sum += x.codes[((image * x.shape[1] + h) * x.shape[2] + w) * channels + channel];
          ++taps;
        }
    if (taps == 0)
      return problem = "a window lies in the padding alone", failure();
    int64_t mean = sum > 0 ? (sum + taps / 2) / taps : (sum - taps / 2) / taps;
    out.codes[i] = int32_t(std::clamp(mean, low, high));
  }
  return success();
}

QuantizedMultiplier reference::meanMultiplier(const RuleCall &call, int64_t count) {
  double ratio = double(call.inputs[0].scale) / double(call.output.scale);
  QuantizedMultiplier by = quantizeMultiplier(ratio, call.singleRounding());
  if (call.integer("sum"))
    return by;
  int bits = std::min({63 - int(__builtin_clzll(uint64_t(count))), 32, 31 + by.shift});
  return {int32_t((int64_t(by.multiplier) << bits) / count), by.shift - bits};
}

/// The sum of differences to the zero point, scaled.
static LogicalResult mean(RuleCall &call, std::string &problem) {
  const CodeTensor &x = call.inputs[0];
  CodeTensor &out = call.output;
  bool single = call.singleRounding();
  int64_t count = 1;
  for (int64_t axis : call.list("axes"))
    count *= x.shape[axis];
  if (count == 0)
    return problem = "there is nothing to take the mean of", failure();
  QuantizedMultiplier by = meanMultiplier(call, count);
  std::vector<int64_t> sums(out.count());
  for (int64_t i = 0, all = x.count(); i < all; ++i) {
    int64_t rest = i, position = 0, stride = 1;
    for (size_t axis = x.shape.size(); axis-- > 0; rest /= x.shape[axis])
      if (!llvm::is_contained(call.list("axes"), int64_t(axis))) {
        position += rest % x.shape[axis] * stride;
        stride *= x.shape[axis];
      }
    sums[position] += x.codes[i] - x.zero;
  }
  for (auto [code, sum] : llvm::zip_equal(out.codes, sums))
    code = int32_t(std::clamp(scaleBy(sum, by, single) + out.zero, out.low, out.high));
  return success();
}

std::vector<int32_t> reference::softmaxTerms(const RuleCall &call) {
  const CodeTensor &x = call.inputs[0];
  bool single = call.singleRounding();
  double most = double((int64_t(1) << (single ? 30 : 31)) - 1);
  double real = std::min(call.real("beta") * double(x.scale) * double(1 << 26), most);
  QuantizedMultiplier by = quantizeMultiplier(real, single);
  int64_t least = -int64_t(std::floor(31.0 * double(1 << 26) / std::ldexp(1.0, by.shift)));
  std::vector<int32_t> terms(size_t(1) << x.bits);
  for (int64_t i = 0; i < int64_t(terms.size()) && -i >= least; ++i)
    terms[i] = expOnNegative(scaleBy(-i, by, single), 5);
  return terms;
}

static LogicalResult softmax(RuleCall &call, std::string &problem) {
  const CodeTensor &x = call.inputs[0];
  CodeTensor &out = call.output;
  if (x.bits == 16)
    return applySoftmax16(call, problem);
  if (x.bits > 8 || x.shape.empty())
    return problem = "it is defined for codes of 8 and 16 bits", failure();
  std::vector<int32_t> terms = softmaxTerms(call);
  int64_t depth = x.shape.back();
  for (int64_t row = 0, rows = depth ? x.count() / depth : 0; row < rows; ++row) {
    const int32_t *from = x.codes.data() + row * depth;
    int32_t top = *std::max_element(from, from + depth), sum = 0;
    for (int64_t i = 0; i < depth; ++i)
      sum += divideByPowerOfTwo(terms[top - from[i]], 12);
    int headroom = __builtin_clz(uint32_t(sum));
    int32_t inverse = oneOverOnePlus(int32_t((uint32_t(sum) << headroom) - (1u << 31)));
    for (int64_t i = 0; i < depth; ++i) {
      int64_t code = divideByPowerOfTwo(doublingHighMultiply(inverse, terms[top - from[i]]), (12 - headroom) + 31 - int(out.bits));
      out.codes[row * depth + i] = int32_t(std::clamp(code + out.low, out.low, out.high));
    }
  }
  return success();
}

LinearTap reference::linearTap(int64_t position, int64_t in, int64_t out, bool corners, bool halves) {
  int64_t scale = corners && out > 1 ? ((int64_t(1) << 10) * (in - 1) + (out - 1) / 2) / (out - 1)
                                     : ((int64_t(1) << 10) * in + out / 2) / out;
  int64_t at = halves ? position * scale + scale / 2 - (1 << 9) : position * scale;
  LinearTap tap;
  tap.lower = std::max<int64_t>(at >> 10, 0);
  tap.upper = std::min<int64_t>((at + (1 << 10) - 1) / (1 << 10), in - 1);
  tap.distance = at - (tap.lower << 10);
  return tap;
}

/// Weights of 10 bits on both axes; the sum of 20 is rounded away from zero.
static LogicalResult resizeBilinear(RuleCall &call, std::string &problem) {
  const CodeTensor &x = call.inputs[0];
  CodeTensor &out = call.output;
  if (x.shape.size() != 4 || out.shape.size() != 4 || x.shape[0] != out.shape[0] || x.shape[3] != out.shape[3])
    return problem = "it takes and makes [N, H, W, C]", failure();
  if (x.scale != out.scale || x.zero != out.zero)
    return problem = "its input and output must have one scale", failure();
  bool corners = call.integer("align_corners"), halves = call.integer("half_pixel_centers");
  int64_t channels = x.shape[3];
  for (int64_t i = 0, count = out.count(); i < count; ++i) {
    int64_t channel = i % channels, column = i / channels % out.shape[2], row = i / channels / out.shape[2] % out.shape[1];
    int64_t image = i / channels / out.shape[2] / out.shape[1];
    LinearTap y = linearTap(row, x.shape[1], out.shape[1], corners, halves);
    LinearTap w = linearTap(column, x.shape[2], out.shape[2], corners, halves);
    auto at = [&](int64_t r, int64_t c) {
      return int64_t(x.codes[((image * x.shape[1] + r) * x.shape[2] + c) * channels + channel]);
    };
    int64_t top = 1024 - y.distance, left = 1024 - w.distance;
    int64_t sum = (at(y.lower, w.lower) * left + at(y.lower, w.upper) * w.distance) * top +
                  (at(y.upper, w.lower) * left + at(y.upper, w.upper) * w.distance) * y.distance;
    out.codes[i] = int32_t((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
  }
  return success();
}

//===----------------------------------------------------------------------===//
// The registry
//===----------------------------------------------------------------------===//

using Function = LogicalResult (*)(RuleCall &, std::string &);

namespace {
struct Entry {
  StringRef name;
  unsigned inputs;
  bool sameShape; ///< The output has the first input's shape.
  Function function;
  unsigned outputs = 1;
  unsigned optional = 0; ///< Inputs behind those, which may be absent.
};
} // namespace

static const Entry entries[] = {
    {"litert.abs", 1, true, magnitudes<true>},
    {"litert.leaky_relu", 1, true, leakyRelu<true>},
    {"litert.mul", 2, false, multiplyCodes},
    {"litert.relu", 1, true, clampCodes},
    {"tflite.abs", 1, true, magnitudes<false>},
    {"tflite.add_n", 1, true, addManyCodes, 1, kMostAddends - 1},
    {"tflite.cumsum", 1, true, cumulateCodes},
    {"tflite.div", 2, false, divideCodes},
    {"tflite.elu", 1, true, exponentialUnit},
    {"tflite.l2_normalization", 1, true, normalizeRows},
    {"tflite.log_softmax", 1, true, logSoftmaxRows},
    {"tflite.prelu", 2, false, parametricRelu},
    {"tflite.quantize", 1, true, quantizeCodes},
    {"tflite.squared_difference", 2, false, squaredDifference},
    {"litert.lstm", kLiteLstmLeast, false, applyLiteLstm, 3, kLiteLstmInputs - kLiteLstmLeast},
    {"tflite.add", 2, false, addCodes},
    {"tflite.average_pool_2d", 1, false, averagePool},
    {"tflite.hard_swish", 1, true, hardSwish},
    {"tflite.leaky_relu", 1, true, leakyRelu<false>},
    {"tflite.logistic", 1, true, logistic},
    {"tflite.lstm", kLstmInputs, false, applyLstm, 3},
    {"tflite.mean", 1, false, mean},
    {"tflite.resize_bilinear", 1, false, resizeBilinear},
    {"tflite.rsqrt", 1, true, inverseRoots},
    {"tflite.softmax", 1, true, softmax},
    {"tflite.sub", 2, false, subtractCodes},
    {"tflite.svdf", 4, false, applySvdf, 2, 1},
    {"tflite.tanh", 1, true, hyperbolicTangent},
};

static const Entry *lookup(StringRef name) {
  const Entry *found = llvm::find_if(entries, [&](const Entry &entry) { return entry.name == name; });
  return found == std::end(entries) ? nullptr : found;
}

bool reference::isIntegerRule(StringRef name) { return lookup(name); }

LogicalResult reference::applyIntegerRule(StringRef name, RuleCall &call, std::string &problem) {
  const Entry *entry = lookup(name);
  if (!entry)
    return problem = "there is no such rule", failure();
  if (call.inputs.size() < entry->inputs || call.inputs.size() > entry->inputs + entry->optional)
    return problem = "it takes " + std::to_string(entry->inputs) + " inputs", failure();
  if (entry->sameShape && call.inputs[0].shape != call.output.shape)
    return problem = "its output must have its input's shape", failure();
  if (call.further.size() + 1 != entry->outputs)
    return problem = "it has " + std::to_string(entry->outputs) + " outputs", failure();
  call.output.codes.assign(call.output.count(), 0);
  for (CodeTensor &output : call.further)
    output.codes.assign(output.count(), 0);
  return entry->function(call, problem);
}

LogicalResult reference::readRuleCall(StringRef name, DictionaryAttr parameters, TypeRange inputs, TypeRange outputs,
                                      RuleCall &call, std::string &problem) {
  auto describe = [&](Type type, CodeTensor &to) -> LogicalResult {
    auto tensor = cast<RankedTensorType>(type);
    std::optional<CodeTensor> codes = CodeTensor::describe(tensor, tensor.getShape());
    bool offset = codes && getBlockEncoding(type).getCodec().getIntStyle() == IntStyle::Offset;
    if (!codes || offset || !tensor.hasStaticShape()) {
      llvm::raw_string_ostream(problem) << "it takes integer codes of a static encoding and shape, got " << type;
      return failure();
    }
    to = std::move(*codes);
    return success();
  };
  call.parameters = parameters;
  call.inputs.resize(inputs.size());
  for (auto [type, input] : llvm::zip_equal(inputs, call.inputs))
    if (failed(describe(type, input)))
      return failure();
  if (outputs.empty())
    return problem = "it has results", failure();
  call.further.resize(outputs.size() - 1);
  for (auto [i, type] : llvm::enumerate(outputs))
    if (failed(describe(type, i == 0 ? call.output : call.further[i - 1])))
      return failure();
  // The rule's own checks, on zeros; shapes and parameters are all that they look at.
  RuleCall probe = call;
  for (CodeTensor &input : probe.inputs)
    input.codes.assign(input.count(), int32_t(input.zero));
  return applyIntegerRule(name, probe, problem);
}
