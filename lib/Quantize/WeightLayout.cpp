// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quantize/WeightLayout.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
enum Role { Batch, Output, Window, Channel };
} // namespace

static bool isPlainIn(unsigned dim, AffineMap map) {
  return llvm::is_contained(map.getResults(), getAffineDimExpr(dim, map.getContext()));
}

/// What loop `dim`, by which the weight is indexed, means.
static Role getRole(Contraction &c, unsigned dim) {
  bool inLhs = c.lhsMap.isFunctionOfDim(dim);
  if (c.op.getIteratorTypesArray()[dim] == utils::IteratorType::parallel)
    return inLhs ? Batch : Output;
  return inLhs && !isPlainIn(dim, c.lhsMap) ? Window : Channel;
}

FailureOr<SideLayout> qtensor::getWeightLayout(Contraction c) {
  SmallVector<Role> roles;
  for (AffineExpr expr : c.rhsMap.getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim)
      return failure();
    roles.push_back(getRole(c, dim.getPosition()));
  }
  SideLayout layout;
  for (size_t dim = 0; dim < roles.size(); ++dim)
    layout.permutation.push_back(dim);
  bool depthwise = llvm::is_contained(roles, Window) && !llvm::is_contained(roles, Output);
  if (!depthwise)
    llvm::sort(layout.permutation,
               [&](int64_t a, int64_t b) { return std::make_pair(roles[a], a) < std::make_pair(roles[b], b); });
  for (Role role : {Channel, Window})
    for (size_t dim = roles.size(); dim-- > 0;)
      if (roles[layout.permutation[dim]] == role)
        layout.axes.push_back(dim);
  return layout;
}

/// The number of elements of a block that is to lie along axes[0] and does not fit there; 0 when there is none.
static int64_t findShortBlock(BlockAttr encoding, ArrayRef<int64_t> axes, ArrayRef<int64_t> shape) {
  if (axes.size() < 2)
    return 0;
  ArrayRef<int64_t> block = encoding.getBlock();
  for (int64_t axis : axes.drop_front())
    if (block[axis] != 1)
      return 0;
  int64_t size = block[axes.front()], extent = shape[axes.front()];
  return ShapedType::isDynamic(size) || ShapedType::isDynamic(extent) || size <= extent ? 0 : size;
}

BlockAttr qtensor::spreadBlocks(BlockAttr encoding, ArrayRef<int64_t> axes, ArrayRef<int64_t> shape) {
  SmallVector<int64_t> block = llvm::to_vector(encoding.getBlock());
  int64_t left = findShortBlock(encoding, axes, shape);
  for (int64_t axis : axes) {
    if (left <= 1)
      break;
    bool whole = shape[axis] <= left;
    block[axis] = whole ? ShapedType::kDynamic : left;
    left = whole ? left / shape[axis] : 1;
  }
  SmallVector<int64_t> grid;
  auto spread = [&](ParamAttr param) -> ParamAttr {
    auto nested = param ? dyn_cast<BlockAttr>(param.getValue()) : BlockAttr();
    if (!nested)
      return param;
    return ParamAttr::get(encoding.getContext(), spreadBlocks(nested, axes, grid), param.getNegated(),
                          param.getOwnBlock());
  };
  encoding = BlockAttr::get(encoding.getContext(), encoding.getCodec(), block, encoding.getScale(), encoding.getZero(),
                            encoding.getOffset());
  grid = encoding.getGrid(shape);
  return BlockAttr::get(encoding.getContext(), encoding.getCodec(), block, spread(encoding.getScale()),
                        spread(encoding.getZero()), spread(encoding.getOffset()));
}

BlockAttr qtensor::spreadActivationBlocks(BlockAttr encoding, ArrayRef<int64_t> axes, ArrayRef<int64_t> shape) {
  if (!findShortBlock(encoding, axes, shape))
    return encoding;
  SmallVector<int64_t> block = llvm::to_vector(encoding.getBlock());
  for (int64_t axis : axes)
    block[axis] = ShapedType::kDynamic;
  return BlockAttr::get(encoding.getContext(), encoding.getCodec(), block, encoding.getScale(), encoding.getZero(),
                        encoding.getOffset());
}

SideLayout qtensor::getActivationLayout(Contraction c) {
  SideLayout layout;
  SmallVector<int64_t> window;
  for (auto [index, expr] : llvm::enumerate(c.lhsMap.getResults())) {
    layout.permutation.push_back(index);
    bool summed = false;
    for (unsigned dim = 0; dim < c.lhsMap.getNumDims(); ++dim)
      summed |= expr.isFunctionOfDim(dim) && c.op.getIteratorTypesArray()[dim] == utils::IteratorType::reduction;
    if (summed && isa<AffineDimExpr>(expr))
      layout.axes.push_back(index);
    else if (summed)
      window.push_back(index);
  }
  // The innermost channels are the ones that blocks lie along.
  std::reverse(layout.axes.begin(), layout.axes.end());
  layout.axes.append(window.rbegin(), window.rend());
  return layout;
}

LogicalResult qtensor::replaceWeight(RewriterBase &rewriter, Contraction c, Value weight,
                                     ArrayRef<int64_t> permutation) {
  Operation *op = c.op;
  unsigned side = c.rhs->getOperandNumber();
  bool moved = !llvm::equal(permutation, llvm::seq<int64_t>(0, permutation.size()));
  if (moved && !op->hasAttr("indexing_maps")) {
    rewriter.setInsertionPoint(op);
    FailureOr<linalg::GenericOp> generic = linalg::generalizeNamedOp(rewriter, c.op);
    if (failed(generic))
      return op->emitError() << "the weight of this op cannot be laid out anew";
    op = *generic;
  }
  rewriter.modifyOpInPlace(op, [&] {
    op->setOperand(side, weight);
    if (!moved)
      return;
    SmallVector<AffineExpr> results;
    for (int64_t dim : permutation)
      results.push_back(c.rhsMap.getResult(dim));
    auto maps = llvm::to_vector(cast<linalg::LinalgOp>(op).getIndexingMapsArray());
    maps[side] = AffineMap::get(c.rhsMap.getNumDims(), 0, results, op->getContext());
    op->setAttr("indexing_maps", rewriter.getAffineMapArrayAttr(maps));
  });
  return success();
}
