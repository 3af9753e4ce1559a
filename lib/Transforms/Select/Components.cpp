// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where components are in their tensor.
#include "lib/Transforms/Select/Components.h"
#include "dialects/QTensor/IR/ComponentBlocks.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"

using namespace mlir;
using namespace mlir::qtensor;

SmallVector<ComponentGrid> qtensor::getComponentGrids(RankedTensorType type, BlockAttr encoding) {
  SmallVector<Component> components;
  encoding.getComponents(type.getShape(), type.getContext(), components);
  SmallVector<ComponentGrid> grids;
  for (auto [component, block] : llvm::zip_equal(components, getComponentBlocks(encoding)))
    grids.push_back({component, block});
  return grids;
}

SmallVector<OpFoldResult> qtensor::divideByGrid(OpBuilder &builder, Location loc, ArrayRef<OpFoldResult> values,
                                                ArrayRef<int64_t> block, bool ceil) {
  SmallVector<OpFoldResult> results;
  AffineExpr symbol = builder.getAffineSymbolExpr(0);
  for (auto [value, size] : llvm::zip_equal(values, block)) {
    if (size == 1)
      results.push_back(value);
    else if (ShapedType::isDynamic(size))
      results.push_back(builder.getIndexAttr(ceil ? 1 : 0));
    else
      results.push_back(affine::makeComposedFoldedAffineApply(
          builder, loc, ceil ? symbol.ceilDiv(size) : symbol.floorDiv(size), {value}));
  }
  return results;
}

/// The block of the dimension that `extents` collapse to, or nullopt.
static std::optional<int64_t> collapseBlock(ArrayRef<int64_t> extents, ArrayRef<int64_t> block) {
  auto isWhole = [&](size_t i) { return ShapedType::isDynamic(block[i]) || block[i] == extents[i]; };
  size_t blocked = 0;
  while (blocked < extents.size() && block[blocked] == 1 && (blocked + 1 < extents.size()))
    ++blocked;
  int64_t result = block[blocked];
  bool allWhole = llvm::all_of(llvm::seq<size_t>(0, extents.size()), [&](size_t i) { return isWhole(i); });
  if (allWhole)
    return ShapedType::kDynamic;
  for (size_t i = blocked + 1; i < extents.size(); ++i) {
    if (!isWhole(i) || ShapedType::isDynamic(extents[i]))
      return std::nullopt;
    if (!ShapedType::isDynamic(result) && llvm::MulOverflow(result, extents[i], result))
      return std::nullopt;
  }
  if (blocked == 0)
    return result;
  // Outer dimensions repeat the blocked one: its blocks have to end where it ends.
  int64_t extent = extents[blocked], size = block[blocked];
  if (ShapedType::isDynamic(extent))
    return size == 1 ? std::optional<int64_t>(result) : std::nullopt;
  if (ShapedType::isDynamic(size))
    return result = std::accumulate(extents.begin() + blocked, extents.end(), int64_t(1), std::multiplies<int64_t>());
  return extent % size == 0 ? std::optional<int64_t>(result) : std::nullopt;
}

/// The parameter seen from the collapsed grid; only a block of its own depends on the rank.
static FailureOr<ParamAttr> collapseParam(ParamAttr param, ArrayRef<int64_t> grid,
                                          ArrayRef<ReassociationIndices> groups) {
  if (!param || !param.isData())
    return param;
  if (auto nested = dyn_cast<BlockAttr>(param.getValue())) {
    BlockAttr collapsed = collapseEncoding(nested, grid, groups);
    return collapsed ? FailureOr<ParamAttr>(ParamAttr::get(param.getContext(), collapsed, param.getNegated(), {}))
                     : FailureOr<ParamAttr>(failure());
  }
  if (param.getOwnBlock().empty())
    return param;
  SmallVector<int64_t> own;
  for (ArrayRef<int64_t> group : groups) {
    SmallVector<int64_t> extents, block;
    for (int64_t dim : group) {
      extents.push_back(grid[dim]);
      block.push_back(param.getOwnBlock()[dim]);
    }
    std::optional<int64_t> collapsed = collapseBlock(extents, block);
    if (!collapsed)
      return failure();
    own.push_back(*collapsed);
  }
  return ParamAttr::get(param.getContext(), param.getValue(), param.getNegated(), own);
}

BlockAttr qtensor::collapseEncoding(BlockAttr encoding, ArrayRef<int64_t> shape,
                                    ArrayRef<ReassociationIndices> groups) {
  SmallVector<int64_t> blocks;
  for (ArrayRef<int64_t> group : groups) {
    SmallVector<int64_t> extents, block;
    for (int64_t dim : group) {
      extents.push_back(shape[dim]);
      block.push_back(encoding.getBlock()[dim]);
    }
    std::optional<int64_t> collapsed = collapseBlock(extents, block);
    if (!collapsed)
      return {};
    blocks.push_back(*collapsed);
  }
  SmallVector<ParamAttr> params;
  SmallVector<int64_t> grid = encoding.getGrid(shape);
  for (ParamAttr param : {encoding.getScale(), encoding.getZero(), encoding.getOffset()}) {
    FailureOr<ParamAttr> collapsed = collapseParam(param, grid, groups);
    if (failed(collapsed))
      return {};
    params.push_back(*collapsed);
  }
  return BlockAttr::get(encoding.getContext(), encoding.getCodec(), blocks, params[0], params[1], params[2]);
}

/// A block in front of which `more` dimensions are added: rows stay rows, whole columns of rows stay whole.
static FailureOr<SmallVector<int64_t>> addDims(ArrayRef<int64_t> block, int64_t more) {
  if (block.empty())
    return SmallVector<int64_t>();
  if (block[0] != 1 && !ShapedType::isDynamic(block[0]))
    return failure();
  SmallVector<int64_t> result(more, block[0]);
  llvm::append_range(result, block);
  return result;
}

static FailureOr<ParamAttr> addDims(ParamAttr param, int64_t more);

FailureOr<BlockAttr> qtensor::addLeadingDims(BlockAttr encoding, int64_t more) {
  FailureOr<SmallVector<int64_t>> block = addDims(encoding.getBlock(), more);
  FailureOr<ParamAttr> scale = addDims(encoding.getScale(), more), zero = addDims(encoding.getZero(), more),
                       offset = addDims(encoding.getOffset(), more);
  if (failed(block) || failed(scale) || failed(zero) || failed(offset))
    return failure();
  return BlockAttr::get(encoding.getContext(), encoding.getCodec(), *block, *scale, *zero, *offset);
}

static FailureOr<ParamAttr> addDims(ParamAttr param, int64_t more) {
  if (!param || !param.isData())
    return param;
  FailureOr<SmallVector<int64_t>> own = addDims(param.getOwnBlock(), more);
  Attribute value = param.getValue();
  if (auto nested = dyn_cast<BlockAttr>(value)) {
    FailureOr<BlockAttr> wide = addLeadingDims(nested, more);
    if (failed(wide))
      return failure();
    value = *wide;
  }
  return failed(own) ? FailureOr<ParamAttr>(failure())
                     : ParamAttr::get(param.getContext(), value, param.getNegated(), *own);
}
