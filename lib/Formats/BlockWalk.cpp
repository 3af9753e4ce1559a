// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Formats/BlockWalk.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Parallel.h"

using namespace mlir;
using namespace mlir::qtensor;

BlockWalk::BlockWalk(ArrayRef<int64_t> shape, ArrayRef<int64_t> block) {
  assert(shape.size() == block.size() && "callers check the rank");
  auto resolve = [](int64_t extent, int64_t size) {
    return std::max<int64_t>(1, ShapedType::isDynamic(size) ? extent : std::min(extent, size));
  };
  if (shape.empty())
    return;
  rowLength = shape.back();
  rowBlock = resolve(rowLength, block.back());
  cellsPerRow = llvm::divideCeil(rowLength, rowBlock);
  if (ShapedType::isDynamic(block.back()))
    cellsPerRow = 1; // the grid of a whole extent is 1, also of an empty one
  for (auto [extent, size] : llvm::zip(shape.drop_back(), block.drop_back())) {
    extents.push_back(extent);
    blocks.push_back(resolve(extent, size));
    grid.push_back(ShapedType::isDynamic(size) ? 1 : llvm::divideCeil(extent, blocks.back()));
    numRows *= extent;
    numGroups *= grid.back();
  }
}

int64_t BlockWalk::getGroupOfRow(int64_t row) const {
  int64_t group = 0, stride = 1;
  for (int64_t dim = int64_t(extents.size()) - 1; dim >= 0; --dim) {
    group += (row % extents[dim]) / blocks[dim] * stride;
    stride *= grid[dim];
    row /= extents[dim];
  }
  return group;
}

void BlockWalk::forEachRow(int64_t group, function_ref<void(int64_t)> fn) const {
  if (numRows == 0)
    return;
  SmallVector<int64_t> begin(extents.size()), end(extents.size());
  for (int64_t dim = int64_t(extents.size()) - 1; dim >= 0; --dim) {
    begin[dim] = group % grid[dim] * blocks[dim];
    end[dim] = std::min(begin[dim] + blocks[dim], extents[dim]);
    group /= grid[dim];
  }
  SmallVector<int64_t> at(begin);
  while (true) {
    int64_t row = 0;
    for (auto [extent, index] : llvm::zip(extents, at))
      row = row * extent + index;
    fn(row);
    int64_t dim = int64_t(extents.size()) - 1;
    while (dim >= 0 && ++at[dim] == end[dim]) {
      at[dim] = begin[dim];
      --dim;
    }
    if (dim < 0)
      return;
  }
}

void mlir::qtensor::forEachIndex(int64_t count, bool parallel, function_ref<void(int64_t)> fn) {
  if (parallel && count > 1)
    return llvm::parallelFor(0, size_t(count), [&](size_t i) { fn(int64_t(i)); });
  for (int64_t i = 0; i < count; ++i)
    fn(i);
}
