// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads and writes at positions that data holds: what makes them memory safe, and loops that write.
#pragma once
#include "lib/Import/Graph/Emit.h"

namespace mlir::qtensor::graph {

/// An index value inside [0, extent) from a data element that may count from the end.
Value clampIndex(Scalar &s, Value raw, Elem elem, Value extent);

/// Makes elements of `x` for which `isBad` (element, unused) says so an error of the run. Stands beside the ops that
/// use `x`, which stay free of side effects and must be memory safe for every value.
void forbid(Emit &e, const Val &x, Body isBad, const Twine &message);

/// Which indices are legal, and how an illegal one is reported.
struct IndexRange {
  SmallVector<OpFoldResult> limits; ///< The extent that is indexed, or one for each index of the last dimension.
  bool fromEnd = false;             ///< Negative ones down to -limit count from the end.
  std::string place;                ///< How messages of the run begin.
};
/// Makes an index outside of its range an error: by `fail` where it is a number now, else when the model runs.
LogicalResult requireInside(Emit &e, const Val &indices, const IndexRange &range,
                            llvm::function_ref<LogicalResult(const Twine &)> fail);

using LoopBody = llvm::function_ref<Value(Scalar &, ValueRange position, Value tensor)>;
/// for every position below `dims`, the last one fastest: tensor = body(position, tensor).
Value loopNest(Emit &e, ArrayRef<OpFoldResult> dims, Value tensor, LoopBody body);

/// What a write makes of the element that is there and the one that comes.
using Combine = Value (*)(Scalar &, Value old, Value update, Elem elem);
Value writeElement(Scalar &s, Value tensor, ValueRange position, Value update, Combine combine, Elem elem);

/// x with the updates combined, in their order, with the slices at the positions that the last axis of the indices
/// holds. The caller has checked the extents: indices [p.., k], updates [p.., q..] and x [k extents, q..].
Val scatterSlices(Emit &e, const Val &x, const Val &indices, const Val &updates, Combine combine);

} // namespace mlir::qtensor::graph
