// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reductions along axes, and softmax.
#include "lib/Import/TFLite/Registry.h"

namespace mlir::qtensor::tflite {
namespace {
FailureOr<SmallVector<int64_t>> readAxes(const Node &n) {
  FailureOr<SmallVector<int64_t>> axes = n.numbers(1, "its axes");
  if (failed(axes))
    return failure();
  int64_t rank = n.in(0).rank();
  for (int64_t &axis : *axes) {
    axis += axis < 0 ? rank : 0;
    if (axis < 0 || axis >= rank)
      return n.fail("reduces along axis " + Twine(axis) + " of a tensor of rank " + Twine(rank));
  }
  llvm::sort(*axes);
  axes->erase(llvm::unique(*axes), axes->end());
  return axes;
}

LogicalResult importMean(const Node &n) {
  FailureOr<SmallVector<int64_t>> axes = readAxes(n);
  if (failed(axes))
    return failure();
  bool keep = n.option("keep_dims");
  if (!isQuantized(n.inTensor(0)))
    return n.set(n.e.mean(n.in(0), *axes, keep));
  return n.setByRule("tflite.mean", {0}, {n.param("axes", *axes), n.param("keep_dims", int64_t(keep))},
                     [&](Emit &e, ArrayRef<Val> x) { return e.mean(x[0], *axes, keep); });
}

LogicalResult importSum(const Node &n) {
  FailureOr<SmallVector<int64_t>> axes = readAxes(n);
  if (failed(axes))
    return failure();
  bool keep = n.option("keep_dims");
  if (!isQuantized(n.inTensor(0)))
    return n.set(n.e.sum(n.in(0), *axes, keep));
  // The mean's rule without its division.
  return n.setByRule("tflite.mean", {0}, {n.param("axes", *axes), n.param("keep_dims", int64_t(keep)), n.param("sum", int64_t(1))},
                     [&](Emit &e, ArrayRef<Val> x) { return e.sum(x[0], *axes, keep); });
}

/// Maxima and minima of codes are codes: their order is that of the reals.
template <bool isMax> LogicalResult importExtreme(const Node &n) {
  FailureOr<SmallVector<int64_t>> axes = readAxes(n);
  if (failed(axes))
    return failure();
  if (isQuantized(n.inTensor(0)) && n.inTensor(0).quantization.scale != n.outTensor().quantization.scale)
    return n.fail("its input and output have different scales; the format wants the same");
  if constexpr (isMax)
    return n.set(n.e.maximum(n.in(0), *axes, n.option("keep_dims")));
  Elem elem = n.in(0).elem;
  double start = isFloat(elem) ? std::numeric_limits<double>::infinity()
                               : std::ldexp(1.0, int(graph::bitWidth(elem)) - (graph::isSigned(elem) ? 1 : 0)) - 1;
  return n.set(n.e.reduce(n.in(0), *axes, n.option("keep_dims"), elem, start, [&](Scalar &s, ValueRange in) {
    return s.min(in[1], in[0], !graph::isSigned(elem));
  }));
}

Val scaledSoftmax(Emit &e, const Val &x, double beta) {
  Val scaled = beta == 1 ? x : e.map(x, Elem::F32, [&](Scalar &s, ValueRange in) { return s.mul(in[0], s.like(in[0], beta)); });
  return softmax(e, scaled, {x.rank() - 1});
}

LogicalResult importSoftmax(const Node &n) {
  double beta = n.realOption("beta");
  if (n.in(0).rank() < 1)
    return n.fail("its input is a scalar");
  if (!isQuantized(n.inTensor(0)))
    return n.set(scaledSoftmax(n.e, n.in(0), beta));
  return n.setByRule("tflite.softmax", {0}, {n.param("beta", beta)},
                     [&](Emit &e, ArrayRef<Val> x) { return scaledSoftmax(e, x[0], beta); });
}

/// x - max - log(sum(exp(x - max))).
LogicalResult importLogSoftmax(const Node &n) {
  if (isQuantized(n.inTensor(0)))
    return n.fail("is quantized, for which there is no rule; keep it in float");
  const Val &x = n.in(0);
  int64_t axis = x.rank() - 1;
  if (axis < 0)
    return n.fail("its input is a scalar");
  Val top[] = {x, n.e.maximum(x, axis, /*keep=*/true)};
  Val shifted = n.e.map(top, x.elem, [](Scalar &s, ValueRange in) { return s.sub(in[0], in[1]); });
  Val terms = n.e.map(shifted, x.elem, [](Scalar &s, ValueRange in) { return s.exp(in[0]); });
  Val parts[] = {shifted, n.e.sum(terms, axis, /*keep=*/true)};
  return n.set(n.e.map(parts, x.elem, [](Scalar &s, ValueRange in) { return s.sub(in[0], s.log(in[1])); }));
}
} // namespace

void registerReductions(Registry &r) {
  r.add({
      {"MEAN", 2, 2, importMean, "f32; int8, uint8, int16 by TFLite Micro's rule"},
      {"SUM", 2, 2, importSum, "f32, integers; int8, uint8, int16 by TFLite Micro's rule"},
      {"REDUCE_MAX", 2, 2, importExtreme<true>, "all types; quantized: one scale"},
      {"REDUCE_MIN", 2, 2, importExtreme<false>, "all types; quantized: one scale"},
      {"SOFTMAX", 1, 1, importSoftmax, "f32; int8, uint8, int16 by TFLite Micro's rule"},
      {"LOG_SOFTMAX", 1, 1, importLogSoftmax, "f32"},
  });
}

} // namespace mlir::qtensor::tflite
