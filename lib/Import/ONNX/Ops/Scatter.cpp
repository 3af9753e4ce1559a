// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Indexed writes: loops in the order of the updates, so that of several to one place the last wins, as in ONNX.
#include "lib/Import/Graph/Indexed.h"
#include "lib/Import/ONNX/Ops/Contract.h"
#include "lib/Import/ONNX/Registry.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::onnx {
namespace {
FailureOr<Combine> readReduction(NodeContext &n) {
  StringRef reduction = n.attrString("reduction", "none");
  if (reduction == "none")
    return Combine([](Scalar &, Value, Value update, Elem) { return update; });
  if (reduction == "add")
    return Combine([](Scalar &s, Value old, Value update, Elem) { return s.add(old, update); });
  if (reduction == "mul")
    return Combine([](Scalar &s, Value old, Value update, Elem) { return s.mul(old, update); });
  if (reduction == "max")
    return Combine([](Scalar &s, Value old, Value update, Elem e) { return s.max(old, update, isUnsigned(e)); });
  if (reduction == "min")
    return Combine([](Scalar &s, Value old, Value update, Elem e) { return s.min(old, update, isUnsigned(e)); });
  return n.fail("'reduction' has the value '" + reduction + "'");
}

LogicalResult requireIndices(NodeContext &n, unsigned i) {
  return isInteger(n.in(i).elem) ? success() : n.fail("input " + Twine(i) + " must hold integer indices");
}

LogicalResult importScatterElements(NodeContext &n) {
  const Val &x = n.in(0), &indices = n.in(1), &updates = n.in(2);
  FailureOr<int64_t> axis = n.axis(n.attrInt("axis", 0), x.rank());
  FailureOr<Combine> combine = readReduction(n);
  if (failed(axis) || failed(combine) || failed(requireIndices(n, 1)) || failed(n.requireSame(0, 2)))
    return failure();
  if (indices.rank() != x.rank() || !llvm::equal(indices.dims, updates.dims, [](OpFoldResult a, OpFoldResult b) {
        return DimMath::numberOrDynamic(a) == DimMath::numberOrDynamic(b);
      }))
    return n.fail("indices and updates must have the same shape and the rank of the data");
  for (int64_t i = 0; i < x.rank(); ++i)
    if (i != *axis && DimMath::number(indices.dims[i]).value_or(0) > DimMath::number(x.dims[i]).value_or(1 << 30))
      return n.fail("the indices are longer than the data in dimension " + Twine(i));
  if (failed(requireInside(n, 1, x.dims[*axis])))
    return failure();
  requireWithin(n, indices.dims, x.dims, *axis);
  for (auto [dim, update] : llvm::zip_equal(indices.dims, updates.dims))
    n.e.requireEqual(dim, update, "indices and updates differ in shape");
  Value table = n.e.tensor(indices), news = n.e.tensor(updates), limit = n.e.math.value(x.dims[*axis], n.e.loc);
  Value out = loopNest(n.e, indices.dims, n.e.tensor(x), [&](Scalar &s, ValueRange at, Value tensor) {
    SmallVector<Value> position(at);
    position[*axis] = clampIndex(s, s.make<tensor::ExtractOp>(table, at), indices.elem, limit);
    return writeElement(s, tensor, position, s.make<tensor::ExtractOp>(news, at), *combine, x.elem);
  });
  return n.set(0, n.e.wrap(out, x.elem, x.dims));
}

LogicalResult importScatterND(NodeContext &n) {
  const Val &x = n.in(0), &indices = n.in(1), &updates = n.in(2);
  FailureOr<Combine> combine = readReduction(n);
  auto width = indices.rank() ? DimMath::number(indices.dims.back()) : std::nullopt;
  if (failed(combine) || failed(requireIndices(n, 1)) || failed(n.requireSame(0, 2)))
    return failure();
  if (!width || *width > x.rank() || updates.rank() != indices.rank() - 1 + x.rank() - *width)
    return n.fail("the last extent of the indices must be constant and fit the ranks of data and updates");
  if (*width > 0 && failed(requireInside(n, 1, ArrayRef(x.dims).take_front(*width))))
    return failure();
  Dims wanted(indices.dims.begin(), indices.dims.end() - 1);
  wanted.append(x.dims.begin() + *width, x.dims.end());
  for (auto [dim, want] : llvm::zip_equal(updates.dims, wanted))
    n.e.requireEqual(dim, want, "the updates do not have the shape of what they replace");
  return n.set(0, scatterSlices(n.e, x, indices, updates, *combine));
}

/// Writes new rows into a cache, each batch at its own place.
LogicalResult importTensorScatter(NodeContext &n) {
  const Val &x = n.in(0), &update = n.in(1);
  FailureOr<int64_t> axis = n.axis(n.attrInt("axis", -2), x.rank());
  StringRef mode = n.attrString("mode", "linear");
  if (failed(axis) || failed(n.requireSame(0, 1)))
    return failure();
  if (update.rank() != x.rank() || *axis == 0 || (mode != "linear" && mode != "circular"))
    return n.fail(
        "the update must have the rank of the cache, 'axis' not be the batch, and 'mode' be linear or circular");
  if (n.has(2) && (n.in(2).rank() != 1 || failed(requireIndices(n, 2))))
    return n.fail("the write indices must be a vector of integers");
  requireWithin(n, update.dims, x.dims, *axis);
  Value news = n.e.tensor(update), limit = n.e.math.value(x.dims[*axis], n.e.loc);
  if (n.has(2))
    n.e.requireAtMost(update.dims[0], n.in(2).dims[0], "there are fewer write indices than rows");
  Value starts = n.has(2) ? n.e.tensor(n.in(2)) : Value();
  Value out = loopNest(n.e, update.dims, n.e.tensor(x), [&](Scalar &s, ValueRange at, Value tensor) -> Value {
    SmallVector<Value> position(at);
    if (starts) {
      Value start = s.make<arith::IndexCastOp>(s.b.getIndexType(), s.make<tensor::ExtractOp>(starts, at[0]));
      position[*axis] = s.add(start, at[*axis]);
    }
    if (mode == "circular")
      position[*axis] = s.make<arith::RemUIOp>(position[*axis], limit);
    position[*axis] = clampIndex(s, s.make<arith::IndexCastOp>(s.b.getI64Type(), position[*axis]), Elem::I64, limit);
    return s.make<tensor::InsertOp>(s.make<tensor::ExtractOp>(news, at), tensor, position);
  });
  return n.set(0, n.e.wrap(out, x.elem, x.dims));
}
} // namespace

void registerScatter(Registry &r) {
  constexpr const char *clamped = "write indices outside the cache are clamped";
  r.add({
      {"", "ScatterElements", 11, kNewest, 3, 3, "axis reduction", importScatterElements},
      {"", "Scatter", 9, 10, 3, 3, "axis", importScatterElements},
      {"", "ScatterND", 11, kNewest, 3, 3, "reduction", importScatterND},
      {"", "TensorScatter", 24, kNewest, 2, 3, "axis mode", importTensorScatter, clamped},
  });
}

} // namespace mlir::qtensor::onnx
