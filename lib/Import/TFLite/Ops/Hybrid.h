// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Layers of float activations and int8 weights ("dynamic range", "hybrid"): the activations of each batch become codes when
// the model runs, sums of products of codes are exact, and one product with both scales makes them real again.
#pragma once
#include "lib/Import/TFLite/Node.h"

namespace mlir::qtensor::tflite {

/// True for float activations (input 0) beside weights (input 1) of signed codes of at most 8 bits that have scales of their
/// own; blocks of weights have no such kernel.
bool isHybrid(const Node &n);

/// What LiteRT makes of the activations of a batch.
struct DynamicCodes {
  Val codes; ///< Of the activations' extents, zero points subtracted: int8 where symmetric, else int16.
  Val scale; ///< f32, the extent of the first axis; 1 along the others.
};

/// The codes of x along its first axis: in [-127, 127] of the largest magnitude, or, `asymmetric`, in [-128, 127] of the range
/// between the smallest and largest value and 0. LiteRT's SymmetricQuantizeFloats and AsymmetricQuantizeFloats.
DynamicCodes quantizeDynamically(Emit &e, const Val &x, bool asymmetric);

/// i32 sums of products of these codes with those of weights of these scales -> reals: f32(sum) * (scale * scale of the
/// weight), or, `inTwoSteps`, (f32(sum) * scale of the weight) * scale; each step is rounded. Channels are the last
/// axis.
Val scaleSums(Emit &e, const Val &sums, const Val &scale, ArrayRef<float> weights, bool inTwoSteps);

/// What several matrices multiply: reals, and beside matrices of codes the codes of these reals.
struct RowFactor {
  Val reals;
  std::optional<DynamicCodes> codes;
};
RowFactor rowFactor(Emit &e, const Val &x, bool hybrid, bool asymmetric);
/// [batch, k] x [n, k] -> [batch, n] in f32; rows with a scale are codes.
Val multiplyRows(Emit &e, const RowFactor &x, const Val &rows, std::optional<float> scale);
/// Fails for weights that are no int8 codes of one scale and the zero point 0, as recurrent layers beside floats have
/// them.
LogicalResult checkRowCodes(const Node &n, const Tensor &weights);

/// Fails for weights that such a layer cannot have.
LogicalResult checkHybrid(const Node &n, int64_t channels);

} // namespace mlir::qtensor::tflite
