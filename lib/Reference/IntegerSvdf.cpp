// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/IntegerSvdf.h"
#include "lib/Reference/FinalMap.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::reference;

static bool sameCodes(const CodeTensor &a, const CodeTensor &b) {
  return a.shape == b.shape && a.scale == b.scale && a.zero == b.zero && a.bits == b.bits && a.low == b.low;
}

std::optional<SvdfRule> SvdfRule::read(const RuleCall &call, std::string &problem) {
  const CodeTensor &x = call.inputs[kSvdfX], &features = call.inputs[kSvdfFeatures], &times = call.inputs[kSvdfTimes];
  const CodeTensor &state = call.inputs[kSvdfState];
  SvdfRule rule;
  if (x.shape.size() != 2 || features.shape.size() != 2 || times.shape.size() != 2)
    return problem = "it takes [batch, inputs], features [filters, inputs] and times [filters, steps]", std::nullopt;
  rule.batch = x.shape[0], rule.in = x.shape[1], rule.filters = features.shape[0], rule.steps = times.shape[1];
  rule.rank = call.integer("rank");
  if (rule.rank < 1 || rule.filters % rule.rank || rule.steps < 1)
    return problem = "its filters are no multiple of the rank, or it has no steps", std::nullopt;
  rule.units = rule.filters / rule.rank;
  rule.hasBias = call.inputs.size() > kSvdfBias;
  auto shaped = [](const CodeTensor &tensor, ArrayRef<int64_t> shape) { return ArrayRef(tensor.shape) == shape; };
  bool fit = features.shape[1] == rule.in && times.shape[0] == rule.filters &&
             shaped(state, {rule.batch, rule.filters * rule.steps}) && shaped(call.output, {rule.batch, rule.units}) &&
             (!rule.hasBias || shaped(call.inputs[kSvdfBias], {rule.units}));
  if (!fit || !sameCodes(state, call.further[0]))
    return problem = "its weights, bias, state and outputs do not have the extents of its input and its filters", std::nullopt;
  auto codes = [](const CodeTensor &tensor, unsigned bits) { return tensor.bits == bits && tensor.low < 0; };
  bool narrow = codes(x, 8) && codes(features, 8) && features.zero == 0 && times.zero == 0 && codes(call.output, 8) &&
                (codes(state, 16) || codes(state, 8)) && codes(times, state.bits);
  if (!narrow)
    return problem = "it takes signed codes of 8 bits, and a state and times of 16 or of 8; weights have the zero point 0",
           std::nullopt;
  bool single = call.singleRounding();
  // Products and quotients of scales are rounded to f32.
  rule.newest = quantizeMultiplier(double(x.scale * features.scale / state.scale), single);
  rule.result = quantizeMultiplier(double(state.scale * times.scale / call.output.scale), single);
  return rule;
}

LogicalResult reference::applySvdf(RuleCall &call, std::string &problem) {
  std::optional<SvdfRule> rule = SvdfRule::read(call, problem);
  if (!rule)
    return failure();
  const CodeTensor &x = call.inputs[kSvdfX], &features = call.inputs[kSvdfFeatures], &times = call.inputs[kSvdfTimes];
  CodeTensor &state = call.further[0], &out = call.output;
  FixedMode mode = call.singleRounding() ? FixedMode::Single : FixedMode::Double;
  auto scale = [&](int64_t sum, QuantizedMultiplier by) { return mapFixed(int32_t(sum), by.multiplier, by.shift, mode); };
  state.codes = call.inputs[kSvdfState].codes;
  for (int64_t n = 0; n < rule->batch; ++n) {
    for (int64_t f = 0; f < rule->filters; ++f) {
      int32_t *window = state.codes.data() + (n * rule->filters + f) * rule->steps;
      std::copy(window + 1, window + rule->steps, window);
      int64_t sum = 0;
      for (int64_t i = 0; i < rule->in; ++i)
        sum += int64_t(features.codes[f * rule->in + i]) * (x.codes[n * rule->in + i] - x.zero);
      int64_t code = std::clamp<int64_t>(scale(sum, rule->newest), state.low, state.high) + state.zero;
      // A code of 8 bits wraps behind its zero point.
      window[rule->steps - 1] = state.bits == 8 ? int8_t(code) : int16_t(code);
    }
    for (int64_t u = 0; u < rule->units; ++u) {
      int64_t sum = rule->hasBias ? call.inputs[kSvdfBias].codes[u] : 0;
      for (int64_t i = u * rule->rank * rule->steps, end = i + rule->rank * rule->steps; i < end; ++i)
        sum += int64_t(times.codes[i]) * (state.codes[n * rule->filters * rule->steps + i] - state.zero);
      out.codes[n * rule->units + u] = int32_t(std::clamp<int64_t>(scale(sum, rule->result) + out.zero, out.low, out.high));
    }
  }
  return success();
}
