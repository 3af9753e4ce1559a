// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/IntegerLstm.h"
#include "lib/Reference/FinalMap.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::reference;

static bool fits(const LstmRule &rule, const RuleCall &call) {
  auto shaped = [](const CodeTensor &tensor, ArrayRef<int64_t> shape) { return ArrayRef(tensor.shape) == shape; };
  for (unsigned gate = 0; gate < kLstmGates; ++gate)
    if (!shaped(call.inputs[kLstmW + gate], {rule.cells, rule.in}) ||
        !shaped(call.inputs[kLstmR + gate], {rule.cells, rule.cells}) ||
        !shaped(call.inputs[kLstmBias + gate], {rule.cells}))
      return false;
  int64_t first = rule.timeMajor ? rule.steps : rule.batch, second = rule.timeMajor ? rule.batch : rule.steps;
  for (unsigned state : {0, 1})
    if (!shaped(call.inputs[kLstmH + state], {rule.batch, rule.cells}) ||
        !shaped(call.further[state], {rule.batch, rule.cells}))
      return false;
  return shaped(call.output, {first, second, rule.cells});
}

/// The power of two that a cell's scale is, by the rule.
static bool isPowerOfTwo(float scale) {
  int exponent;
  return std::frexp(scale, &exponent) == 0.5f;
}

/// c by a power of two: 3 * 2^12 * x is a shift of 3c, rounded where it is to the right.
static TableScale cellScale(float scale) {
  int exponent = std::ilogb(scale) + 12;
  return exponent >= 0 ? TableScale{int64_t(3) << exponent, 0} : TableScale{3, -exponent};
}

static bool sameCodes(const CodeTensor &a, const CodeTensor &b) {
  return a.scale == b.scale && a.zero == b.zero && a.bits == b.bits && a.low == b.low;
}

std::optional<LstmRule> LstmRule::read(const RuleCall &call, std::string &problem) {
  const CodeTensor &x = call.inputs[kLstmX], &h = call.inputs[kLstmH], &c = call.inputs[kLstmC];
  LstmRule rule;
  if (x.shape.size() != 3 || h.shape.size() != 2)
    return problem = "it takes [batch, time, inputs] and states [batch, cells]", std::nullopt;
  rule.timeMajor = call.integer("time_major");
  rule.batch = x.shape[rule.timeMajor], rule.steps = x.shape[!rule.timeMajor], rule.in = x.shape[2], rule.cells = h.shape[1];
  if (!fits(rule, call))
    return problem = "its weights, biases, states or outputs do not have the extents of its input and its cells", std::nullopt;
  rule.wide = x.bits == 16;
  bool fit = (x.bits == 8 || rule.wide) && x.low < 0 && h.bits == x.bits && h.low < 0 && c.bits == 16 && c.low < 0 &&
             c.zero == 0;
  for (unsigned i = kLstmW; i < kLstmBias; ++i)
    fit &= call.inputs[i].bits == 8 && call.inputs[i].low < 0 && call.inputs[i].zero == 0;
  if (!fit)
    return problem = "it takes signed codes of 8 or 16 bits, weights of 8 and cells of 16; weights and cells have the "
                     "zero point 0",
           std::nullopt;
  if (!sameCodes(h, call.output) || !sameCodes(h, call.further[0]) || !sameCodes(c, call.further[1]))
    return problem = "its outputs must have the scales and zero points of its states", std::nullopt;
  if (!isPowerOfTwo(c.scale) || std::ilogb(c.scale) < -31 || std::ilogb(c.scale) > 0)
    return problem = "the scale of its cells is no power of two from 2^-31 to 1", std::nullopt;
  bool single = call.singleRounding();
  constexpr double kGate = 1.0 / (1 << 12), kFactor = 1.0 / (1 << 15);
  for (unsigned gate = 0; gate < kLstmGates; ++gate) {
    // Products of scales are rounded to f32, as in fully connected layers.
    float input = x.scale * call.inputs[kLstmW + gate].scale, state = h.scale * call.inputs[kLstmR + gate].scale;
    rule.fromInput[gate] = quantizeMultiplier(double(input) / kGate, single);
    rule.fromState[gate] = quantizeMultiplier(double(state) / kGate, single);
  }
  rule.kept = quantizeMultiplier(kFactor, single);
  rule.added = quantizeMultiplier(kFactor * kFactor / double(c.scale), single);
  rule.result = quantizeMultiplier(kFactor * kFactor / double(h.scale), single);
  rule.cell = cellScale(c.scale);
  if (double clip = call.real("cell_clip"); clip > 0)
    rule.clip = int64_t(std::min(double(float(clip)) / double(c.scale), 32767.0));
  return rule;
}

static int64_t saturate16(int64_t value) { return std::clamp<int64_t>(value, -32768, 32767); }

namespace {
/// One call's states and numbers.
struct LstmRun {
  RuleCall &call;
  const LstmRule &rule;
  FixedMode mode, sumMode;

  int64_t scale(int64_t value, QuantizedMultiplier by) const { return mapFixed(value, by.multiplier, by.shift, mode); }
  int64_t scaleSum(int64_t sum, QuantizedMultiplier by) const {
    return saturate16(mapFixed(sum, by.multiplier, by.shift, sumMode));
  }
  int64_t gate(unsigned gate, int64_t cell, const int32_t *x, const int32_t *h) const;
  void step(const int32_t *x, int32_t *h, int32_t *c, int32_t *out) const;
};
} // namespace

int64_t LstmRun::gate(unsigned gate, int64_t cell, const int32_t *x, const int32_t *h) const {
  int64_t input = dot(call.inputs[kLstmW + gate], cell, x, call.inputs[kLstmX].zero) + call.inputs[kLstmBias + gate].codes[cell];
  int64_t state = dot(call.inputs[kLstmR + gate], cell, h, call.inputs[kLstmH].zero);
  return saturate16(scaleSum(input, rule.fromInput[gate]) + scaleSum(state, rule.fromState[gate]));
}

void LstmRun::step(const int32_t *x, int32_t *h, int32_t *c, int32_t *out) const {
  const CodeTensor &codes = call.output;
  auto sigmoid = [&](unsigned k, int64_t cell) -> int64_t { return logisticByTable(3 * gate(k, cell, x, h)); };
  for (int64_t cell = 0; cell < rule.cells; ++cell) {
    int64_t kept = saturate16(scale(sigmoid(kForgetGate, cell) * c[cell], rule.kept));
    int64_t candidate = tanhByTable(3 * gate(kCandidate, cell, x, h));
    int64_t added = saturate16(scale(sigmoid(kInputGate, cell) * candidate, rule.added));
    c[cell] = int32_t(std::clamp(saturate16(kept + added), -rule.clip, rule.clip));
    int64_t half = rule.cell.shift ? int64_t(1) << (rule.cell.shift - 1) : 0;
    int64_t shown = tanhByTable((c[cell] * rule.cell.multiplier + half) >> rule.cell.shift);
    int64_t code = scale(sigmoid(kOutputGate, cell) * shown, rule.result) + codes.zero;
    out[cell] = int32_t(std::clamp(code, codes.low, codes.high));
  }
  // Gates of all cells read the old state.
  std::copy_n(out, rule.cells, h);
}

LogicalResult reference::applyLstm(RuleCall &call, std::string &problem) {
  std::optional<LstmRule> rule = LstmRule::read(call, problem);
  if (!rule)
    return failure();
  bool single = call.singleRounding();
  LstmRun run{call, *rule, single ? FixedMode::Single : FixedMode::Double, rule->sumMode(single)};
  for (unsigned state : {0, 1})
    call.further[state].codes = call.inputs[kLstmH + state].codes;
  for (int64_t n = 0; n < rule->batch; ++n)
    for (int64_t t = 0; t < rule->steps; ++t)
      run.step(call.inputs[kLstmX].codes.data() + rule->position(n, t, rule->in),
               call.further[0].codes.data() + n * rule->cells, call.further[1].codes.data() + n * rule->cells,
               call.output.codes.data() + rule->position(n, t, rule->cells));
  return success();
}
