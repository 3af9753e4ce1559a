// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Padding in all modes; negative padding cuts.
#include "lib/Import/ONNX/Registry.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::onnx {
namespace {
struct Padding {
  Dims low, high;
};

FailureOr<Padding> readPadding(NodeContext &n) {
  int64_t rank = n.in(0).rank();
  Dims pads;
  if (n.opset < 11) {
    for (int64_t pad : n.attrInts(n.opset < 2 ? "paddings" : "pads"))
      pads.push_back(n.e.math.constant(pad));
  } else {
    if (!n.has(1))
      return n.fail("input 1 (the padding) is missing");
    FailureOr<Dims> given = n.extents(1, "the padding");
    if (failed(given))
      return failure();
    pads = *given;
  }
  SmallVector<int64_t> axes = allAxes(rank);
  if (n.has(3)) {
    FailureOr<SmallVector<int64_t>> given = n.numbers(3, "axes");
    if (failed(given) || failed(n.axes(*given, rank)))
      return failure();
    axes = *given;
  }
  if (pads.size() != 2 * axes.size())
    return n.fail("needs padding before and after each axis");
  Padding out{Dims(rank, n.e.math.constant(0)), Dims(rank, n.e.math.constant(0))};
  for (auto [i, axis] : llvm::enumerate(axes)) {
    out.low[axis < 0 ? axis + rank : axis] = pads[i];
    out.high[axis < 0 ? axis + rank : axis] = pads[i + axes.size()];
  }
  for (const Dims *side : {&out.low, &out.high})
    for (OpFoldResult pad : *side)
      if (std::abs(DimMath::number(pad).value_or(0)) > int64_t(1) << 32)
        return n.fail("a padding is too large");
  return out;
}

/// Cuts where the padding is negative and makes it zero there.
Val cut(Emit &e, const Val &x, Padding &padding) {
  Dims offsets(x.rank(), e.math.constant(0)), sizes = x.dims, strides(x.rank(), e.math.constant(1));
  for (int64_t i = 0; i < x.rank(); ++i) {
    int64_t low = DimMath::number(padding.low[i]).value_or(0), high = DimMath::number(padding.high[i]).value_or(0);
    if (low < 0) {
      offsets[i] = e.math.constant(-low);
      sizes[i] = e.math.add(sizes[i], padding.low[i]);
      padding.low[i] = e.math.constant(0);
    }
    if (high < 0) {
      sizes[i] = e.math.add(sizes[i], padding.high[i]);
      padding.high[i] = e.math.constant(0);
    }
  }
  return e.slice(x, offsets, sizes, strides);
}

/// Position in the source for a position that may lie outside.
Value sourceIndex(Scalar &s, StringRef mode, Value position, Value extent) {
  Type index = s.b.getIndexType();
  Value zero = s.number(index, 0), one = s.number(index, 1), last = s.sub(extent, one);
  if (mode == "edge")
    return s.clamp(position, zero, last);
  // A remainder that is never negative, of a period of at least 1.
  auto modulo = [&](Value value, Value period) {
    Value rest = s.make<arith::RemSIOp>(value, period);
    return s.select(s.lt(rest, zero), s.add(rest, period), rest);
  };
  if (mode == "wrap")
    return modulo(position, s.max(extent, one));
  Value period = s.max(s.mul(last, s.number(index, 2)), one), folded = modulo(position, period);
  return s.min(s.min(folded, s.sub(period, folded)), last);
}

LogicalResult importPad(NodeContext &n) {
  StringRef mode = n.attrString("mode", "constant");
  FailureOr<Padding> padding = readPadding(n);
  if (failed(padding))
    return failure();
  if (mode != "constant" && mode != "edge" && mode != "reflect" && mode != "wrap")
    return n.fail("'mode' has the value '" + mode + "'");
  Val x = cut(n.e, n.in(0), *padding);
  for (OpFoldResult dim : x.dims)
    if (DimMath::number(dim).value_or(0) < 0)
      return n.fail("cuts away more than there is");
  if (mode == "constant") {
    Value scalar = Scalar(n.e.b, n.e.loc).number(n.e.type(x.elem), n.attrFloat("value", 0));
    if (n.opset >= 11 && n.has(2)) {
      if (failed(n.requireSame(0, 2)) || failed(n.requireRank(2, 0, 1)))
        return failure();
      scalar = n.e.element(n.in(2));
    }
    return n.set(0, n.e.pad(x, padding->low, padding->high, scalar));
  }
  Dims dims;
  for (auto [dim, low, high] : llvm::zip(x.dims, padding->low, padding->high))
    dims.push_back(n.e.math.add(n.e.math.add(dim, low), high));
  Value source = n.e.tensor(x);
  SmallVector<Value> lows = n.e.math.values(padding->low, n.e.loc), extents = n.e.math.values(x.dims, n.e.loc);
  return n.set(0, n.e.mapTo(dims, {}, x.elem, [&](Scalar &s, ValueRange) -> Value {
    SmallVector<Value> position;
    for (int64_t i = 0; i < x.rank(); ++i)
      position.push_back(sourceIndex(s, mode, s.sub(s.index(i), lows[i]), extents[i]));
    return s.make<tensor::ExtractOp>(source, position);
  }));
}
} // namespace

void registerPad(Registry &r) {
  r.add({{"", "Pad", 1, kNewest, 1, 4, "mode pads paddings value", importPad, "padding must not depend on the data"}});
}

} // namespace mlir::qtensor::onnx
