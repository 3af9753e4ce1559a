// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reductions along axes, sums up to each position, and what divides rows by one of them.
#include "lib/Import/Graph/Pairs.h"
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
  if (failed(n.requireSameScale()))
    return failure();
  bool keep = n.option("keep_dims");
  return n.set(isMax ? n.e.maximum(n.in(0), *axes, keep) : n.e.minimum(n.in(0), *axes, keep));
}

using FoldFn = Value (*)(Scalar &, Value, Value);
Value product(Scalar &s, Value total, Value next) { return s.mul(total, next); }
Value conjunction(Scalar &s, Value total, Value next) { return s.logicalAnd(total, next); }
Value disjunction(Scalar &s, Value total, Value next) { return s.logicalOr(total, next); }

/// All elements folded, from `start` on; of codes there is no rule.
template <FoldFn fold, int start, bool ofTruths> LogicalResult importFold(const Node &n) {
  FailureOr<SmallVector<int64_t>> axes = readAxes(n);
  if (failed(axes))
    return failure();
  Elem elem = n.in(0).elem;
  if (isQuantized(n.inTensor(0)) || (elem == Elem::Bool) != ofTruths)
    return n.fail(ofTruths ? "takes truth values" : "takes plain numbers; keep it in float");
  return n.set(n.e.reduce(n.in(0), *axes, n.option("keep_dims"), elem, start,
                          [](Scalar &s, ValueRange in) { return fold(s, in[1], in[0]); }));
}

LogicalResult importCumulative(const Node &n) {
  FailureOr<SmallVector<int64_t>> given = n.numbers(1, "its axis");
  if (failed(given))
    return failure();
  int64_t rank = n.in(0).rank(), axis = given->size() == 1 ? (*given)[0] + ((*given)[0] < 0 ? rank : 0) : -1;
  if (axis < 0 || axis >= rank)
    return n.fail("its axis is none of its input's");
  bool exclusive = n.option("exclusive"), reverse = n.option("reverse");
  if (!isQuantized(n.inTensor(0)))
    return n.set(cumulativeSum(n.e, n.in(0), axis, exclusive, reverse));
  NamedAttribute parameters[] = {n.param("axis", axis), n.param("exclusive", int64_t(exclusive)),
                                 n.param("reverse", int64_t(reverse))};
  return n.setByRule("tflite.cumsum", {0}, parameters, [&](Emit &e, ArrayRef<Val> in) {
    Val plain = e.map(in[0], Elem::F32, [](Scalar &, ValueRange x) { return x[0]; });
    return cumulativeSum(e, plain, axis, exclusive, reverse);
  });
}

/// Rows divided by their length, or by 1e-6 where that is less.
Val unitRows(Emit &e, const Val &x) {
  Val squares = e.map(x, Elem::F32, [](Scalar &s, ValueRange in) { return s.mul(in[0], in[0]); });
  Val parts[] = {x, e.sum(squares, {x.rank() - 1}, /*keep=*/true)};
  return e.mapTo(x.dims, parts, Elem::F32, [](Scalar &s, ValueRange in) {
    return s.div(in[0], s.max(s.sqrt(in[1]), s.like(in[1], 1e-6)));
  });
}

LogicalResult importUnit(const Node &n) {
  if (n.in(0).rank() < 1 || n.option("activation") != 0)
    return n.fail("its input is a scalar, or it has an activation, which no runtime has here");
  if (!isQuantized(n.inTensor(0)))
    return n.set(unitRows(n.e, n.in(0)));
  return n.setByRule("tflite.l2_normalization", {0}, {}, [](Emit &e, ArrayRef<Val> in) { return unitRows(e, in[0]); });
}

/// x / (bias + alpha * the sum of the squares of the channels around it) ^ beta.
LogicalResult importLocalResponse(const Node &n) {
  Emit &e = n.e;
  const Val &x = n.in(0);
  auto channels = x.rank() ? DimMath::number(x.dims.back()) : std::nullopt;
  int64_t radius = n.option("radius");
  if (x.elem != Elem::F32 || !channels || radius < 0 || radius > 1 << 20)
    return n.fail("takes floats of fixed extents and a radius in [0, 2^20]");
  PairLoops loops = pairLoops(e, x, x.rank() - 1);
  Value sums = e.generic(e.tensor(x), e.filled(x.dims, Elem::F32, 0), {loops.read, loops.write}, loops.iterators,
                         [&](Scalar &s, ValueRange in) {
                           Value here = s.index(x.rank() - 1), other = s.index(x.rank()),
                                 reach = s.like(here, double(radius));
                           Value near = s.logicalAnd(s.le(here, s.add(other, reach)), s.le(other, s.add(here, reach)));
                           return s.add(in[1], s.select(near, s.mul(in[0], in[0]), s.like(in[0], 0)));
                         });
  Val inputs[] = {x, e.wrap(sums, Elem::F32, x.dims)};
  double bias = n.realOption("bias"), alpha = n.realOption("alpha"), beta = n.realOption("beta");
  return n.set(e.map(inputs, Elem::F32, [&](Scalar &s, ValueRange in) {
    Value base = s.add(s.like(in[1], bias), s.mul(s.like(in[1], alpha), in[1]));
    return s.mul(in[0], s.make<math::PowFOp>(base, s.like(base, -beta)));
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
  if (!(beta > 0))
    return n.fail("has the factor beta = " + std::to_string(beta) + "; it is above zero");
  if (!isQuantized(n.inTensor(0)))
    return n.set(scaledSoftmax(n.e, n.in(0), beta));
  SmallVector<NamedAttribute> parameters{n.param("beta", beta)};
  if (n.likeLiteRT() && n.in(0).elem == Elem::I16)
    parameters.push_back(n.param("f64_tables", int64_t(1)));
  return n.setByRule("tflite.softmax", {0}, parameters,
                     [&](Emit &e, ArrayRef<Val> x) { return scaledSoftmax(e, x[0], beta); });
}

/// x - max - log(sum(exp(x - max))).
Val logSoftmax(Emit &e, const Val &x) {
  int64_t axis = x.rank() - 1;
  Val top[] = {x, e.maximum(x, axis, /*keep=*/true)};
  Val shifted = e.map(top, x.elem, [](Scalar &s, ValueRange in) { return s.sub(in[0], in[1]); });
  Val terms = e.map(shifted, x.elem, [](Scalar &s, ValueRange in) { return s.exp(in[0]); });
  Val parts[] = {shifted, e.sum(terms, axis, /*keep=*/true)};
  return e.map(parts, x.elem, [](Scalar &s, ValueRange in) { return s.sub(in[0], s.log(in[1])); });
}

LogicalResult importLogSoftmax(const Node &n) {
  if (n.in(0).rank() < 1)
    return n.fail("its input is a scalar");
  if (!isQuantized(n.inTensor(0)))
    return n.set(logSoftmax(n.e, n.in(0)));
  return n.setByRule("tflite.log_softmax", {0}, {n.param("beta", 1.0)}, [](Emit &e, ArrayRef<Val> x) { return logSoftmax(e, x[0]); });
}
} // namespace

void registerReductions(Registry &r) {
  r.add({
      {"MEAN", 2, 2, importMean, "f32; int8, uint8, int16 by TFLite Micro's rule"},
      {"SUM", 2, 2, importSum, "f32, integers; int8, uint8, int16 by TFLite Micro's rule"},
      {"REDUCE_MAX", 2, 2, importExtreme<true>, "all types; quantized: one scale"},
      {"REDUCE_MIN", 2, 2, importExtreme<false>, "all types; quantized: one scale"},
      {"SOFTMAX", 1, 1, importSoftmax, "f32; int8, uint8, int16 by TFLite Micro's rule"},
      {"LOG_SOFTMAX", 1, 1, importLogSoftmax, "f32; int8 by TFLite Micro's rule"},
      {"LOCAL_RESPONSE_NORMALIZATION", 1, 1, importLocalResponse, "f32"},
      {"L2_NORMALIZATION", 1, 1, importUnit, "f32; int8 by TFLite Micro's rule"},
      {"CUMSUM", 2, 2, importCumulative, "f32, integers; int8 by TFLite Micro's rule; constant axis"},
      {"REDUCE_PROD", 2, 2, importFold<product, 1, false>, "f32, integers"},
      {"REDUCE_ALL", 2, 2, importFold<conjunction, 1, true>, "bool"},
      {"REDUCE_ANY", 2, 2, importFold<disjunction, 0, true>, "bool"},
  });
}

} // namespace mlir::qtensor::tflite
