// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/Graph/Indexed.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::graph {
namespace {
Value asIndex(Scalar &s, Value raw, Elem elem) {
  return isUnsigned(elem) ? s.make<arith::IndexCastUIOp>(s.b.getIndexType(), raw)
                          : s.make<arith::IndexCastOp>(s.b.getIndexType(), raw);
}

/// An error if a known index is outside, else whether all are known to be inside.
FailureOr<bool> knowInside(const Val &indices, const IndexRange &range,
                           llvm::function_ref<LogicalResult(const Twine &)> fail) {
  int64_t count = indices.ints ? indices.ints->size() : indices.constant ? indices.constant->numElements() : 0;
  bool all = indices.ints || indices.constant;
  for (int64_t i = 0; i < count; ++i) {
    auto index = indices.ints ? DimMath::number((*indices.ints)[i]) : std::optional(indices.constant->intAt(i));
    auto limit = DimMath::number(range.limits[i % range.limits.size()]);
    if (index && limit && (*index < (range.fromEnd ? -*limit : 0) || *index >= *limit))
      return fail("index " + Twine(*index) + " (element " + Twine(i) + " of the indices) is outside of the extent " +
                  Twine(*limit) + " that it reads or writes; " +
                  (range.fromEnd ? "negative ones count from the end" : "the first is 0"));
    all &= index && limit;
  }
  return all;
}
} // namespace

Value clampIndex(Scalar &s, Value raw, Elem elem, Value extent) {
  Value index = asIndex(s, raw, elem), zero = s.number(s.b.getIndexType(), 0);
  Value positive = s.select(s.lt(index, zero), s.add(index, extent), index);
  return s.max(s.min(positive, s.sub(extent, s.number(s.b.getIndexType(), 1))), zero);
}

void forbid(Emit &e, const Val &x, Body isBad, const Twine &message) {
  Val bad = e.reduce(x, allAxes(x.rank()), /*keep=*/false, Elem::I32, 0, [&](Scalar &s, ValueRange in) {
    return s.add(in[1], s.select(isBad(s, in), s.like(in[1], 1), s.like(in[1], 0)));
  });
  Value count = e.element(bad);
  Scalar s(e.b, e.loc);
  cf::AssertOp::create(e.b, e.loc, s.eq(count, s.like(count, 0)), message.str());
}

LogicalResult requireInside(Emit &e, const Val &indices, const IndexRange &range,
                            llvm::function_ref<LogicalResult(const Twine &)> fail) {
  FailureOr<bool> known = knowInside(indices, range, fail);
  if (failed(known) || *known)
    return known;
  // What has no element has none to take the place of one that is not there, either.
  OpFoldResult any = e.math.min(e.math.constant(1), e.math.product(indices.dims));
  for (OpFoldResult limit : range.limits)
    e.requireAtMost(any, limit, "its indices read or write data that have no element");
  SmallVector<Value> values = e.math.values(range.limits, e.loc);
  auto isBad = [&](Scalar &s, ValueRange in) -> Value {
    Value index = asIndex(s, in[0], indices.elem), limit = values.back();
    for (size_t i = 0; i + 1 < values.size(); ++i) {
      Value column = s.index(indices.rank() - 1);
      limit = s.select(s.eq(column, s.like(column, i)), values[i], limit);
    }
    Value zero = s.like(limit, 0), least = range.fromEnd ? s.sub(zero, limit) : zero;
    return s.logicalNot(s.logicalAnd(s.le(least, index), s.lt(index, limit)));
  };
  forbid(e, indices, isBad, range.place + "an index is outside of the data that it reads or writes");
  return success();
}

Value loopNest(Emit &e, ArrayRef<OpFoldResult> dims, Value tensor, LoopBody body) {
  SmallVector<Value> zeros, limits = e.math.values(dims, e.loc), ones;
  for (size_t i = 0; i < dims.size(); ++i) {
    zeros.push_back(arith::ConstantIndexOp::create(e.b, e.loc, 0));
    ones.push_back(arith::ConstantIndexOp::create(e.b, e.loc, 1));
  }
  if (dims.empty()) {
    Scalar s(e.b, e.loc);
    return body(s, {}, tensor);
  }
  auto build = [&](OpBuilder &builder, Location loc, ValueRange position, ValueRange carried) {
    Scalar s(builder, loc);
    return scf::ValueVector{body(s, position, carried[0])};
  };
  return scf::buildLoopNest(e.b, e.loc, zeros, limits, ones, tensor, build).results.front();
}

Value writeElement(Scalar &s, Value tensor, ValueRange position, Value update, Combine combine, Elem elem) {
  Value old = s.make<tensor::ExtractOp>(tensor, position);
  return s.make<tensor::InsertOp>(combine(s, old, update, elem), tensor, position);
}

Val scatterSlices(Emit &e, const Val &x, const Val &indices, const Val &updates, Combine combine) {
  int64_t prefix = indices.rank() - 1, width = *DimMath::number(indices.dims.back());
  Value table = e.tensor(indices), news = e.tensor(updates);
  SmallVector<Value> limits = e.math.values(x.dims, e.loc);
  Value out = loopNest(e, updates.dims, e.tensor(x), [&](Scalar &s, ValueRange at, Value tensor) {
    SmallVector<Value> row(at.take_front(prefix)), position;
    for (int64_t i = 0; i < width; ++i) {
      row.push_back(s.number(s.b.getIndexType(), static_cast<double>(i)));
      position.push_back(clampIndex(s, s.make<tensor::ExtractOp>(table, row), indices.elem, limits[i]));
      row.pop_back();
    }
    llvm::append_range(position, at.drop_front(prefix));
    return writeElement(s, tensor, position, s.make<tensor::ExtractOp>(news, at), combine, x.elem);
  });
  return e.wrap(out, x.elem, x.dims);
}

} // namespace mlir::qtensor::graph
