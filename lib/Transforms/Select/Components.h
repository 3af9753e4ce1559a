// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where the components of a slice, a reshape or a new tensor are.
#pragma once
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"
#include "mlir/IR/Builders.h"

namespace mlir::qtensor {

/// One component and the extent, in elements of the tensor, that one of its elements stands for along each dimension
/// (kDynamic: the whole dimension; 1 for codes).
struct ComponentGrid {
  Component component;
  SmallVector<int64_t> block;
};

/// The components of a tensor of `type` in order, with their grids.
SmallVector<ComponentGrid> getComponentGrids(RankedTensorType type, BlockAttr encoding);

/// Extents (or offsets, with `ceil` false) of a component, from those of the tensor.
SmallVector<OpFoldResult> divideByGrid(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> values,
                                       ArrayRef<int64_t> block, bool ceil);

/// The encoding of `collapsed` when dimensions of a tensor of `shape` are collapsed, or null when blocks would straddle
/// what becomes one dimension: in each group, dimensions before the blocked one have block 1 and those behind it are
/// whole.
BlockAttr collapseEncoding(BlockAttr encoding, ArrayRef<int64_t> shape, ArrayRef<ReassociationIndices> groups);

/// The encoding of a tensor with `more` dimensions in front: rows of the first dimension stay rows, and what is whole stays
/// whole. Fails where a block holds several rows.
FailureOr<BlockAttr> addLeadingDims(BlockAttr encoding, int64_t more);

} // namespace mlir::qtensor
