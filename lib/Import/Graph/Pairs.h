// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What compares each position of an axis with all others: sums over those in front, ranks.
#pragma once
#include "lib/Import/Graph/Emit.h"

namespace mlir::qtensor::graph {

/// Loops: x's dimensions with `axis` as the position of the result, then the position that is read.
struct PairLoops {
  AffineMap read, write;
  SmallVector<utils::IteratorType> iterators;
};
PairLoops pairLoops(Emit &e, const Val &x, int64_t axis);

/// Sums of the elements up to each position of `axis` (`exclusive`: in front of it), counted from the end if `reverse`.
Val cumulativeSum(Emit &e, const Val &x, int64_t axis, bool exclusive, bool reverse);

/// How many elements along `axis` come before each one in descending (or ascending) order, in i64; of equal ones the
/// first comes first.
Val ranks(Emit &e, const Val &x, int64_t axis, bool largest);
/// The elements of x whose ranks, `order`, are below k, in this order; and their positions along the axis.
Val firstElements(Emit &e, const Val &x, const Val &order, int64_t axis, int64_t k);
Val firstPositions(Emit &e, const Val &x, const Val &order, int64_t axis, int64_t k, Elem elem);

} // namespace mlir::qtensor::graph
