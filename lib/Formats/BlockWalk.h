// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The cells of a blocked tensor: which elements share parameters. A row is a run along the last dimension; the rows of
// one group have all their cells to themselves, so groups can be worked on in parallel.
#pragma once
#include "mlir/Support/LLVM.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"

namespace mlir::qtensor {
class BlockWalk {
public:
  /// `block` as in BlockAttr; kDynamic is the whole extent. All extents of `shape` are static.
  BlockWalk(ArrayRef<int64_t> shape, ArrayRef<int64_t> block);

  int64_t getNumRows() const { return numRows; }
  int64_t getRowLength() const { return rowLength; }
  int64_t getNumGroups() const { return numGroups; }
  int64_t getNumCells() const { return numGroups * cellsPerRow; }
  /// Elements of a cell along a row; the last of a row may have fewer.
  int64_t getRowBlock() const { return rowBlock; }
  int64_t getCellsPerRow() const { return cellsPerRow; }
  int64_t getFirstCell(int64_t row) const { return getGroupOfRow(row) * cellsPerRow; }

  /// Calls `fn(first element, count, cell)` for the runs of a row.
  template <typename Fn>
  void forEachRun(int64_t row, Fn fn) const {
    int64_t cell = getFirstCell(row), element = row * rowLength;
    for (int64_t begin = 0; begin < rowLength; begin += rowBlock, ++cell)
      fn(element + begin, std::min(rowBlock, rowLength - begin), cell);
  }

  /// Calls `fn(row)` for the rows of a group, in ascending order.
  void forEachRow(int64_t group, function_ref<void(int64_t)> fn) const;

private:
  int64_t getGroupOfRow(int64_t row) const;

  SmallVector<int64_t> extents, blocks, grid; ///< Of all dimensions but the last.
  int64_t rowLength = 1, rowBlock = 1, cellsPerRow = 1, numRows = 1, numGroups = 1;
};

/// fn(i) for i in [0, count), on all cores with `parallel`.
void forEachIndex(int64_t count, bool parallel, function_ref<void(int64_t)> fn);
} // namespace mlir::qtensor
