// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reductions over axes, softmax and relatives.
#include "lib/Import/ONNX/Ops/Contract.h"
#include "lib/Import/ONNX/Registry.h"

namespace mlir::qtensor::onnx {
namespace {
/// The axes of a Reduce op; nothing when it is to pass its input on (noop_with_empty_axes).
FailureOr<std::optional<SmallVector<int64_t>>> reduceAxes(NodeContext &n) {
  auto given = n.numbersFrom("axes", 1);
  if (failed(given))
    return failure();
  int64_t rank = n.in(0).rank();
  if (!*given || (*given)->empty()) {
    if (n.attrInt("noop_with_empty_axes", 0))
      return std::optional<SmallVector<int64_t>>();
    return std::optional(allAxes(rank));
  }
  auto axes = n.axes(**given, rank);
  if (failed(axes))
    return failure();
  return std::optional(*axes);
}

using ReduceFn = Val (*)(Emit &, const Val &, ArrayRef<int64_t>, bool);

/// Without axes an operator still does to each element what it does before summing (squares, absolute values).
template <ReduceFn fn> LogicalResult reduceOp(NodeContext &n) {
  auto axes = reduceAxes(n);
  if (failed(axes))
    return failure();
  if (!*axes)
    return n.set(0, fn(n.e, n.in(0), {}, true));
  return n.set(0, fn(n.e, n.in(0), **axes, n.attrInt("keepdims", 1)));
}

Val square(Emit &e, const Val &x) {
  return e.map(x, x.elem, [](Scalar &s, ValueRange in) { return s.mul(in[0], in[0]); });
}
template <typename OpT> Val apply(Emit &e, const Val &x) {
  return e.map(x, x.elem, [](Scalar &s, ValueRange in) -> Value { return s.make<OpT>(in[0]); });
}

Val reduceSum(Emit &e, const Val &x, ArrayRef<int64_t> axes, bool keep) { return e.sum(x, axes, keep); }
Val reduceMean(Emit &e, const Val &x, ArrayRef<int64_t> axes, bool keep) { return e.mean(x, axes, keep); }
Val reduceL1(Emit &e, const Val &x, ArrayRef<int64_t> axes, bool keep) {
  return e.sum(e.map(x, x.elem, [&](Scalar &s, ValueRange in) { return s.abs(in[0], isUnsigned(x.elem)); }), axes,
               keep);
}
Val reduceSumSquare(Emit &e, const Val &x, ArrayRef<int64_t> axes, bool keep) {
  return e.sum(square(e, x), axes, keep);
}
Val reduceL2(Emit &e, const Val &x, ArrayRef<int64_t> axes, bool keep) {
  Val total = e.cast(reduceSumSquare(e, x, axes, keep), isFloat(x.elem) ? x.elem : Elem::F64);
  return e.cast(apply<math::SqrtOp>(e, total), x.elem);
}
Val reduceLogSum(Emit &e, const Val &x, ArrayRef<int64_t> axes, bool keep) {
  return apply<math::LogOp>(e, e.sum(x, axes, keep));
}

/// log(sum(exp(x - max))) + max. An all -inf row has max -inf; subtracting 0 there keeps NaN away.
Val reduceLogSumExp(Emit &e, const Val &x, ArrayRef<int64_t> axes, bool keep) {
  Val top = e.maximum(x, axes, /*keep=*/true);
  Val safe = e.map(top, x.elem, [](Scalar &s, ValueRange in) {
    Value infinite = s.eq(s.abs(in[0]), s.like(in[0], std::numeric_limits<double>::infinity()));
    return s.select(infinite, s.like(in[0], 0), in[0]);
  });
  Val terms = e.mapTo(x.dims, {x, safe}, x.elem, [](Scalar &s, ValueRange in) { return s.exp(s.sub(in[0], in[1])); });
  Val total = e.sum(terms, axes, /*keep=*/true);
  Val inputs[] = {total, safe};
  Val out = e.map(inputs, x.elem, [](Scalar &s, ValueRange in) { return s.add(s.log(in[0]), in[1]); });
  return keep ? out : e.squeeze(out, axes);
}

Val reduceMax(Emit &e, const Val &x, ArrayRef<int64_t> axes, bool keep) {
  if (x.elem != Elem::Bool)
    return e.maximum(x, axes, keep);
  return e.reduce(x, axes, keep, x.elem, 0, [](Scalar &s, ValueRange in) { return s.logicalOr(in[1], in[0]); });
}

Val reduceMin(Emit &e, const Val &x, ArrayRef<int64_t> axes, bool keep) {
  if (x.elem == Elem::Bool)
    return e.reduce(x, axes, keep, x.elem, 1, [](Scalar &s, ValueRange in) { return s.logicalAnd(in[1], in[0]); });
  return e.minimum(x, axes, keep);
}

Val reduceProd(Emit &e, const Val &x, ArrayRef<int64_t> axes, bool keep) {
  if (x.ints && x.rank() == 1 && axes.size() == 1)
    return e.ints(e.math.product(*x.ints), keep ? ArrayRef<int64_t>{1} : ArrayRef<int64_t>{}, x.elem);
  return e.reduce(x, axes, keep, x.elem, 1, [](Scalar &s, ValueRange in) { return s.mul(in[1], in[0]); });
}

/// Axes of Softmax and its kin: one since operator set 13, before all from 'axis' on.
FailureOr<SmallVector<int64_t>> softmaxAxes(NodeContext &n) {
  int64_t rank = n.in(0).rank();
  FailureOr<int64_t> axis = n.axis(n.attrInt("axis", n.opset >= 13 ? -1 : 1), rank);
  if (failed(axis))
    return failure();
  return n.opset >= 13 ? SmallVector<int64_t>{*axis} : llvm::to_vector(llvm::seq<int64_t>(*axis, rank));
}

LogicalResult importSoftmax(NodeContext &n) {
  FailureOr<SmallVector<int64_t>> axes = softmaxAxes(n);
  if (failed(axes) || failed(n.requireFloat(0)))
    return failure();
  return n.set(0, softmax(n.e, n.in(0), *axes));
}

LogicalResult importLogSoftmax(NodeContext &n) {
  FailureOr<SmallVector<int64_t>> axes = softmaxAxes(n);
  const Val &x = n.in(0);
  if (failed(axes) || failed(n.requireFloat(0)))
    return failure();
  Val inputs[] = {x, reduceLogSumExp(n.e, x, *axes, /*keep=*/true)};
  return n.set(0, n.e.map(inputs, x.elem, [](Scalar &s, ValueRange in) { return s.sub(in[0], in[1]); }));
}

LogicalResult importLpNormalization(NodeContext &n) {
  const Val &x = n.in(0);
  FailureOr<int64_t> axis = n.axis(n.attrInt("axis", -1), x.rank());
  int64_t p = n.attrInt("p", 2);
  if (failed(axis) || failed(n.requireFloat(0)))
    return failure();
  if (p != 1 && p != 2)
    return n.fail("'p' must be 1 or 2");
  Val inputs[] = {x, p == 1 ? reduceL1(n.e, x, *axis, true) : reduceL2(n.e, x, *axis, true)};
  return n.set(0, n.e.map(inputs, x.elem, [](Scalar &s, ValueRange in) {
    Value zero = s.eq(in[1], s.like(in[1], 0)); // a zero vector stays zero
    return s.select(zero, s.like(in[0], 0), s.div(in[0], in[1]));
  }));
}
} // namespace

void registerReduce(Registry &r) {
  constexpr const char *reduce = "axes keepdims noop_with_empty_axes";
  r.add({
      {"", "ReduceSum", 1, kNewest, 1, 2, reduce, reduceOp<reduceSum>},
      {"", "ReduceMean", 1, kNewest, 1, 2, reduce, reduceOp<reduceMean>},
      {"", "ReduceMax", 1, kNewest, 1, 2, reduce, reduceOp<reduceMax>},
      {"", "ReduceMin", 1, kNewest, 1, 2, reduce, reduceOp<reduceMin>},
      {"", "ReduceProd", 1, kNewest, 1, 2, reduce, reduceOp<reduceProd>},
      {"", "ReduceL1", 1, kNewest, 1, 2, reduce, reduceOp<reduceL1>},
      {"", "ReduceL2", 1, kNewest, 1, 2, reduce, reduceOp<reduceL2>},
      {"", "ReduceSumSquare", 1, kNewest, 1, 2, reduce, reduceOp<reduceSumSquare>},
      {"", "ReduceLogSum", 1, kNewest, 1, 2, reduce, reduceOp<reduceLogSum>},
      {"", "ReduceLogSumExp", 1, kNewest, 1, 2, reduce, reduceOp<reduceLogSumExp>},
      {"", "Softmax", 1, kNewest, 1, 1, "axis", importSoftmax},
      {"", "LogSoftmax", 1, kNewest, 1, 1, "axis", importLogSoftmax},
      {"", "LpNormalization", 1, kNewest, 1, 1, "axis p", importLpNormalization},
  });
}

} // namespace mlir::qtensor::onnx
