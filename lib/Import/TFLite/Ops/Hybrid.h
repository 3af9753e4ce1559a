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

/// i32 sums of products of these codes with those of the weights -> reals: f32(sum) * (scale * scale of the weight), or,
/// `inTwoSteps`, (f32(sum) * scale of the weight) * scale; each step is rounded. Channels are the last axis.
Val scaleSums(const Node &n, const Val &sums, const Val &scale, bool inTwoSteps);

/// Fails for weights that such a layer cannot have.
LogicalResult checkHybrid(const Node &n, int64_t channels);

} // namespace mlir::qtensor::tflite
