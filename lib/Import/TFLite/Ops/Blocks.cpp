// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rearrangements of blocks of images between space, depth and batch: elements move and do not change.
#include "lib/Import/TFLite/Registry.h"

namespace mlir::qtensor::tflite {
namespace {
Dims constants(const Node &n, ArrayRef<int64_t> extents) {
  return llvm::map_to_vector(extents, [&](int64_t extent) { return n.e.math.constant(extent); });
}

/// The elements of x seen as `split`, its axes in another order, seen as `out`.
Val rearrange(const Node &n, const Val &x, ArrayRef<int64_t> split, ArrayRef<int64_t> order, ArrayRef<int64_t> out) {
  Val moved = n.e.transpose(n.e.reshape(x, constants(n, split)), order);
  return n.e.reshape(moved, constants(n, out));
}

/// The extents of an image; a failure where it is none or they are open.
FailureOr<SmallVector<int64_t>> image(const Node &n) {
  SmallVector<int64_t> shape = DimMath::shape(n.in(0).dims);
  if (shape.size() != 4 || ShapedType::isDynamicShape(shape))
    return n.fail("its input must be [N, H, W, C] of fixed extents");
  if (failed(n.requireSameScale()))
    return failure();
  return shape;
}

LogicalResult importDepthToSpace(const Node &n) {
  FailureOr<SmallVector<int64_t>> x = image(n);
  if (failed(x))
    return failure();
  int64_t block = n.option("block_size"), height = (*x)[1], width = (*x)[2];
  if (block < 1 || block > 1 << 15 || (*x)[3] % (block * block))
    return n.fail("its block size " + Twine(block) + " squared does not divide " + Twine((*x)[3]) + " channels");
  int64_t channels = (*x)[3] / (block * block);
  return n.set(rearrange(n, n.in(0), {(*x)[0], height, width, block, block, channels}, {0, 1, 3, 2, 4, 5},
                         {(*x)[0], height * block, width * block, channels}));
}

LogicalResult importSpaceToDepth(const Node &n) {
  FailureOr<SmallVector<int64_t>> x = image(n);
  if (failed(x))
    return failure();
  int64_t block = n.option("block_size");
  if (block < 1 || block > 1 << 15 || (*x)[1] % block || (*x)[2] % block)
    return n.fail("its block size " + Twine(block) + " does not divide the image");
  int64_t height = (*x)[1] / block, width = (*x)[2] / block;
  return n.set(rearrange(n, n.in(0), {(*x)[0], height, block, width, block, (*x)[3]}, {0, 1, 3, 2, 4, 5},
                         {(*x)[0], height, width, block * block * (*x)[3]}));
}

/// The sides of the blocks and two numbers for each: paddings or crops.
struct Blocks {
  SmallVector<int64_t> shape, sides, margins;
};

FailureOr<Blocks> readBlocks(const Node &n) {
  FailureOr<SmallVector<int64_t>> sides = n.numbers(1, "its blocks"), margins = n.numbers(2, "its margins");
  if (failed(sides) || failed(margins) || failed(n.requireSameScale()))
    return failure();
  SmallVector<int64_t> shape = DimMath::shape(n.in(0).dims);
  bool sound = (shape.size() == 3 || shape.size() == 4) && !ShapedType::isDynamicShape(shape) &&
               sides->size() + 2 == shape.size() && margins->size() == 2 * sides->size();
  for (int64_t side : *sides)
    sound &= side >= 1 && side <= 1 << 15;
  for (int64_t margin : *margins)
    sound &= margin >= 0 && margin <= 1 << 20;
  if (!sound)
    return n.fail("takes [N, H, W, C] or [N, H, C], a side in [1, 2^15] for each axis of space, and two margins for each");
  return Blocks{shape, *sides, *margins};
}

LogicalResult importSpaceToBatch(const Node &n) {
  FailureOr<Blocks> blocks = readBlocks(n);
  if (failed(blocks))
    return failure();
  const auto &[shape, sides, margins] = *blocks;
  int64_t space = int64_t(sides.size()), batch = shape[0];
  SmallVector<int64_t> low(shape.size(), 0), high(shape.size(), 0), split{shape[0]}, order, out;
  for (int64_t i = 0; i < space; ++i) {
    low[1 + i] = margins[2 * i], high[1 + i] = margins[2 * i + 1];
    int64_t extent = shape[1 + i] + low[1 + i] + high[1 + i];
    if (extent % sides[i])
      return n.fail("a padded extent of " + Twine(extent) + " is no multiple of the side " + Twine(sides[i]));
    split.append({extent / sides[i], sides[i]});
    order.push_back(2 + 2 * i);
    out.push_back(extent / sides[i]);
    batch *= sides[i];
  }
  order.push_back(0);
  for (int64_t i = 0; i < space; ++i)
    order.push_back(1 + 2 * i);
  order.push_back(1 + 2 * space);
  split.push_back(shape.back());
  out.insert(out.begin(), batch);
  out.push_back(shape.back());
  double zero = isQuantized(n.inTensor(0)) ? double(n.inTensor(0).quantization.zero[0]) : 0;
  Value filler = Scalar(n.e.b, n.e.loc).number(n.e.type(n.in(0).elem), zero);
  Val padded = n.e.pad(n.in(0), constants(n, low), constants(n, high), filler);
  return n.set(rearrange(n, padded, split, order, out));
}

LogicalResult importBatchToSpace(const Node &n) {
  FailureOr<Blocks> blocks = readBlocks(n);
  if (failed(blocks))
    return failure();
  const auto &[shape, sides, crops] = *blocks;
  int64_t space = int64_t(sides.size()), batch = shape[0];
  SmallVector<int64_t> split, order{space}, wide, begin(shape.size(), 0), sizes;
  for (int64_t i = 0; i < space; ++i) {
    if (batch % sides[i])
      return n.fail("its batch of " + Twine(shape[0]) + " is no multiple of the blocks");
    batch /= sides[i];
    split.push_back(sides[i]);
  }
  split.push_back(batch);
  wide.push_back(batch);
  sizes.push_back(batch);
  for (int64_t i = 0; i < space; ++i) {
    int64_t extent = shape[1 + i] * sides[i], rest = extent - crops[2 * i] - crops[2 * i + 1];
    if (rest < 1)
      return n.fail("its crops leave nothing of an extent of " + Twine(extent));
    split.push_back(shape[1 + i]);
    order.append({space + 1 + i, i});
    wide.push_back(extent);
    begin[1 + i] = crops[2 * i];
    sizes.push_back(rest);
  }
  split.push_back(shape.back());
  order.push_back(2 * space + 1);
  wide.push_back(shape.back());
  sizes.push_back(shape.back());
  Val all = rearrange(n, n.in(0), split, order, wide);
  Dims ones(shape.size(), n.e.math.constant(1));
  return n.set(n.e.slice(all, constants(n, begin), constants(n, sizes), ones));
}
} // namespace

void registerBlocks(Registry &r) {
  r.add({
      {"DEPTH_TO_SPACE", 1, 1, importDepthToSpace, "all types"},
      {"SPACE_TO_DEPTH", 1, 1, importSpaceToDepth, "all types"},
      {"SPACE_TO_BATCH_ND", 3, 3, importSpaceToBatch, "all types; constant blocks and paddings; pads with real zeros, as TFLite does"},
      {"BATCH_TO_SPACE_ND", 3, 3, importBatchToSpace, "all types; constant blocks and crops"},
  });
}

} // namespace mlir::qtensor::tflite
