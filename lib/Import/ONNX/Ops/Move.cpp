// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Data movement: transposition, slices, concatenation, padding, tiling.
#include "lib/Import/ONNX/Registry.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::onnx {
namespace {
LogicalResult importTranspose(NodeContext &n) {
  const Val &x = n.in(0);
  SmallVector<int64_t> permutation = n.attrInts("perm");
  if (!n.hasAttr("perm"))
    permutation = llvm::to_vector(llvm::reverse(allAxes(x.rank())));
  auto sorted = n.axes(permutation, x.rank());
  if (failed(sorted))
    return failure();
  if (sorted->size() != static_cast<size_t>(x.rank()))
    return n.fail("'perm' does not name every dimension once");
  for (int64_t &axis : permutation)
    axis = axis < 0 ? axis + x.rank() : axis;
  return n.set(0, n.e.transpose(x, permutation));
}

LogicalResult importConcat(NodeContext &n) {
  SmallVector<Val> parts;
  for (unsigned i = 0; i < n.numInputs(); ++i) {
    if (!n.has(i))
      return n.fail("input " + Twine(i) + " is missing");
    if (failed(n.requireSame(0, i)) || failed(n.requireRank(i, n.in(0).rank(), n.in(0).rank())))
      return failure();
    parts.push_back(n.in(i));
  }
  FailureOr<int64_t> axis = n.axis(n.attrInt("axis", 1), parts[0].rank());
  if (failed(axis))
    return failure();
  for (const Val &part : parts)
    for (int64_t i = 0; i < part.rank(); ++i) {
      auto first = DimMath::number(parts[0].dims[i]), other = DimMath::number(part.dims[i]);
      if (i != *axis && first && other && *first != *other)
        return n.fail("its inputs differ in dimension " + Twine(i) + ", which is not the axis");
    }
  if (parts[0].rank() == 1 && llvm::all_of(parts, [](const Val &part) { return part.ints.has_value(); })) {
    Dims all;
    for (const Val &part : parts)
      all.append(*part.ints);
    return n.set(0, n.e.ints(all, {static_cast<int64_t>(all.size())}, parts[0].elem));
  }
  return n.set(0, n.e.concat(parts, *axis));
}

/// First element and number of elements of start:end:step along an extent, clamped as ONNX clamps.
std::pair<OpFoldResult, OpFoldResult> sliceRange(DimMath &math, OpFoldResult dim, OpFoldResult start, OpFoldResult end,
                                                 int64_t step) {
  OpFoldResult low = math.constant(step > 0 ? 0 : -1);
  OpFoldResult high = step > 0 ? dim : math.sub(dim, math.constant(1));
  auto clamp = [&](OpFoldResult value, OpFoldResult floor) {
    std::optional<int64_t> number = DimMath::number(value);
    // Extents are never negative, so only numbers count from the end; the customary "infinite" ends need no arithmetic.
    if (number && *number >= std::numeric_limits<int32_t>::max())
      return high;
    if (number && *number < -std::numeric_limits<int32_t>::max())
      return floor;
    if (number && *number < 0)
      value = math.add(value, dim);
    if (number == 0)
      return step > 0 ? value : math.min(value, high);
    if (DimMath::same(value, high))
      return high;
    return math.min(math.max(value, floor), high);
  };
  OpFoldResult first = clamp(start, math.constant(0)), last = clamp(end, low);
  OpFoldResult length = step > 0 ? math.sub(last, first) : math.sub(first, last);
  return {first, math.max(math.ceilDiv(length, math.constant(std::abs(step))), math.constant(0))};
}

LogicalResult sliceAxes(NodeContext &n, ArrayRef<OpFoldResult> starts, ArrayRef<OpFoldResult> ends,
                        ArrayRef<int64_t> axes, ArrayRef<int64_t> steps) {
  const Val &x = n.in(0);
  Dims offsets(x.rank(), n.e.math.constant(0)), sizes = x.dims, strides(x.rank(), n.e.math.constant(1));
  SmallVector<int64_t> allSteps(x.rank(), 1);
  for (auto [i, given] : llvm::enumerate(axes)) {
    FailureOr<int64_t> axis = n.axis(given, x.rank());
    if (failed(axis))
      return failure();
    if (steps[i] == 0 || steps[i] <= std::numeric_limits<int32_t>::min())
      return n.fail("a step of " + Twine(steps[i]) + " is not possible");
    std::tie(offsets[*axis], sizes[*axis]) = sliceRange(n.e.math, x.dims[*axis], starts[i], ends[i], steps[i]);
    strides[*axis] = n.e.math.constant(steps[i]);
    allSteps[*axis] = steps[i];
  }
  auto first = DimMath::number(offsets.empty() ? OpFoldResult() : offsets[0]);
  if (x.ints && x.rank() == 1 && first && DimMath::number(sizes[0])) {
    Dims picked;
    for (int64_t i = 0, count = *DimMath::number(sizes[0]); i < count; ++i)
      picked.push_back((*x.ints)[*first + i * allSteps[0]]);
    return n.set(0, n.e.ints(picked, {static_cast<int64_t>(picked.size())}, x.elem));
  }
  return n.set(0, n.e.slice(x, offsets, sizes, strides));
}

LogicalResult importSlice(NodeContext &n) {
  auto constants = [&](ArrayRef<int64_t> values) {
    return llvm::map_to_vector(values, [&](int64_t value) -> OpFoldResult { return n.e.math.constant(value); });
  };
  Dims starts, ends;
  std::optional<SmallVector<int64_t>> axes, steps;
  if (n.opset < 10) {
    starts = constants(n.attrInts("starts"));
    ends = constants(n.attrInts("ends"));
    if (n.hasAttr("axes"))
      axes = n.attrInts("axes");
  } else {
    if (!n.has(1) || !n.has(2))
      return n.fail("starts or ends are missing");
    FailureOr<Dims> first = n.extents(1, "starts"), last = n.extents(2, "ends");
    auto givenAxes = n.numbersFrom("axes", 3), givenSteps = n.numbersFrom("steps", 4);
    if (failed(first) || failed(last) || failed(givenAxes) || failed(givenSteps))
      return failure();
    starts = *first, ends = *last, axes = *givenAxes, steps = *givenSteps;
  }
  if (!axes)
    axes = allAxes(starts.size());
  if (!steps)
    steps = SmallVector<int64_t>(starts.size(), 1);
  if (starts.size() != ends.size() || starts.size() != axes->size() || starts.size() != steps->size())
    return n.fail("starts, ends, axes and steps have different lengths");
  return sliceAxes(n, starts, ends, *axes, *steps);
}

LogicalResult importSplit(NodeContext &n) {
  const Val &x = n.in(0);
  FailureOr<int64_t> axis = n.axis(n.attrInt("axis", 0), x.rank());
  if (failed(axis))
    return failure();
  SmallVector<OpFoldResult> sizes;
  OpFoldResult dim = x.dims[*axis];
  int64_t parts = n.attrInt("num_outputs", n.numOutputs());
  if (n.hasAttr("split")) {
    for (int64_t size : n.attrInts("split"))
      sizes.push_back(n.e.math.constant(size));
  } else if (n.has(1)) {
    FailureOr<Dims> given = n.extents(1, "the sizes of the parts");
    if (failed(given))
      return failure();
    sizes = *given;
  } else if (parts >= 1 && parts <= 1 << 16) {
    OpFoldResult each = n.e.math.ceilDiv(dim, n.e.math.constant(parts));
    sizes.assign(parts - 1, each);
    sizes.push_back(n.e.math.sub(dim, n.e.math.mul(each, n.e.math.constant(parts - 1))));
  }
  if (sizes.size() != n.numOutputs())
    return n.fail("the number of parts is not the number of outputs");
  OpFoldResult offset = n.e.math.constant(0);
  for (auto [i, size] : llvm::enumerate(sizes)) {
    if (DimMath::number(size).value_or(0) < 0)
      return n.fail("a part has a negative size");
    n.locateOutput(i);
    (void)n.set(i, n.e.sliceAxis(x, *axis, offset, size));
    offset = n.e.math.add(offset, size);
  }
  auto total = DimMath::number(offset), whole = DimMath::number(dim);
  if (total && whole && *total != *whole)
    return n.fail("the parts have " + Twine(*total) + " elements along the axis, the input has " + Twine(*whole));
  return success();
}

LogicalResult importTile(NodeContext &n) {
  const Val &x = n.in(0);
  FailureOr<Dims> repeats = n.extents(1, "the repeats");
  if (failed(repeats))
    return failure();
  if (repeats->size() != static_cast<size_t>(x.rank()))
    return n.fail("needs one repeat per dimension");
  // [a, b] -> [1, a, 1, b] -> [r0, a, r1, b] -> [r0*a, r1*b].
  Dims split, wide, out;
  for (auto [dim, repeat] : llvm::zip(x.dims, *repeats)) {
    split.append({n.e.math.constant(1), dim});
    wide.append({repeat, dim});
    out.push_back(n.e.math.mul(repeat, dim));
  }
  return n.set(0, n.e.reshape(n.e.broadcast(n.e.reshape(x, split), wide), out));
}

/// depth/space rearrangement: reshape to `split`, permute, reshape to `out`.
LogicalResult rearrange(NodeContext &n, ArrayRef<OpFoldResult> split, ArrayRef<int64_t> permutation,
                        ArrayRef<OpFoldResult> out) {
  return n.set(0, n.e.reshape(n.e.transpose(n.e.reshape(n.in(0), split), permutation), out));
}

LogicalResult importDepthToSpace(NodeContext &n) {
  const Val &x = n.in(0);
  int64_t block = n.attrInt("blocksize", 0);
  StringRef mode = n.attrString("mode", "DCR");
  if (failed(n.requireRank(0, 4, 4)))
    return failure();
  auto channels = DimMath::number(x.dims[1]);
  if (block < 1 || block > 1 << 15 || (channels && *channels % (block * block) != 0) ||
      (mode != "DCR" && mode != "CRD"))
    return n.fail("'blocksize' squared must divide the channels and 'mode' be DCR or CRD");
  DimMath &m = n.e.math;
  OpFoldResult size = m.constant(block), rest = m.floorDiv(x.dims[1], m.constant(block * block));
  OpFoldResult batch = x.dims[0], height = x.dims[2], width = x.dims[3];
  Dims out = {batch, rest, m.mul(height, size), m.mul(width, size)};
  if (mode == "DCR")
    return rearrange(n, {batch, size, size, rest, height, width}, {0, 3, 4, 1, 5, 2}, out);
  return rearrange(n, {batch, rest, size, size, height, width}, {0, 1, 4, 2, 5, 3}, out);
}

LogicalResult importSpaceToDepth(NodeContext &n) {
  const Val &x = n.in(0);
  int64_t block = n.attrInt("blocksize", 0);
  if (failed(n.requireRank(0, 4, 4)))
    return failure();
  for (int64_t i : {2, 3})
    if (block < 1 || block > 1 << 15 || DimMath::number(x.dims[i]).value_or(0) % block != 0)
      return n.fail("'blocksize' must divide height and width");
  DimMath &m = n.e.math;
  OpFoldResult size = m.constant(block);
  OpFoldResult height = m.floorDiv(x.dims[2], size), width = m.floorDiv(x.dims[3], size);
  return rearrange(n, {x.dims[0], x.dims[1], height, size, width, size}, {0, 3, 5, 1, 2, 4},
                   {x.dims[0], m.mul(x.dims[1], m.constant(block * block)), height, width});
}
} // namespace

void registerMove(Registry &r) {
  constexpr const char *constantShape = "extents must not depend on the data";
  r.add({
      {"", "Transpose", 1, kNewest, 1, 1, "perm", importTranspose},
      {"", "Concat", 1, kNewest, 1, kAny, "axis", importConcat},
      {"", "Slice", 1, kNewest, 1, 5, "axes starts ends", importSlice, constantShape},
      {"", "Split", 1, kNewest, 1, 2, "axis split num_outputs", importSplit, constantShape},
      {"", "Tile", 6, kNewest, 2, 2, "", importTile, constantShape},
      {"", "DepthToSpace", 1, kNewest, 1, 1, "blocksize mode", importDepthToSpace},
      {"", "SpaceToDepth", 1, kNewest, 1, 1, "blocksize", importSpaceToDepth},
  });
}

} // namespace mlir::qtensor::onnx
