// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Contractions that operators of every file format build on.
#pragma once
#include "lib/Import/Graph/Emit.h"

namespace mlir::qtensor::graph {

/// Requires that the extents over which a product sums are equal, where they are not known to be.
void requireInner(Emit &e, OpFoldResult left, OpFoldResult right);

/// [.., m, k] x [.., k, n] -> [.., m, n] with broadcast leading dimensions; both of rank at least 2 and of fitting
/// shapes. `elem` is the type of accumulator and result; integers are widened by their own signedness.
Val contract(Emit &e, const Val &a, const Val &b, Elem elem);

/// As `contract`, always as one linalg.generic; with `rows` the second operand is [.., n, k].
Val contractGeneric(Emit &e, const Val &a, const Val &b, Elem elem, bool rows);

/// [.., m, k] x [n, k] -> [.., m, n] in f32: the second operand has one row per column of the result, as weights do.
Val contractRows(Emit &e, const Val &a, const Val &rows);

/// exp(x - max) / sum over `axes`, in f32 or wider.
Val softmax(Emit &e, const Val &x, ArrayRef<int64_t> axes);

/// f32 for narrower floats, else the type itself.
Elem accumulatorOf(Elem elem);

} // namespace mlir::qtensor::graph
