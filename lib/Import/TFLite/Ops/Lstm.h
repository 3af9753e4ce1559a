// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What layers of LSTM cells mean, and what of their inputs is checked, for all operators that hold such cells.
#pragma once
#include "lib/Import/TFLite/Ops/Hybrid.h"

namespace mlir::qtensor::tflite {

// Inputs by number, as UNIDIRECTIONAL_SEQUENCE_LSTM has them; four gates (input, forget, candidate, output) each, but
// no peephole for the candidate.
constexpr unsigned kInputs = 24, kWeights = 1, kRecurrent = 5, kPeephole = 9, kBias = 12, kProjection = 16,
                   kProjectionBias = 17, kHidden = 18, kCell = 19, kNorm = 20;
constexpr unsigned kInputGate = 0, kForgetGate = 1, kCandidate = 2, kOutputGate = 3;

/// What the meaning is emitted from: the inputs that the layer has.
struct Lstm {
  std::optional<Val> inputs[kInputs];
  std::optional<float> scales[kInputs];    ///< Of matrices that are codes beside float activations.
  bool hybrid = false, asymmetric = false; ///< Whether there are such ones; how activations become codes.
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
  /// Whether matrices are codes beside the float activations; fails for mixtures that no runtime has.
  FailureOr<bool> isHybrid() const;

private:
  const Node &n;
  SmallVector<int> places;
};

/// The outputs of a layer of floats, also beside matrices of codes, over `x` in place of input 0. Its states become
/// what they are behind it.
FailureOr<Val> runRealLayer(const Node &n, const LstmInputs &inputs, const Val &x, bool timeMajor, bool backward);

} // namespace mlir::qtensor::tflite
