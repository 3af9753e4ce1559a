// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the record's matrix to a tensor of any rank: blocks move to the reduced axis, and flat blocks become blocks of
// rows where the shape allows it.
#include "lib/Formats/Instantiate.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
struct Placement {
  unsigned rank;
  int64_t axis;
  bool flat;
};
} // namespace

/// Blocks of `size` along the axis; of flat ones, as many whole rows as they span.
static SmallVector<int64_t> placeBlock(const Placement &at, int64_t size, ArrayRef<int64_t> grid) {
  SmallVector<int64_t> block(at.rank, 1);
  block[at.axis] = size;
  bool lastAxis = at.axis == int64_t(at.rank) - 1;
  if (!at.flat || ShapedType::isDynamic(size) || !lastAxis || at.rank < 2 || grid.empty())
    return block;
  int64_t row = grid.back();
  if (ShapedType::isDynamic(row) || row <= 0 || size % row != 0 || size == row)
    return block;
  block[at.axis] = ShapedType::kDynamic;
  block[at.rank - 2] = size / row;
  return block;
}

static BlockAttr placeEncoding(BlockAttr encoding, const Placement &at, int64_t size, ArrayRef<int64_t> shape) {
  const auto *blocked = llvm::find_if(encoding.getBlock(), [](int64_t extent) { return extent != 1; });
  int64_t recorded = blocked == encoding.getBlock().end() ? 1 : *blocked;
  bool wholeTensor = llvm::all_of(encoding.getBlock(), ShapedType::isDynamic);
  SmallVector<int64_t> block = wholeTensor ? SmallVector<int64_t>(at.rank, ShapedType::kDynamic)
                                           : placeBlock(at, size ? size : recorded, shape);
  MLIRContext *context = encoding.getContext();
  SmallVector<int64_t> grid;
  if (!shape.empty())
    grid = BlockAttr::get(context, encoding.getCodec(), block, {}, {}, {}).getGrid(shape);
  auto place = [&](ParamAttr param) -> ParamAttr {
    if (!param)
      return param;
    Attribute value = param.getValue();
    if (auto nested = dyn_cast<BlockAttr>(value))
      value = placeEncoding(nested, at, 0, grid);
    SmallVector<int64_t> own;
    if (!param.getOwnBlock().empty())
      own.assign(at.rank, ShapedType::kDynamic);
    return ParamAttr::get(context, value, param.getNegated(), own);
  };
  return BlockAttr::get(context, encoding.getCodec(), block, place(encoding.getScale()), place(encoding.getZero()),
                        place(encoding.getOffset()));
}

BlockAttr mlir::qtensor::instantiateFormat(FormatAttr format, unsigned rank, int64_t axis, int64_t size,
                                           ArrayRef<int64_t> shape) {
  Placement at{rank, axis, format.getFlat()};
  return placeEncoding(format.getEncoding(), at, size, shape.size() == rank ? shape : ArrayRef<int64_t>());
}
