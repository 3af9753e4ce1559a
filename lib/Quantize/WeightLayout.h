// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// In which order the dimensions of a weight are stored, and which of them are summed over.
#pragma once
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "lib/Transforms/Select/Contraction.h"

namespace mlir::qtensor {

/// One side of a contraction as a quantizer sees it.
struct SideLayout {
  SmallVector<int64_t> permutation; ///< Stored dimension i is dimension permutation[i] of the operand.
  SmallVector<int64_t> axes;        ///< Stored dimensions that are summed over: channels first, then the window.
};

/// [batch or group, n, window, k]; as it is when there is no n (depthwise: channels vectorise). Fails when the weight is
/// not indexed by plain dimensions.
FailureOr<SideLayout> getWeightLayout(Contraction contraction);

/// The same encoding of a weight of `shape`, its blocks as large as they are meant to be: where the first of `axes` is
/// shorter than a block, the block goes on along the next ones, like one of the flattened weight. It never gets larger.
BlockAttr spreadBlocks(BlockAttr encoding, ArrayRef<int64_t> axes, ArrayRef<int64_t> shape);

/// The same for an activation. Windows overlap, so blocks cannot go on along them: the first axis being shorter than a
/// block, there is one block for all axes.
BlockAttr spreadActivationBlocks(BlockAttr encoding, ArrayRef<int64_t> axes, ArrayRef<int64_t> shape);

/// The activation stays as it is; its axes are k, then the dimensions that a window slides over.
SideLayout getActivationLayout(Contraction contraction);

/// Makes `contraction` read `weight`, whose dimensions are those of the rhs in the order `permutation`.
LogicalResult replaceWeight(RewriterBase &rewriter, Contraction contraction, Value weight,
                            ArrayRef<int64_t> permutation);

} // namespace mlir::qtensor
