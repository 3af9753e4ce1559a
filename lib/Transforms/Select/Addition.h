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
/// plain arithmetic, also if the product of both is what is read; the last op of a softmax. The inputs are all operands
/// that read what it depends on.
FailureOr<Addition> matchBetweenLayers(Operation *op);

/// What lies behind padding with 0.0, reshapes and transpositions: the values that `value` has, but for zeros.
Value getUnmoved(Value value);

/// One block over the whole of a tensor of `rank`, with the parameters of `encoding`, which are numbers.
BlockAttr coverTensor(BlockAttr encoding, int64_t rank);

} // namespace mlir::qtensor
