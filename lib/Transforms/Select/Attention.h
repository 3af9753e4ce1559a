// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// softmax(scale * q.k^T + mask).v as linalg spells it.
#pragma once
#include "lib/Transforms/Select/Contraction.h"

namespace mlir::qtensor {

/// A contraction of attention by its loops: batches (in all operands), rows (of queries), and what is left.
struct AttentionProduct {
  Contraction contraction;
  SmallVector<unsigned> batches, rows; ///< In the order of the scores' dimensions.
  unsigned token = 0, element = 0;     ///< Of keys and values; `element` of a head.
};

/// What was found. The scores are [batches..., rows..., tokens].
struct AttentionMatch {
  AttentionProduct scores, values;
  /// Elementwise ops from the product to the scores that softmax reads, first one first, and the operand of each that is
  /// a score.
  SmallVector<std::pair<linalg::GenericOp, unsigned>> masks;
  double scale = 1;
  bool rounded = false; ///< The model rounds both queries and weights.
};

/// A softmax along the last dimension.
struct Softmax {
  Value scores;
  OpOperand *terms, *largest; ///< Who reads them: exponentials, and the maximum of each row.
};
/// The softmax whose last op makes `weights`, of unrounded values throughout.
FailureOr<Softmax> matchSoftmax(Value weights);

/// Matches the product of weights and values. On failure `why` says which rule is missed.
FailureOr<AttentionMatch> matchAttention(linalg::LinalgOp product, std::string &why);

} // namespace mlir::qtensor
