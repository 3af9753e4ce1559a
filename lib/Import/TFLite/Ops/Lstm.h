// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What layers of LSTM cells mean, and what of their inputs is checked, for all operators that hold such cells.
#pragma once
#include "lib/Import/TFLite/Node.h"

namespace mlir::qtensor::tflite {

// Inputs by number, as UNIDIRECTIONAL_SEQUENCE_LSTM has them; four gates (input, forget, candidate, output) each, but
// no peephole for the candidate.
constexpr unsigned kInputs = 24, kWeights = 1, kRecurrent = 5, kPeephole = 9, kBias = 12, kProjection = 16,
                   kProjectionBias = 17, kHidden = 18, kCell = 19, kNorm = 20;
constexpr unsigned kInputGate = 0, kForgetGate = 1, kCandidate = 2, kOutputGate = 3;

/// What the meaning is emitted from: the inputs that the layer has.
struct Lstm {
  std::optional<Val> inputs[kInputs];
  double cellClip = 0, projectionClip = 0;
  bool timeMajor = false, backward = false; ///< Backward: from the last step to the first.

  bool has(unsigned i) const { return inputs[i].has_value(); }
  const Val &operator[](unsigned i) const { return *inputs[i]; }
};

/// A loop over the steps: the outputs of all of them, and the states behind the last.
SmallVector<Val> emitSequence(Emit &e, Lstm all);

/// Where an operator has the inputs of a layer; by the numbers above, -1 where it can't have one.
class LstmInputs {
public:
  LstmInputs(const Node &n, ArrayRef<int> places) : n(n), places(places) {}

  bool has(unsigned i) const { return places[i] >= 0 && n.has(places[i]); }
  const Val &operator[](unsigned i) const { return n.in(places[i]); }
  const Tensor &tensor(unsigned i) const { return n.inTensor(places[i]); }
  unsigned place(unsigned i) const { return places[i]; }
  /// Whether inputs come together as the file format wants them, and states are variables.
  LogicalResult checkPresence() const;
  /// The extents of the layer, all fixed, for `x` in place of input 0.
  LogicalResult checkExtents(const Val &x, bool timeMajor) const;

private:
  const Node &n;
  SmallVector<int> places;
};

} // namespace mlir::qtensor::tflite
