// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loads operands and evaluates the body of a linalg op for one vector of points.
#pragma once
#include "lib/Transforms/Vectorize/LoopPlan.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::qtensor {

/// A vector of points of the iteration space: the index of every loop (of its first lane), and which lanes count.
struct Point {
  SmallVector<Value> indices;
  Value mask;      ///< Null: all lanes.
  Value laneLimit; ///< With a mask: the extent of the lane loop.
};

class PayloadEmitter {
public:
  PayloadEmitter(linalg::LinalgOp op, const LoopPlan &plan) : op(op), plan(plan), loc(op.getLoc()) {}

  /// Values of an operand: a scalar if it is uniform, else a vector.
  Value load(OpBuilder &b, OpOperand &operand, const Point &point);
  void store(OpBuilder &b, Value value, OpOperand &operand, const Point &point);

  /// The yielded values, given one value per block argument.
  SmallVector<Value> evaluate(OpBuilder &b, ArrayRef<Value> arguments, const Point &point);

  /// `value` in every lane; vectors are returned as they are.
  Value broadcast(OpBuilder &b, Value value);

private:
  SmallVector<Value> subscripts(OpBuilder &b, AffineMap map, ValueRange indices);
  Value gather(OpBuilder &b, OpOperand &operand, const Point &point);
  Value loadRow(OpBuilder &b, Value buffer, ValueRange indices, Value mask);
  Value evaluateOp(OpBuilder &b, Operation &inner, IRMapping &map, const Point &point);
  Value tryFuse(OpBuilder &b, Operation &inner, IRMapping &map);

  linalg::LinalgOp op;
  const LoopPlan &plan;
  Location loc;
};

} // namespace mlir::qtensor
