// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Private to this folder: loops over the points of a contraction on components, for the rows that have no packed
// weight.
#pragma once
#include "lib/Transforms/Kernel/ContractLowering.h"
#include "lib/Transforms/Kernel/EncodedOperand.h"

namespace mlir::qtensor {

class ContractLoops {
protected:
  explicit ContractLoops(ContractOp op);

  /// Emits the extents of all iterators, as few instructions as possible. Fails where no operand shows one alone.
  LogicalResult findExtents(std::string &reason);
  bool isInteger() { return op.getStrategy().getKind() == StrategyKind::Integer; }
  bool hasIntegerResult() { return op.getEpilogue().front().getArgument(0).getType().isInteger(32); }
  SmallVector<Value> index(AffineMap map) { return index(map, dims); }
  SmallVector<Value> index(AffineMap map, ArrayRef<Value> at);
  Value constant(int64_t value);
  /// Loops over reductions [from, to) around `body`, carrying values.
  SmallVector<Value> nest(size_t from, size_t to, ValueRange inits, function_ref<SmallVector<Value>(ValueRange)> body);
  /// A parallel loop over iterators around `body`.
  void parallel(ArrayRef<unsigned> iterators, function_ref<void()> body);
  /// The reductions from `from` on at their first point, where a block's parameters are read.
  void toFirst(size_t from);

  ContractOp op;
  ImplicitLocOpBuilder b;
  EncodedOperand lhs, rhs;
  SmallVector<unsigned> reductions;
  SmallVector<Value> extents; ///< Of all iterators.
  SmallVector<Value> dims;    ///< The current point.

private:
  Value extentOf(unsigned dim);
};

} // namespace mlir::qtensor
