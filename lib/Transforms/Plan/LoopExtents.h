// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Extents of tensors that loops carry.
#pragma once
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::qtensor {

/// A dimension of a tensor inside of a loop or of its results -> the tensor outside with the same extent.
using LoopExtents = DenseMap<std::pair<Value, int64_t>, Value>;

/// The open extents of what the loops of `function` carry. Fails after an error at a loop that may change one: a
/// carried tensor has one memory.
FailureOr<LoopExtents> findLoopExtents(func::FuncOp function);

/// Asks for these extents outside. `extents` must outlive the patterns.
void populateLoopExtentPatterns(RewritePatternSet &patterns, const LoopExtents &extents);

} // namespace mlir::qtensor
