// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Indexed reads. Indices may come from the data: a check in front makes a bad one an error of the run, and they are
// clamped all the same, so that nothing outside of the table is read before the error is reported.
#include "lib/Import/Graph/Indexed.h"
#include "lib/Import/ONNX/Ops/Contract.h"
#include "lib/Import/ONNX/Registry.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::onnx {

LogicalResult requireInside(NodeContext &n, unsigned input, ArrayRef<OpFoldResult> limits) {
  IndexRange range{SmallVector<OpFoldResult>(limits), /*fromEnd=*/true, n.node.place()};
  return graph::requireInside(n.e, n.in(input), range, [&](const Twine &what) { return n.fail(what); });
}

void requireWithin(NodeContext &n, ArrayRef<OpFoldResult> dims, ArrayRef<OpFoldResult> data, int64_t axis) {
  for (auto [i, dim, limit] : llvm::enumerate(dims, data))
    if (static_cast<int64_t>(i) != axis)
      n.e.requireAtMost(dim, limit, "dimension " + Twine(i) + " is longer than that of the data");
}

Val gather(Emit &e, const Val &x, const Val &indices, int64_t axis) {
  Dims dims(x.dims.begin(), x.dims.begin() + axis);
  dims.append(indices.dims);
  dims.append(x.dims.begin() + axis + 1, x.dims.end());
  // Loops are those of the result; the indices are read by the middle ones.
  Value source = e.tensor(x), limit = e.math.value(x.dims[axis], e.loc);
  SmallVector<AffineExpr> exprs;
  for (int64_t i = 0; i < indices.rank(); ++i)
    exprs.push_back(e.b.getAffineDimExpr(axis + i));
  AffineMap maps[] = {AffineMap::get(dims.size(), 0, exprs, e.b.getContext()), e.b.getMultiDimIdentityMap(dims.size())};
  SmallVector<utils::IteratorType> iterators(dims.size(), utils::IteratorType::parallel);
  Value out = e.generic(e.tensor(indices), e.empty(dims, e.type(x.elem)), maps, iterators,
                        [&](Scalar &s, ValueRange in) -> Value {
                          SmallVector<Value> position;
                          for (int64_t i = 0; i < x.rank(); ++i) {
                            if (i == axis)
                              position.push_back(clampIndex(s, in[0], indices.elem, limit));
                            else
                              position.push_back(s.index(i < axis ? i : i + indices.rank() - 1));
                          }
                          return s.make<tensor::ExtractOp>(source, position);
                        });
  return e.wrap(out, x.elem, dims);
}

namespace {
LogicalResult requireIndices(NodeContext &n, unsigned i) {
  return isInteger(n.in(i).elem) ? success() : n.fail("input " + Twine(i) + " must hold integer indices");
}

/// Shape arithmetic: constant indices into a vector of extents.
std::optional<Val> foldGather(NodeContext &n, const Val &x, const Val &indices) {
  if (!x.ints || x.rank() != 1 || !indices.ints || indices.rank() > 1)
    return std::nullopt;
  Dims picked;
  for (OpFoldResult entry : *indices.ints) {
    auto index = DimMath::number(entry);
    int64_t count = static_cast<int64_t>(x.ints->size());
    if (!index || *index < -count || *index >= count)
      return std::nullopt;
    picked.push_back((*x.ints)[*index < 0 ? *index + count : *index]);
  }
  return n.e.ints(picked, DimMath::shape(indices.dims), x.elem);
}

LogicalResult importGather(NodeContext &n) {
  const Val &x = n.in(0), &indices = n.in(1);
  FailureOr<int64_t> axis = n.axis(n.attrInt("axis", 0), x.rank());
  if (failed(axis) || failed(requireIndices(n, 1)))
    return failure();
  if (std::optional<Val> folded = foldGather(n, x, indices))
    return n.set(0, *folded);
  if (failed(requireInside(n, 1, x.dims[*axis])))
    return failure();
  auto only = indices.ints && indices.ints->size() == 1 ? DimMath::number(indices.ints->front()) : std::nullopt;
  auto extent = DimMath::number(x.dims[*axis]);
  if (only && indices.isScalar() && extent && *only >= -*extent && *only < *extent) {
    Val row = n.e.sliceAxis(x, *axis, n.e.math.constant(*only < 0 ? *only + *extent : *only), n.e.math.constant(1));
    return n.set(0, n.e.squeeze(row, *axis));
  }
  return n.set(0, gather(n.e, x, indices, *axis));
}

LogicalResult importGatherElements(NodeContext &n) {
  const Val &x = n.in(0), &indices = n.in(1);
  FailureOr<int64_t> axis = n.axis(n.attrInt("axis", 0), x.rank());
  if (failed(axis) || failed(requireIndices(n, 1)) || failed(n.requireRank(1, x.rank(), x.rank())) ||
      failed(requireInside(n, 1, x.dims[*axis])))
    return failure();
  requireWithin(n, indices.dims, x.dims, *axis);
  Value source = n.e.tensor(x), limit = n.e.math.value(x.dims[*axis], n.e.loc);
  return n.set(0, n.e.mapTo(indices.dims, indices, x.elem, [&](Scalar &s, ValueRange in) -> Value {
    SmallVector<Value> position;
    for (int64_t i = 0; i < x.rank(); ++i)
      position.push_back(i == *axis ? clampIndex(s, in[0], indices.elem, limit) : s.index(i));
    return s.make<tensor::ExtractOp>(source, position);
  }));
}

LogicalResult importGatherND(NodeContext &n) {
  const Val &x = n.in(0), &indices = n.in(1);
  int64_t batch = n.attrInt("batch_dims", 0);
  auto width = indices.rank() ? DimMath::number(indices.dims.back()) : std::nullopt;
  if (failed(requireIndices(n, 1)))
    return failure();
  if (!width || batch < 0 || batch >= indices.rank() || batch + *width > x.rank())
    return n.fail("the last extent of the indices must be constant and name at most the dimensions of the data");
  if (*width > 0 && failed(requireInside(n, 1, ArrayRef(x.dims).slice(batch, *width))))
    return failure();
  for (int64_t i = 0; i < batch; ++i)
    n.e.requireEqual(indices.dims[i], x.dims[i], "its inputs differ in dimension " + Twine(i));
  Dims dims(indices.dims.begin(), indices.dims.end() - 1);
  int64_t prefix = static_cast<int64_t>(dims.size());
  dims.append(x.dims.begin() + batch + *width, x.dims.end());
  Value source = n.e.tensor(x), table = n.e.tensor(indices);
  SmallVector<Value> limits = n.e.math.values(x.dims, n.e.loc);
  return n.set(0, n.e.mapTo(dims, {}, x.elem, [&](Scalar &s, ValueRange) -> Value {
    SmallVector<Value> row, position;
    for (int64_t i = 0; i < prefix; ++i)
      row.push_back(s.index(i));
    for (int64_t i = 0; i < x.rank(); ++i) {
      if (i < batch || i >= batch + *width) {
        position.push_back(s.index(i < batch ? i : i - batch - *width + prefix));
        continue;
      }
      row.push_back(s.number(s.b.getIndexType(), static_cast<double>(i - batch)));
      Value raw = s.make<tensor::ExtractOp>(table, row);
      row.pop_back();
      position.push_back(clampIndex(s, raw, indices.elem, limits[i]));
    }
    return s.make<tensor::ExtractOp>(source, position);
  }));
}
} // namespace

void registerGather(Registry &r) {
  r.add({
      {"", "Gather", 1, kNewest, 2, 2, "axis", importGather},
      {"", "GatherElements", 11, kNewest, 2, 2, "axis", importGatherElements},
      {"", "GatherND", 11, kNewest, 2, 2, "batch_dims", importGatherND},
  });
}

} // namespace mlir::qtensor::onnx
