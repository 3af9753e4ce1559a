// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators about order: positions of extrema, the k largest, running sums. All are reductions with comparisons.
#include "lib/Import/Graph/Pairs.h"
#include "lib/Import/ONNX/Registry.h"

namespace mlir::qtensor::onnx {
namespace {
constexpr double kFar = 0x1p62; // above every index

/// Position of the largest (or smallest) element along `axis`, which keeps extent 1.
Val extremePosition(Emit &e, const Val &x, int64_t axis, bool largest, bool last) {
  Val sought = x;
  if (!largest) // the smallest is the largest of the reversed order
    sought = e.map(x, x.elem, [](Scalar &s, ValueRange in) -> Value {
      return Scalar::isReal(in[0]) ? s.neg(in[0]) : s.make<arith::XOrIOp>(in[0], s.like(in[0], -1));
    });
  Val pair[] = {sought, e.maximum(sought, axis, /*keep=*/true)};
  Val positions = e.map(pair, Elem::I64, [&](Scalar &s, ValueRange in) {
    Value here = s.make<arith::IndexCastOp>(s.b.getI64Type(), s.index(axis));
    return s.select(s.eq(in[0], in[1]), here, s.like(here, last ? -1 : kFar));
  });
  return e.reduce(positions, axis, /*keep=*/true, Elem::I64, last ? -1 : kFar,
                  [&](Scalar &s, ValueRange in) { return last ? s.max(in[1], in[0]) : s.min(in[1], in[0]); });
}

template <bool largest> LogicalResult importArg(NodeContext &n) {
  const Val &x = n.in(0);
  FailureOr<int64_t> axis = n.axis(n.attrInt("axis", 0), x.rank());
  if (failed(axis))
    return failure();
  Val out = extremePosition(n.e, x, *axis, largest, n.attrInt("select_last_index", 0));
  return n.set(0, n.attrInt("keepdims", 1) ? out : n.e.squeeze(out, *axis));
}

LogicalResult importHardmax(NodeContext &n) {
  const Val &x = n.in(0);
  FailureOr<int64_t> axis = n.axis(n.attrInt("axis", n.opset >= 13 ? -1 : 1), x.rank());
  if (failed(axis) || failed(n.requireFloat(0)))
    return failure();
  if (n.opset < 13 && *axis != x.rank() - 1)
    return n.fail("before operator set 13 only the last axis is supported");
  Val first = extremePosition(n.e, x, *axis, /*largest=*/true, /*last=*/false);
  return n.set(0, n.e.mapTo(x.dims, first, x.elem, [&](Scalar &s, ValueRange in) {
    Value here = s.make<arith::IndexCastOp>(s.b.getI64Type(), s.index(*axis));
    return s.select(s.eq(here, in[0]), s.number(n.e.type(x.elem), 1), s.number(n.e.type(x.elem), 0));
  }));
}

LogicalResult importCumSum(NodeContext &n) {
  const Val &x = n.in(0);
  FailureOr<SmallVector<int64_t>> given = n.numbers(1, "the axis");
  if (failed(given))
    return failure();
  if (given->size() != 1)
    return n.fail("the axis must be one number");
  FailureOr<int64_t> axis = n.axis(given->front(), x.rank());
  if (failed(axis))
    return failure();
  bool exclusive = n.attrInt("exclusive", 0), reverse = n.attrInt("reverse", 0);
  return n.set(0, cumulativeSum(n.e, x, *axis, exclusive, reverse));
}

LogicalResult importTopK(NodeContext &n) {
  const Val &x = n.in(0);
  FailureOr<int64_t> axis = n.axis(n.attrInt("axis", -1), x.rank());
  FailureOr<SmallVector<int64_t>> given = n.has(1) ? n.numbers(1, "k") : SmallVector<int64_t>{n.attrInt("k", 0)};
  if (failed(axis) || failed(given))
    return failure();
  auto extent = DimMath::number(x.dims[*axis]);
  if (given->size() != 1 || given->front() < 0 || (extent && given->front() > *extent))
    return n.fail("k must be one number, at most the extent of the axis");
  Val order = ranks(n.e, x, *axis, n.attrInt("largest", 1));
  (void)n.set(0, firstElements(n.e, x, order, *axis, given->front()));
  n.locateOutput(1);
  return n.set(1, firstPositions(n.e, x, order, *axis, given->front(), Elem::I64));
}
} // namespace

void registerSort(Registry &r) {
  constexpr const char *arg = "axis keepdims select_last_index";
  r.add({
      {"", "ArgMax", 1, kNewest, 1, 1, arg, importArg<true>},
      {"", "ArgMin", 1, kNewest, 1, 1, arg, importArg<false>},
      {"", "Hardmax", 1, kNewest, 1, 1, "axis", importHardmax},
      {"", "CumSum", 11, kNewest, 2, 2, "exclusive reverse", importCumSum, "constant axis"},
      {"", "TopK", 1, kNewest, 1, 2, "axis k largest sorted", importTopK, "constant k; NaN is not ordered"},
  });
}

} // namespace mlir::qtensor::onnx
