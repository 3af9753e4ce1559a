// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/IntegerSoftmax16.h"
#include "lib/Reference/FinalMap.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::reference;

/// fn over [low, high] as Q0.15, in Real. Each entry is moved by half of what the line errs in the middle of its step.
template <typename Real, typename Fn> static Table16 makeTable(Real scale, int zero, Fn fn) {
  constexpr int steps = 512;
  Real low = scale * Real(-32768 - zero), high = scale * Real(32767 - zero), unit = Real(2) / 65535;
  Real step = (high - low) / steps, half = step / 2, inverse = Real(65536) / (unit * 32767 - unit * -32768);
  auto bound = [](Real value) { return int16_t(std::min<Real>(std::max<Real>(value, -32768), 32767)); };
  Table16 table;
  for (int i = 0; i < steps; ++i) {
    Real here = fn(low + Real(i) * step), middle = fn(low + Real(i) * step + half), next = fn(low + Real(i + 1) * step);
    Real sample = std::round(here * inverse), line = std::round((next * inverse + sample) / 2);
    table[i] = bound(sample - std::round((line - std::round(middle * inverse)) / 2));
  }
  table[steps] = bound(std::round(fn(high) * inverse));
  return table;
}

template <typename Real> static const SoftmaxTables &tablesIn() {
  static const SoftmaxTables tables = {makeTable<Real>(Real(10) / 65535, 32767, [](Real x) { return std::exp(x); }),
                                       makeTable<Real>(Real(1) / 65535, -32768, [](Real x) { return 1 / (1 + x); })};
  return tables;
}

const SoftmaxTables &reference::softmaxTables16(const RuleCall &call) {
  return call.integer("f64_tables") ? tablesIn<double>() : tablesIn<float>();
}

int16_t reference::lookup16(int16_t code, const Table16 &table) {
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
  const SoftmaxTables &tables = softmaxTables16(call);
  int64_t depth = x.shape.back();
  for (int64_t row = 0, rows = depth ? x.count() / depth : 0; row < rows; ++row) {
    const int32_t *from = x.codes.data() + row * depth;
    int32_t top = *std::max_element(from, from + depth), sum = 0;
    std::vector<int32_t> terms(depth);
    for (int64_t i = 0; i < depth; ++i) {
      int64_t scaled = mapFixed(from[i] - top, by.multiplier, by.shift, mode) + 32767;
      terms[i] = lookup16(int16_t(std::clamp<int64_t>(scaled, -32768, 32767)), tables.exp);
      sum += terms[i];
    }
    int headroom = __builtin_clz(uint32_t(sum)), right = 31 - headroom;
    int64_t shifted = ((int64_t(sum) << (headroom - 1)) + (1 << 13)) >> 14;
    int64_t inverse = lookup16(int16_t(std::clamp<int64_t>(shifted - 3 * 32768, -32768, 32767)), tables.reciprocal);
    for (int64_t i = 0; i < depth; ++i) {
      int64_t result = (terms[i] * inverse + (int64_t(1) << (right - 1))) >> right;
      out.codes[row * depth + i] = int32_t(std::clamp<int64_t>(result, 0, 32767));
    }
  }
  return success();
}
