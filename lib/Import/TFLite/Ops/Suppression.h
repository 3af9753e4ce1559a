// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Greedy choice of boxes by their scores. It needs no sorting: each round takes the best candidate, the first of equal
// ones, and lowers the scores of others.
#pragma once
#include "lib/Import/TFLite/Node.h"
#include <cmath>

namespace mlir::qtensor::tflite {

constexpr double kDropped = -INFINITY; ///< The score of what is no candidate.

/// The candidates of a choice and how many rounds it has.
struct Choice {
  Val scores; ///< Of all candidates.
  int64_t rounds;
  SmallVector<Val> others;  ///< What else a new score depends on: of the scores' extents, or numbers.
  Value limit;              ///< An index: no round from this one on takes anything. May be null.
  bool keepsScores = false; ///< Whether the scores of the taken ones are wanted.
};
/// In i32 and f32: what each round took, -1 for nothing, and its score then.
struct Taken {
  Val places;
  std::optional<Val> scores;
};
/// The score of a candidate behind a round that took the one at `taken`; `isTaken` is true for that one itself.
using Rescore = llvm::function_ref<Value(Scalar &, Value score, Value isTaken, Value taken, ValueRange others)>;
Taken takeBest(Emit &e, const Choice &choice, Rescore rescore);

/// Intersection over union of two boxes (top, left, bottom, right); 0 where one has no area.
Value overlap(Scalar &s, ValueRange box, ValueRange other);
/// Column `column` of the rows of a matrix, or of what lies in its only slice.
Val column(Emit &e, const Val &x, int64_t column);

} // namespace mlir::qtensor::tflite
