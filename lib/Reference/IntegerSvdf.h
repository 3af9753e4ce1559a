// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rule "tflite.svdf": a layer of filters over a sliding window of steps, as TFLite Micro computes it on codes. For a filter f of
// unit u = f / rank
//   state[f] = state[f] moved by one step, then at its end z + sat(x * W[f])          W: features [filters, inputs]
//   y[u]     = sat8(sum over the filters of u of (state[f] - z) * T[f] + b[u])          T: times [filters, steps]
// where both products are scaled to the codes of what they are written to. Inputs: x [batch, inputs], W, T, the state
// [batch, filters * steps], and, where there is one, b [units]. T and the state have 16 bits, or 8. Outputs: y and the
// state. Parameter "rank" is the number of filters of a unit.
#pragma once
#include "lib/Reference/IntegerRules.h"

namespace mlir::qtensor::reference {

enum SvdfInput : unsigned { kSvdfX, kSvdfFeatures, kSvdfTimes, kSvdfState, kSvdfBias };

/// What the rule's numbers follow from.
struct SvdfRule {
  int64_t batch = 0, in = 0, filters = 0, units = 0, rank = 0, steps = 0;
  bool hasBias = false;
  QuantizedMultiplier newest, result; ///< x W to the codes of the state; the sums to those of y.

  /// Nothing where `problem` says what the call cannot have.
  static std::optional<SvdfRule> read(const RuleCall &call, std::string &problem);
};

LogicalResult applySvdf(RuleCall &call, std::string &problem);

} // namespace mlir::qtensor::reference
