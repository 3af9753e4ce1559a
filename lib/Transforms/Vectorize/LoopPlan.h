// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which loop of a linalg op becomes vector lanes, which one rows of the register tile, and how each operand is read.
#pragma once
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/DenseSet.h"
#include <optional>

namespace mlir::qtensor {

/// Elements of a vector, on every target: the order of partial sums depends on it.
constexpr int64_t kLanes = 16;

/// How the elements of an operand lie along the lanes.
enum class Access { Uniform, Contiguous, Strided };

struct LoopPlan {
  unsigned lane; ///< The loop that becomes lanes.
  bool laneIsReduction;
  std::optional<unsigned> row;    ///< The parallel loop that is tiled by rows; only with reductions.
  std::optional<unsigned> column; ///< If lanes are a reduction: the parallel loop that makes the tile two-dimensional.
  SmallVector<unsigned> outer;    ///< Other parallel loops, outermost first.
  SmallVector<unsigned> reductions; ///< Other reduction loops, outermost first.
  SmallVector<Access> access;       ///< Per operand.

  bool hasReduction() const { return laneIsReduction || !reductions.empty(); }
};

/// How `map` (of an operand of type `type`) moves along loop `dim`.
Access classify(AffineMap map, Type type, unsigned dim);

/// Plans an op with buffer semantics. None: no loop of it can become lanes.
std::optional<LoopPlan> planLoops(linalg::LinalgOp op);

/// The op that combines the accumulator of output `index` with a new term, if the body is such a reduction.
Operation *findCombiner(linalg::LinalgOp op, unsigned index);

} // namespace mlir::qtensor
