// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/LiteLstm.h"
#include "lib/Reference/FinalMap.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::reference;

/// Every input that the layer has, in its extents and its width; empty where all fit.
static std::string checkInputs(const LiteLstmRule &rule, const RuleCall &call) {
  struct Form {
    SmallVector<int64_t> shape;
    unsigned bits;
  };
  auto form = [&](unsigned i) -> Form {
    if (i < kLiteR)
      return {{rule.cells, rule.in}, 8};
    if (i < kLitePeephole)
      return {{rule.cells, rule.out}, 8};
    if (i < kLiteBias || i >= kLiteNorm)
      return {{rule.cells}, 16};
    if (i < kLiteProjection)
      return {{rule.cells}, 32};
    if (i == kLiteProjection)
      return {{rule.out, rule.cells}, 8};
    if (i == kLiteProjectionBias)
      return {{rule.out}, 32};
    return i == kLiteH ? Form{{rule.batch, rule.out}, 8} : Form{{rule.batch, rule.cells}, 16};
  };
  for (unsigned i = 1; i < kLiteLstmInputs; ++i) {
    if (!rule.has(i))
      continue;
    const CodeTensor &tensor = call.inputs[rule.at[i]];
    Form expected = form(i);
    if (tensor.shape != expected.shape || tensor.bits != expected.bits || tensor.low >= 0 || (i != kLiteH && tensor.zero))
      return "input " + std::to_string(i) + " does not have the extents, the width or the zero point that its layer wants";
  }
  return "";
}

static bool sameCodes(const CodeTensor &a, const CodeTensor &b) {
  return a.scale == b.scale && a.zero == b.zero && a.bits == b.bits && a.low == b.low;
}

/// The operands' places; false where the list is none of inputs.
static bool readPlaces(const RuleCall &call, LiteLstmRule &rule) {
  std::fill_n(rule.at, kLiteLstmInputs, -1);
  ArrayRef<int64_t> numbers = call.list("inputs");
  if (numbers.size() != call.inputs.size())
    return false;
  int64_t before = -1;
  for (auto [operand, number] : llvm::enumerate(numbers)) {
    if (number <= before || number >= int64_t(kLiteLstmInputs))
      return false;
    rule.at[before = number] = int(operand);
  }
  return true;
}

/// Which inputs come together; empty where they do.
static std::string checkPresence(const LiteLstmRule &rule) {
  for (unsigned gate : {kForgetGate, kCandidate, kOutputGate})
    if (!rule.has(kLiteW + gate) || !rule.has(kLiteR + gate) || !rule.has(kLiteBias + gate) ||
        rule.has(kLiteNorm + gate) != rule.normalized())
      return "it lacks weights, a bias or a normalization of a gate";
  bool peepholes = rule.has(kLitePeephole + 1);
  bool together = rule.has(kLiteR) == rule.has(kLiteW) && rule.has(kLiteBias) == rule.has(kLiteW) &&
                  rule.has(kLiteNorm) == (rule.normalized() && rule.has(kLiteW)) &&
                  rule.has(kLitePeephole) == (peepholes && rule.has(kLiteW)) && rule.has(kLitePeephole + 2) == peepholes;
  if (!together || !rule.has(kLiteX) || !rule.has(kLiteH) || !rule.has(kLiteC) ||
      (rule.has(kLiteProjectionBias) && !rule.projects()))
    return "it lacks parts that come together: of the input gate, of the peepholes or of the projection";
  return "";
}

/// Multipliers. Products and quotients of scales are rounded to f32, as the published kernel has them.
static void readScales(const RuleCall &call, LiteLstmRule &rule) {
  bool single = call.singleRounding();
  auto scaleOf = [&](unsigned input) { return call.inputs[rule.at[input]].scale; };
  static const char *const gateScales[] = {"gate_scale_0", "gate_scale_1", "gate_scale_2", "gate_scale_3"};
  float cell = scaleOf(kLiteC), state = scaleOf(kLiteH), hidden = float(call.real("hidden_scale"));
  for (unsigned gate = rule.coupled() ? 1 : 0; gate < kLstmGates; ++gate) {
    float to = rule.normalized() ? float(call.real(gateScales[gate])) : 1.0f / 4096.0f;
    float input = scaleOf(kLiteW + gate) * scaleOf(kLiteX) / to, recurrent = scaleOf(kLiteR + gate) * state / to;
    rule.fromInput[gate] = quantizeMultiplier(input, single);
    rule.fromState[gate] = quantizeMultiplier(recurrent, single);
    if (int peephole = rule.peephole(gate); peephole >= 0)
      rule.fromCell[gate] = quantizeMultiplier(float(double(cell) * double(call.inputs[peephole].scale) / double(to)), single);
    if (rule.normalized()) {
      float norm = scaleOf(kLiteNorm + gate);
      rule.norm[gate] = quantizeMultiplier(norm, single);
      rule.guard[gate] = std::max<int64_t>(1, int32_t(10000 * norm));
    }
  }
  rule.hidden = quantizeMultiplier(float(std::ldexp(std::ldexp(1.0, -15) / double(hidden), -15)), single);
  if (rule.projects())
    rule.projected = quantizeMultiplier(scaleOf(kLiteProjection) * hidden / state, single);
  if (float clip = float(call.real("cell_clip")); clip > 0)
    rule.cellClip = int16_t(std::min(clip / cell, 32767.0f));
  if (float clip = float(call.real("proj_clip")); clip > 0 && rule.projects())
    rule.projectionClip = int8_t(std::min(clip / call.output.scale, 127.0f));
}

std::optional<LiteLstmRule> LiteLstmRule::read(const RuleCall &call, std::string &problem) {
  LiteLstmRule rule;
  if (!readPlaces(call, rule))
    return problem = "its parameter 'inputs' does not name the inputs in ascending order", std::nullopt;
  if (problem = checkPresence(rule); !problem.empty())
    return std::nullopt;
  const CodeTensor &x = call.inputs[rule.at[kLiteX]], &h = call.inputs[rule.at[kLiteH]], &c = call.inputs[rule.at[kLiteC]];
  if (x.shape.size() != 3 || h.shape.size() != 2 || c.shape.size() != 2 || x.bits != 8 || x.low >= 0)
    return problem = "it takes codes of 8 bits [batch, time, inputs] and states [batch, cells]", std::nullopt;
  rule.timeMajor = call.integer("time_major");
  rule.batch = x.shape[rule.timeMajor], rule.steps = x.shape[!rule.timeMajor], rule.in = x.shape[2];
  rule.cells = c.shape[1], rule.out = h.shape[1];
  if (problem = checkInputs(rule, call); !problem.empty())
    return std::nullopt;
  if (!rule.projects() && rule.out != rule.cells)
    return problem = "it has another number of outputs than of cells and no projection", std::nullopt;
  if (rule.has(kLitePeephole + 1) && rule.out != rule.cells)
    return problem = "peepholes are defined for as many outputs as cells", std::nullopt;
  SmallVector<int64_t> sequence{rule.timeMajor ? rule.steps : rule.batch, rule.timeMajor ? rule.batch : rule.steps, rule.out};
  bool same = sameCodes(h, call.output) && call.output.shape == sequence && sameCodes(h, call.further[0]) &&
              call.further[0].shape == h.shape && sameCodes(c, call.further[1]) && call.further[1].shape == c.shape;
  if (!same)
    return problem = "its outputs must have the extents, scales and zero points of its states", std::nullopt;
  int exponent;
  rule.cellBits = std::frexp(c.scale, &exponent) == 0.5f ? 15 + exponent - 1 : -1;
  if (rule.cellBits < 0 || rule.cellBits > 6)
    return problem = "the scale of its cells is no power of two from 2^-15 to 2^-9", std::nullopt;
  rule.hiddenZero = call.integer("hidden_zero");
  if (!(call.real("hidden_scale") > 0) || (!rule.projects() && rule.hiddenZero != h.zero))
    return problem = "its hidden values lack a scale, or have another zero point than its output", std::nullopt;
  for (const char *name : {"gate_scale_0", "gate_scale_1", "gate_scale_2", "gate_scale_3"})
    if (rule.normalized() && !(call.real(name) > 0))
      return problem = std::string("it has normalizations and no parameter '") + name + "'", std::nullopt;
  readScales(call, rule);
  return rule;
}

static int16_t saturate16(int64_t value) { return int16_t(std::clamp<int64_t>(value, -32768, 32767)); }

namespace {
/// One call's states and numbers.
struct LiteLstmRun {
  RuleCall &call;
  const LiteLstmRule &rule;
  FixedMode mode;

  const CodeTensor &input(unsigned i) const { return call.inputs[rule.at[i]]; }
  int64_t scale(int64_t value, QuantizedMultiplier by) const {
    return mapFixed(int32_t(value), by.multiplier, by.shift, mode);
  }
  void normalize(unsigned gate, std::vector<int16_t> &values) const;
  std::vector<int16_t> gate(unsigned gate, const int32_t *x, const int32_t *h, const int32_t *c) const;
  void step(const int32_t *x, int32_t *h, int32_t *c, int32_t *out) const;
};
} // namespace

/// (g - mean) / deviation in units of 2^-10, times the weights, plus the bias.
void LiteLstmRun::normalize(unsigned gate, std::vector<int16_t> &values) const {
  int64_t sum = 0, squares = 0, count = rule.cells;
  for (int16_t value : values)
    sum += value, squares += int64_t(value) * value;
  auto mean = int32_t(sum * 1024 / count);
  auto variance = int32_t((squares * int64_t((1 << 20) / int32_t(count)) - int64_t(mean) * mean) / (1 << 20));
  QuantizedMultiplier inverse = inverseRoot(variance < 1 ? int32_t(rule.guard[gate]) : variance);
  QuantizedMultiplier by = rule.norm[gate];
  by.shift += 12;
  for (int64_t j = 0; j < count; ++j) {
    auto standard = int32_t(scale(1024 * int64_t(values[j]) - mean, inverse));
    int64_t weight = input(kLiteNorm + gate).codes[j], bias = input(kLiteBias + gate).codes[j];
    auto biased = int32_t(standard * weight + bias);
    values[j] = saturate16(scale((int64_t(biased) + (biased > 0 ? 512 : -512)) / 1024, by));
  }
}

std::vector<int16_t> LiteLstmRun::gate(unsigned gate, const int32_t *x, const int32_t *h, const int32_t *c) const {
  std::vector<int16_t> values(rule.cells);
  int peephole = rule.peephole(gate);
  for (int64_t cell = 0; cell < rule.cells; ++cell) {
    int64_t bias = rule.normalized() ? 0 : input(kLiteBias + gate).codes[cell];
    int64_t fromX = saturate16(scale(dot(input(kLiteW + gate), cell, x, input(kLiteX).zero) + bias, rule.fromInput[gate]));
    int64_t fromH = scale(dot(input(kLiteR + gate), cell, h, input(kLiteH).zero), rule.fromState[gate]);
    values[cell] = saturate16(fromX + fromH);
    if (peephole >= 0)
      values[cell] = saturate16(values[cell] + scale(int64_t(call.inputs[peephole].codes[cell]) * c[cell], rule.fromCell[gate]));
  }
  if (rule.normalized())
    normalize(gate, values);
  for (int16_t &value : values)
    value = gate == kCandidate ? tanh16(value, 3) : logisticQ3(value);
  return values;
}

void LiteLstmRun::step(const int32_t *x, int32_t *h, int32_t *c, int32_t *out) const {
  std::vector<int16_t> forget = gate(kForgetGate, x, h, c), candidate = gate(kCandidate, x, h, c);
  std::vector<int16_t> input = rule.coupled() ? forget : gate(kInputGate, x, h, c);
  for (int64_t cell = 0; cell < rule.cells; ++cell) {
    int64_t kept = divideByPowerOfTwo(int32_t(forget[cell]) * c[cell], 15);
    int32_t opened = rule.coupled() ? 32767 - forget[cell] : input[cell];
    int64_t sum = saturate16(kept + divideByPowerOfTwo(opened * candidate[cell], 15 + rule.cellBits));
    c[cell] = int32_t(rule.cellClip ? std::clamp(sum, -rule.cellClip, rule.cellClip) : sum);
  }
  std::vector<int16_t> output = gate(kOutputGate, x, h, c);
  std::vector<int32_t> hidden(rule.cells);
  int64_t zero = rule.projects() ? -rule.hiddenZero : rule.hiddenZero;
  for (int64_t cell = 0; cell < rule.cells; ++cell) {
    int64_t shown = int64_t(output[cell]) * tanh16(int16_t(c[cell]), rule.cellBits);
    hidden[cell] = int32_t(std::clamp<int64_t>(scale(shown, rule.hidden) + zero, -128, 127));
  }
  for (int64_t i = 0; i < rule.out; ++i) {
    int64_t code = hidden[rule.projects() ? 0 : i];
    if (rule.projects()) {
      int64_t bias = rule.has(kLiteProjectionBias) ? this->input(kLiteProjectionBias).codes[i] : 0;
      int64_t sum = dot(this->input(kLiteProjection), i, hidden.data(), -rule.hiddenZero) + bias;
      code = std::clamp<int64_t>(scale(sum, rule.projected) + call.output.zero, -128, 127);
      if (rule.projectionClip)
        code = std::clamp(code, -rule.projectionClip, rule.projectionClip);
    }
    out[i] = h[i] = int32_t(code);
  }
}

LogicalResult reference::applyLiteLstm(RuleCall &call, std::string &problem) {
  std::optional<LiteLstmRule> rule = LiteLstmRule::read(call, problem);
  if (!rule)
    return failure();
  LiteLstmRun run{call, *rule, call.singleRounding() ? FixedMode::Single : FixedMode::Double};
  call.further[0].codes = run.input(kLiteH).codes;
  call.further[1].codes = run.input(kLiteC).codes;
  for (int64_t n = 0; n < rule->batch; ++n)
    for (int64_t t = 0; t < rule->steps; ++t)
      run.step(run.input(kLiteX).codes.data() + rule->position(n, t, rule->in), call.further[0].codes.data() + n * rule->out,
               call.further[1].codes.data() + n * rule->cells, call.output.codes.data() + rule->position(n, t, rule->out));
  return success();
}
