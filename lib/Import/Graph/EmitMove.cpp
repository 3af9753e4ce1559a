// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Data movement: reshapes, slices, padding, concatenation.
#include "lib/Import/Graph/Emit.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::graph {
namespace {
/// Groups [from..) -> [to..) of equal product, left to right; nothing when the products can't be matched.
std::optional<SmallVector<std::pair<unsigned, unsigned>>> matchGroups(DimMath &math, ArrayRef<OpFoldResult> from,
                                                                      ArrayRef<OpFoldResult> to) {
  SmallVector<std::pair<unsigned, unsigned>> ends; // ends of the groups in `from` and `to`
  unsigned i = 0, j = 0;
  while (i < from.size() && j < to.size()) {
    OpFoldResult left = from[i++], right = to[j++];
    while (!DimMath::same(left, right)) {
      auto leftNumber = DimMath::number(left), rightNumber = DimMath::number(right);
      bool growLeft = leftNumber && (!rightNumber || *leftNumber < *rightNumber);
      bool bothUnknown = !leftNumber && !rightNumber;
      if (bothUnknown)
        growLeft = from.size() - i > to.size() - j;
      if (growLeft ? i == from.size() : j == to.size())
        return std::nullopt;
      if (growLeft)
        left = math.mul(left, from[i++]);
      else
        right = math.mul(right, to[j++]);
    }
    ends.push_back({i, j});
  }
  if (ends.empty())
    return std::nullopt;
  for (; i < from.size(); ++i)
    if (DimMath::number(from[i]) != 1)
      return std::nullopt;
  for (; j < to.size(); ++j)
    if (DimMath::number(to[j]) != 1)
      return std::nullopt;
  ends.back() = {from.size(), to.size()};
  return ends;
}

SmallVector<ReassociationIndices> reassociation(ArrayRef<unsigned> ends) {
  SmallVector<ReassociationIndices> groups;
  unsigned begin = 0;
  for (unsigned end : ends) {
    groups.push_back(llvm::to_vector(llvm::seq<int64_t>(begin, end)));
    begin = end;
  }
  return groups;
}
} // namespace

/// One collapse_shape or expand_shape: `ends` are the ends of the groups of the longer side.
Value Emit::reshapeStep(Value from, ArrayRef<OpFoldResult> toDims, bool collapses, ArrayRef<unsigned> ends) {
  auto type =
      RankedTensorType::get(DimMath::shape(toDims), llvm::cast<RankedTensorType>(from.getType()).getElementType());
  if (collapses)
    return tensor::CollapseShapeOp::create(b, loc, type, from, reassociation(ends));
  return tensor::ExpandShapeOp::create(b, loc, type, from, reassociation(ends), Dims(toDims));
}

Val Emit::reshape(const Val &x, ArrayRef<OpFoldResult> dims) {
  Val out = x;
  out.dims = Dims(dims);
  out.tensor = nullptr;
  if (llvm::equal(x.dims, dims, DimMath::same))
    return x;
  // What is known at import is only relabelled.
  SmallVector<int64_t> shape = DimMath::shape(dims);
  if (x.constant && llvm::none_of(shape, ShapedType::isDynamic)) {
    auto data = std::make_shared<TensorData>(*x.constant);
    data->dims.assign(shape.begin(), shape.end());
    out.constant = std::move(data);
    return out;
  }
  if (x.ints && llvm::none_of(shape, ShapedType::isDynamic)) {
    out.constant = nullptr;
    return out;
  }
  out.constant = nullptr;
  out.ints = std::nullopt;
  out.encoded = nullptr;
  Value from = tensor(x);
  SmallVector<unsigned> fromEnds, toEnds;
  Dims middle;
  bool unit = x.dims.empty() || dims.empty();
  if (auto groups = unit ? std::nullopt : matchGroups(math, x.dims, dims)) {
    unsigned begin = 0;
    for (auto [i, j] : *groups) {
      middle.push_back(math.product(ArrayRef(x.dims).slice(begin, i - begin)));
      fromEnds.push_back(begin = i);
      toEnds.push_back(j);
    }
  } else if (!unit && DimMath::same(math.product(x.dims), math.product(dims))) {
    // Through one flat dimension: both steps are views.
    middle = {math.product(x.dims)};
    fromEnds = {static_cast<unsigned>(x.dims.size())};
    toEnds = {static_cast<unsigned>(dims.size())};
  } else if (!unit) {
    requireEqual(math.product(x.dims), math.product(dims), "the shape has another number of elements than its input");
    out.tensor = reshapeByShape(from, dims);
    return out;
  }
  if (middle.size() != x.dims.size())
    from = reshapeStep(from, middle, /*collapses=*/true, fromEnds);
  if (middle.size() != dims.size())
    from = reshapeStep(from, dims, /*collapses=*/false, toEnds);
  out.tensor = from;
  return out;
}

/// The general case: extents that only the run knows to fit.
Value Emit::reshapeByShape(Value from, ArrayRef<OpFoldResult> dims) {
  auto indexType = RankedTensorType::get({static_cast<int64_t>(dims.size())}, b.getIndexType());
  Value shape = tensor::FromElementsOp::create(b, loc, indexType, math.values(dims, loc));
  auto elem = llvm::cast<RankedTensorType>(from.getType()).getElementType();
  return tensor::ReshapeOp::create(b, loc, RankedTensorType::get(DimMath::shape(dims), elem), from, shape);
}

Val Emit::unsqueeze(const Val &x, ArrayRef<int64_t> axes) {
  Dims dims;
  unsigned next = 0;
  for (int64_t i = 0, e = x.rank() + static_cast<int64_t>(axes.size()); i < e; ++i)
    dims.push_back(llvm::is_contained(axes, i) ? math.constant(1) : x.dims[next++]);
  return reshape(x, dims);
}

Val Emit::squeeze(const Val &x, ArrayRef<int64_t> axes) {
  Dims dims;
  for (auto [i, dim] : llvm::enumerate(x.dims))
    if (!llvm::is_contained(axes, static_cast<int64_t>(i)))
      dims.push_back(dim);
  return reshape(x, dims);
}

Val Emit::transpose(const Val &x, ArrayRef<int64_t> permutation) {
  if (llvm::equal(permutation, allAxes(x.rank())))
    return x;
  Dims dims = llvm::map_to_vector(permutation, [&](int64_t axis) { return x.dims[axis]; });
  Value init = empty(dims, type(x.elem));
  Value moved = linalg::TransposeOp::create(b, loc, tensor(x), init, permutation)->getResult(0);
  return wrap(moved, x.elem, dims);
}

Val Emit::slice(const Val &x, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
                ArrayRef<OpFoldResult> strides) {
  if (llvm::equal(x.dims, sizes, DimMath::same) &&
      llvm::all_of(strides, [](OpFoldResult stride) { return DimMath::number(stride) == 1; }))
    return x;
  // An empty slice may start at the end, where extract_slice may not.
  if (llvm::is_contained(DimMath::shape(sizes), 0))
    return wrap(empty(sizes, type(x.elem)), x.elem, sizes);
  if (llvm::any_of(strides, [](OpFoldResult stride) { return DimMath::number(stride).value_or(1) < 0; }))
    return backwardSlice(x, offsets, sizes, strides);
  auto type = RankedTensorType::get(DimMath::shape(sizes), this->type(x.elem));
  Value part = tensor::ExtractSliceOp::create(b, loc, type, tensor(x), offsets, sizes, strides);
  return wrap(part, x.elem, sizes);
}

/// Reads element by element.
Val Emit::backwardSlice(const Val &x, ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
                        ArrayRef<OpFoldResult> strides) {
  Value source = tensor(x);
  SmallVector<Value> starts = math.values(offsets, loc);
  return mapTo(sizes, {}, x.elem, [&](Scalar &s, ValueRange) -> Value {
    SmallVector<Value> position;
    for (auto [i, stride] : llvm::enumerate(strides)) {
      Value scaled = s.mul(s.index(i), s.number(s.b.getIndexType(), double(*DimMath::number(stride))));
      position.push_back(s.add(starts[i], scaled));
    }
    return s.make<tensor::ExtractOp>(source, position);
  });
}

Val Emit::sliceAxis(const Val &x, int64_t axis, OpFoldResult offset, OpFoldResult size) {
  Dims offsets(x.rank(), math.constant(0)), sizes = x.dims, strides(x.rank(), math.constant(1));
  offsets[axis] = offset;
  sizes[axis] = size;
  return slice(x, offsets, sizes, strides);
}

Val Emit::pad(const Val &x, ArrayRef<OpFoldResult> low, ArrayRef<OpFoldResult> high, Value scalar) {
  Dims dims;
  bool any = false;
  for (auto [dim, before, after] : llvm::zip(x.dims, low, high)) {
    dims.push_back(math.add(math.add(dim, before), after));
    any |= DimMath::number(before) != 0 || DimMath::number(after) != 0;
  }
  if (!any)
    return x;
  auto type = RankedTensorType::get(DimMath::shape(dims), this->type(x.elem));
  return wrap(tensor::PadOp::create(b, loc, type, tensor(x), low, high, scalar), x.elem, dims);
}

Val Emit::concat(ArrayRef<Val> parts, int64_t axis) {
  if (parts.size() == 1)
    return parts[0];
  // What bufferization asks of a chain of insertions grows faster than its length.
  constexpr size_t kMostParts = 32;
  if (parts.size() > kMostParts) {
    SmallVector<Val> groups;
    for (size_t first = 0; first < parts.size(); first += kMostParts)
      groups.push_back(concat(parts.slice(first, std::min(kMostParts, parts.size() - first)), axis));
    return concat(groups, axis);
  }
  Dims dims = parts[0].dims;
  dims[axis] = math.constant(0);
  for (const Val &part : parts) {
    dims[axis] = math.add(dims[axis], part.dims[axis]);
    for (auto [i, dim] : llvm::enumerate(part.dims))
      if (static_cast<int64_t>(i) != axis && DimMath::number(dim))
        dims[i] = dim;
  }
  for (const Val &part : parts)
    for (auto [i, dim] : llvm::enumerate(part.dims))
      if (static_cast<int64_t>(i) != axis)
        requireEqual(dim, dims[i], "its inputs differ in dimension " + Twine(i));
  // insert_slice into one buffer: every part is computed in place after bufferization.
  Value whole = empty(dims, type(parts[0].elem));
  Dims offsets(dims.size(), math.constant(0)), strides(dims.size(), math.constant(1));
  for (const Val &part : parts) {
    if (DimMath::number(part.dims[axis]) == 0)
      continue;
    whole = tensor::InsertSliceOp::create(b, loc, tensor(part), whole, offsets, part.dims, strides);
    offsets[axis] = math.add(offsets[axis], part.dims[axis]);
  }
  return wrap(whole, parts[0].elem, dims);
}

} // namespace mlir::qtensor::graph
