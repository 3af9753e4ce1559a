// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rule "tflite.lstm": a layer of LSTM cells over a sequence, as TFLite Micro computes it on codes. For each step
//   g[k]  = sat16(sat16(x * W[k] + b[k]) + sat16(h * R[k]))      for the gates k: input, forget, candidate, output;
//   Q3.12 i, f, o = logistic(g), n = tanh(g)                           by the table of FixedPoint.h; Q0.15 c     =
//   clip(sat16(sat16(f c) + sat16(i n))),  h = o tanh(c)
// where every product is scaled to the codes of what it is written to. Inputs: x [batch, time, in] (time first with
// parameter "time_major"), W of the four gates [cells, in], R [cells, cells], b [cells], h and c [batch, cells].
// Outputs: h of all steps, and h and c after the last one. Parameter "cell_clip" is a real; 0 is no clip. x and h have
// codes of 8 bits or both of 16, whose sums are scaled as those of other layers of 16 bits are (FixedMode::X16).
#pragma once
#include "lib/Reference/IntegerRules.h"

namespace mlir::qtensor::reference {

constexpr unsigned kLstmGates = 4, kLstmInputs = 1 + 3 * kLstmGates + 2;
enum LstmInput : unsigned { kLstmX = 0, kLstmW = 1, kLstmR = 5, kLstmBias = 9, kLstmH = 13, kLstmC = 14 };
enum LstmGate : unsigned { kInputGate, kForgetGate, kCandidate, kOutputGate };

/// What the rule's numbers follow from.
struct LstmRule {
  int64_t batch = 0, steps = 0, in = 0, cells = 0;
  bool timeMajor = false;
  bool wide = false;                                                ///< x and h of 16 bits.
  QuantizedMultiplier fromInput[kLstmGates], fromState[kLstmGates]; ///< To Q3.12.
  QuantizedMultiplier kept, added;                                  ///< f c and i n to the codes of c.
  QuantizedMultiplier result;                                       ///< o tanh(c) to the codes of h.
  TableScale cell;                                                  ///< Of c for tanh.
  int64_t clip = 32768;                                             ///< c stays in [-clip, clip].

  /// Nothing where `problem` says what the call cannot have.
  static std::optional<LstmRule> read(const RuleCall &call, std::string &problem);
  /// How sums become gates.
  FixedMode sumMode(bool singleRounding) const {
    return wide ? FixedMode::X16 : singleRounding ? FixedMode::Single : FixedMode::Double;
  }
  /// Where step `t` of `n` in the batch starts in x or in the output, whose innermost extent is `width`.
  int64_t position(int64_t n, int64_t t, int64_t width) const {
    return (timeMajor ? t * batch + n : n * steps + t) * width;
  }
};

LogicalResult applyLstm(RuleCall &call, std::string &problem);

} // namespace mlir::qtensor::reference
