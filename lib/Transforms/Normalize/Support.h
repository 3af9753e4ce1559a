// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the normalisation passes share: permutations of tensors and of loops, constants, locations.
#pragma once
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::qtensor::normalize {

/// Result dimension i of a transposition by `permutation` is dimension permutation[i] of its source.
using Permutation = SmallVector<int64_t>;

bool isIdentity(ArrayRef<int64_t> permutation);
Permutation invert(ArrayRef<int64_t> permutation);
/// The transposition by `first`, then by `second`.
Permutation compose(ArrayRef<int64_t> first, ArrayRef<int64_t> second);
template <typename T> SmallVector<T> permute(ArrayRef<T> values, ArrayRef<int64_t> permutation) {
  return llvm::map_to_vector(permutation, [&](int64_t position) { return values[position]; });
}
RankedTensorType permute(RankedTensorType type, ArrayRef<int64_t> permutation);

/// `value` transposed; the value itself for the identity, and the source's source for a pair that cancels.
Value transpose(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> permutation);
/// The op if `value` is a transposition of a tensor without an encoding.
linalg::TransposeOp getTranspose(Value value);

/// The map of an operand whose dimensions were permuted.
AffineMap permuteResults(AffineMap map, ArrayRef<int64_t> permutation);
/// The map over reordered loops: new loop i is old loop order[i].
AffineMap permuteLoops(AffineMap map, ArrayRef<int64_t> order);

/// Whether `op` is of the kind that is computed at compile time when its operands are constants. Ops of our dialects
/// are not: what they say about codes is for later phases.
bool isEvaluable(Operation *op);

/// Whether `value` is computed from constants alone by ops that the evaluator runs at compile time, so that an op more
/// on it costs nothing in the artifact. Encoded tensors are not: their codes stay as they are.
bool isConstant(Value value);
/// Whether the tensor is filled with zeros.
bool isZeroFilled(Value value);
/// A tensor like `value`, an init: permuted as told, and filled with the same scalar if `value` is.
Value permuteInit(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> permutation);

/// The source names of both.
Location fuse(Location a, Location b);

/// Copies the discardable attributes, without upstream's memo of the indexing maps of a named op.
void copyAttributes(Operation *from, Operation *to);

/// A linalg.generic with the payload of `op` (whose loops are reordered: new loop i is old loop order[i]) on other
/// operands, read and written through `maps`, which are over the new loops. Discardable attributes are kept.
linalg::GenericOp withOperands(RewriterBase &rewriter, Location loc, linalg::LinalgOp op, ArrayRef<int64_t> order,
                               ValueRange inputs, ValueRange inits, ArrayRef<AffineMap> maps);

} // namespace mlir::qtensor::normalize
