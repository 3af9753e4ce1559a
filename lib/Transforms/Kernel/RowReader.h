// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Private to this folder: a row of activations as one stretch of memory, whatever it is in the tensor.
#pragma once
#include "lib/Transforms/Kernel/Prepare.h"

namespace mlir::qtensor::kernel {

/// A row whose products follow each other in x is read where it is; any other one (a window, a transposed matrix) is
/// gathered into a buffer on the stack first, in the longest pieces that memory has.
class RowReader {
public:
  /// Emits what all rows share.
  RowReader(ImplicitLocOpBuilder &b, const ActivationSource &source);

  /// Fixes the row by its index in the space of rows.
  void begin(ValueRange index);
  /// A vector of `count` elements from product `k` on. Those from `valid` on are zero. The `before` products below k
  /// belong to the row as well.
  Value load(Value k, int64_t count, int64_t valid, int64_t before);
  /// Index of x at product `k`.
  SmallVector<Value> indexOf(Value k);

private:
  void findStrides();
  int64_t staticStride(unsigned dim) const;
  Value strideOf(unsigned dim);
  Value offsetOf(ArrayRef<unsigned> dims, ValueRange index);
  void nest(size_t level, Value from, Value to, function_ref<void(Value from, Value to)> body);
  void copyPiece(Value from, Value to);
  void copyVector(Value from, Value to, int64_t offset, int64_t count);
  Value zeros(VectorType type);

  ImplicitLocOpBuilder &b;
  const ActivationSource &source;
  Type element;
  bool linear = true, buffered = false;
  SmallVector<SmallVector<int64_t>> coefficients; ///< [dimension of x][iterator], and the constant behind them.
  SmallVector<Value> strides;                     ///< Of x, in elements.
  int64_t piece = 1;                              ///< Elements that follow each other in x.
  size_t outer = 0;                               ///< Reductions that are not inside of a piece.
  Value flat, memory, start;                      ///< x as one dimension; what is read, and where the row starts in it.
  SmallVector<Value> rowIndex;
};

} // namespace mlir::qtensor::kernel
