// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The loops around the payload of a linalg op: outer loops, lane loop, row loop, reductions with accumulators.
#pragma once
#include "lib/Transforms/Vectorize/PayloadEmitter.h"
#include <functional>

namespace mlir::qtensor {

struct TileShape {
  unsigned rows, vectors;
  bool parallel; ///< Outermost loops of large ops become scf.parallel.
};

class TileEmitter {
public:
  TileEmitter(linalg::LinalgOp op, const LoopPlan &plan, TileShape shape);

  /// Emits the loops at `b`. The op itself is left to the caller.
  void emit(OpBuilder &b);

private:
  using Body = llvm::function_ref<void(OpBuilder &, Value)>;
  struct Tile {
    SmallVector<Value> indices; ///< Of every loop; the lane and the row at the first vector and row.
    unsigned rows, vectors;     ///< With lanes along a reduction, `vectors` counts columns.
    Value mask;
  };

  void outerLoops(OpBuilder &b, unsigned depth, SmallVector<Value> &indices);
  void laneLoops(OpBuilder &b, SmallVector<Value> &indices);
  void columnLoops(OpBuilder &b, SmallVector<Value> &indices);
  void rowLoops(OpBuilder &b, Tile tile);
  void emitTile(OpBuilder &b, const Tile &tile);
  SmallVector<Value> reduce(OpBuilder &b, const Tile &tile, unsigned depth, SmallVector<Value> indices,
                            SmallVector<Value> accumulators);
  SmallVector<Value> reduceLanes(OpBuilder &b, const Tile &tile, SmallVector<Value> indices,
                                 SmallVector<Value> accumulators);
  SmallVector<Value> step(OpBuilder &b, const Tile &tile, ArrayRef<Value> indices, ArrayRef<Value> accumulators);
  SmallVector<Value> initialAccumulators(OpBuilder &b, const Tile &tile);
  void finish(OpBuilder &b, const Tile &tile, ArrayRef<Value> accumulators);
  bool usesVector(OpOperand &operand);
  Value foldLanes(OpBuilder &b, Operation *combiner, Value vector);
  Value combine(OpBuilder &b, Operation *combiner, Value lhs, Value rhs);
  Point pointOf(OpBuilder &b, const Tile &tile, ArrayRef<Value> indices, unsigned row, unsigned vector);

  /// Runs `body` for index = begin, begin + step, ... below end; known single iterations need no loop.
  void loop(OpBuilder &b, Value begin, Value end, int64_t step, bool mayBeParallel, Body body);
  Value roundDown(OpBuilder &b, Value value, int64_t factor);
  Value constant(OpBuilder &b, int64_t value);
  Value mask(OpBuilder &b, Value extent, Value begin);

  linalg::LinalgOp op;
  const LoopPlan &plan;
  TileShape shape;
  PayloadEmitter payload;
  Location loc;
  SmallVector<Value> extents; ///< Of every loop.
  bool isParallelDone = false;
};

} // namespace mlir::qtensor
