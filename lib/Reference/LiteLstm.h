// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rule "litert.lstm": a layer of LSTM cells over a sequence, as TFLite's own kernel 8x8_16 computes it on codes. It is not the
// function of "tflite.lstm": the squashing functions are FixedPoint16.h's, sums saturate at other places, and a layer may
// have peepholes, a projection, layer normalizations, and an input gate coupled to the forget gate. For each step
//   g[k] = sat16(scaled(h * R[k]) + sat16(scaled(x * W[k] + b[k])))         for the gates input, forget, candidate, output
//   g[k] = sat16(g[k] + scaled(p[k] c))                                       peepholes; the output gate's sees the new c
//   g[k] = normalized(g[k]) n[k] + b[k]                                       layer normalization; b[k] is then not above
//   i, f, o = logistic(g), m = tanh(g); a coupled i = 1 - f
//   c    = clip(sat16(f c + i m)),  h = o tanh(c),  or clip(projection * (o tanh(c)) + its bias)
// Inputs are those that the layer has, in the order of the file format; parameter "inputs" are their numbers there: x 0, W 1 to
// 4, R 5 to 8, p 9 to 11, b 12 to 15, projection 16 and its bias 17, h 18, c 19, n 20 to 23. Outputs: h of all steps, h, c.
// Other parameters: "time_major", the reals "cell_clip" and "proj_clip" (0 is none), "hidden_scale" and "hidden_zero" of
// o tanh(c), and with normalizations "gate_scale_0" to "_3" of g.
#pragma once
#include "lib/Reference/FixedPoint16.h"
#include "lib/Reference/IntegerLstm.h"

namespace mlir::qtensor::reference {

constexpr unsigned kLiteLstmInputs = 24, kLiteLstmLeast = 12;
enum LiteLstmInput : unsigned {
  kLiteX = 0,
  kLiteW = 1,
  kLiteR = 5,
  kLitePeephole = 9,
  kLiteBias = 12,
  kLiteProjection = 16,
  kLiteProjectionBias = 17,
  kLiteH = 18,
  kLiteC = 19,
  kLiteNorm = 20
};

/// What the rule's numbers follow from.
struct LiteLstmRule {
  int64_t batch = 0, steps = 0, in = 0, cells = 0, out = 0;
  bool timeMajor = false;
  int at[kLiteLstmInputs]; ///< The operand that is an input of the file format; -1 where it is absent.
  QuantizedMultiplier fromInput[kLstmGates], fromState[kLstmGates], fromCell[kLstmGates], norm[kLstmGates];
  int64_t guard[kLstmGates] = {}; ///< The variance where there is none.
  QuantizedMultiplier hidden, projected;
  int64_t hiddenZero = 0, cellClip = 0, projectionClip = 0; ///< No clip is 0.
  int cellBits = 0;                                          ///< Integer bits of c.

  bool has(unsigned input) const { return at[input] >= 0; }
  bool coupled() const { return !has(kLiteW); }
  bool normalized() const { return has(kLiteNorm + kForgetGate); }
  bool projects() const { return has(kLiteProjection); }
  /// The peephole weights of a gate; -1 for none.
  int peephole(unsigned gate) const {
    return gate == kCandidate ? -1 : at[kLitePeephole + (gate == kOutputGate ? 2 : gate)];
  }
  /// Nothing where `problem` says what the call cannot have.
  static std::optional<LiteLstmRule> read(const RuleCall &call, std::string &problem);
  /// Where step `t` of `n` in the batch starts in x or in the output, whose innermost extent is `width`.
  int64_t position(int64_t n, int64_t t, int64_t width) const {
    return (timeMajor ? t * batch + n : n * steps + t) * width;
  }
};

LogicalResult applyLiteLstm(RuleCall &call, std::string &problem);

} // namespace mlir::qtensor::reference
