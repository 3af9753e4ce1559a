// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/IntegerSums.h"
#include "lib/Reference/FinalMap.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::reference;

double reference::sumScale(const RuleCall &call) {
  return 2 * double(call.inputs[0].scale) / (double(1 << 20) * double(call.output.scale));
}

namespace {
/// From sums to codes.
struct SumMap {
  SumMap(const RuleCall &call) : out(call.output), by(quantizeMultiplier(sumScale(call), call.singleRounding())) {
    mode = call.singleRounding() ? FixedMode::Single : FixedMode::Double;
  }
  int32_t operator()(int64_t sum) const {
    auto wide = int32_t(uint32_t(uint64_t(sum) << kSumShift));
    return int32_t(std::clamp<int64_t>(mapFixed(wide, by.multiplier, by.shift, mode) + out.zero, out.low, out.high));
  }
  const CodeTensor &out;
  QuantizedMultiplier by;
  FixedMode mode;
};

LogicalResult check(const RuleCall &call, std::string &problem) {
  for (const CodeTensor &x : call.inputs)
    if (x.bits > 8 || call.output.bits > 8 || x.scale != call.inputs[0].scale || x.zero != call.inputs[0].zero ||
        x.shape != call.output.shape)
      return problem = "it is defined for codes of 8 bits, inputs of one scale, and one shape", failure();
  return success();
}
} // namespace

LogicalResult reference::addManyCodes(RuleCall &call, std::string &problem) {
  if (failed(check(call, problem)))
    return failure();
  SumMap map(call);
  for (int64_t i = 0, count = call.output.count(); i < count; ++i) {
    int64_t sum = -call.inputs[0].zero;
    for (const CodeTensor &x : call.inputs)
      sum += x.codes[i] - x.zero;
    call.output.codes[i] = map(sum);
  }
  return success();
}

LogicalResult reference::cumulateCodes(RuleCall &call, std::string &problem) {
  const CodeTensor &x = call.inputs[0];
  int64_t axis = call.integer("axis"), rank = int64_t(x.shape.size());
  if (failed(check(call, problem)))
    return failure();
  if (axis < 0 || axis >= rank)
    return problem = "its axis is none of its input's", failure();
  SumMap map(call);
  bool exclusive = call.integer("exclusive"), reverse = call.integer("reverse");
  int64_t depth = x.shape[axis], inner = 1;
  for (int64_t i = axis + 1; i < rank; ++i)
    inner *= x.shape[i];
  for (int64_t line = 0, lines = depth ? x.count() / depth : 0; line < lines; ++line) {
    int64_t first = line / inner * inner * depth + line % inner, sum = -x.zero;
    for (int64_t i = 0; i < depth; ++i) {
      int64_t at = first + (reverse ? depth - 1 - i : i) * inner, before = sum;
      sum += x.codes[at] - x.zero;
      call.output.codes[at] = map(exclusive ? before : sum);
    }
  }
  return success();
}
