// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums of activations: of two tensors, or of one over windows or along axes. Means are such sums and a quotient.
#pragma once
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::qtensor {

/// A linalg op that adds up activations and nothing else.
struct Addition {
  linalg::LinalgOp op;
  SmallVector<OpOperand *, 2> inputs; ///< Two of a sum of tensors, one of a sum over windows or axes.

  bool isReduction() const { return inputs.size() == 1; }
};

/// Matches `op`: of floats in static shapes, no constant added; a reduction starts at 0. The body of a rule has none.
FailureOr<Addition> matchAddition(Operation *op);

/// Arithmetic that sums of codes can do, or what only picks one of its inputs.
bool isPlainArithmetic(linalg::LinalgOp op);

/// What reads rounded values between layers: an addition; a product of two activations; a function of one that is no
/// plain arithmetic, or reads parts of tensors or a tensor of parts, also if the product of both is what is read; the
/// last op of a softmax. The inputs are all operands that read what it depends on.
FailureOr<Addition> matchBetweenLayers(Operation *op);

/// What an elementwise op takes its elements from, each of them as it is, at places that do not depend on data: slices
/// backwards, repeated pixels, edges and mirrors. Null for other ops.
Value getPickedFrom(Operation *op);
/// The tensor whose values `op` moves, some or all of them, perhaps with others around; null for other ops.
Value getMoved(Operation *op);

/// What lies behind padding with 0.0, reshapes and transpositions: the values that `value` has, but for zeros.
Value getUnmoved(Value value);
/// What lies behind slices and picked elements too: the tensor that `value` is some of.
Value getWhole(Value value);

/// One block over the whole of a tensor of `rank`, with the parameters of `encoding`, which are numbers.
BlockAttr coverTensor(BlockAttr encoding, int64_t rank);

} // namespace mlir::qtensor
