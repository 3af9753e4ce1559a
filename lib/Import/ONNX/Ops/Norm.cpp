// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Normalizations: statistics in f32 or wider, by the two-pass formula.
#include "lib/Import/ONNX/Ops/Contract.h"
#include "lib/Import/ONNX/Registry.h"

namespace mlir::qtensor::onnx {
namespace {
/// A vector over axis 1 as a tensor that broadcasts against `rank` dimensions.
Val overChannels(Emit &e, const Val &vector, int64_t rank) {
  Dims dims = vector.dims;
  dims.append(rank - 2, e.math.constant(1));
  return e.reshape(vector, dims);
}

struct Normalized {
  Val value, mean, inverseDeviation;
};

/// (x - mean) / sqrt(variance + epsilon) over `axes`, in `wide`.
Normalized normalize(Emit &e, const Val &x, ArrayRef<int64_t> axes, double epsilon, Elem wide) {
  Val mean = e.mean(e.cast(x, wide), axes, /*keep=*/true);
  Val both[] = {x, mean};
  Val centred =
      e.map(both, wide, [&](Scalar &s, ValueRange in) { return s.sub(s.widen(in[0], in[1].getType()), in[1]); });
  Val squares = e.map(centred, wide, [](Scalar &s, ValueRange in) { return s.mul(in[0], in[0]); });
  Val inverse = e.map(e.mean(squares, axes, /*keep=*/true), wide, [&](Scalar &s, ValueRange in) {
    return s.div(s.like(in[0], 1), s.sqrt(s.add(in[0], s.like(in[0], epsilon))));
  });
  Val product[] = {centred, inverse};
  Val out = e.map(product, wide, [](Scalar &s, ValueRange in) { return s.mul(in[0], in[1]); });
  return {out, mean, inverse};
}

/// normal * scale + bias, converted to `elem`; scale and bias broadcast.
Val scaleAndShift(Emit &e, const Val &normal, std::optional<Val> scale, std::optional<Val> bias, Elem elem) {
  SmallVector<Val> inputs = {normal};
  if (scale)
    inputs.push_back(*scale);
  if (bias)
    inputs.push_back(*bias);
  return e.mapTo(normal.dims, inputs, elem, [&](Scalar &s, ValueRange in) {
    Value out = in[0];
    unsigned next = 1;
    if (scale)
      out = s.mul(out, s.cast(in[next++], scale->elem, normal.elem));
    if (bias)
      out = s.add(out, s.cast(in[next], bias->elem, normal.elem));
    return s.cast(out, normal.elem, elem);
  });
}

LogicalResult requireChannels(NodeContext &n, unsigned first, unsigned last) {
  auto channels = DimMath::number(n.in(0).dims[1]);
  for (unsigned i = first; i <= last; ++i) {
    if (failed(n.requireRank(i, 1, 1)))
      return failure();
    auto length = DimMath::number(n.in(i).dims[0]);
    if (channels && length && *channels != *length)
      return n.fail("input " + Twine(i) + " has " + Twine(*length) + " entries for " + Twine(*channels) + " channels");
  }
  return success();
}

LogicalResult importBatchNormalization(NodeContext &n) {
  const Val &x = n.in(0);
  if (failed(n.requireRank(0, 2, 16)) || failed(n.requireFloat(0)) || failed(requireChannels(n, 1, 4)))
    return failure();
  if (n.attrInt("training_mode", 0) || n.attrInt("spatial", 1) != 1)
    return n.fail("only inference with statistics per channel is supported; export the model for inference");
  double epsilon = n.attrFloat("epsilon", 1e-5f);
  SmallVector<Val> inputs = {x};
  for (unsigned i = 1; i <= 4; ++i)
    inputs.push_back(overChannels(n.e, n.in(i), x.rank()));
  Elem wide = accumulatorOf(x.elem);
  return n.set(0, n.e.mapTo(x.dims, inputs, x.elem, [&](Scalar &s, ValueRange in) {
    SmallVector<Value> v;
    for (auto [value, input] : llvm::zip(in, inputs))
      v.push_back(s.cast(value, input.elem, wide));
    // (x - mean) / sqrt(variance + epsilon) * scale + bias
    Value deviation = s.sqrt(s.add(v[4], s.like(v[4], epsilon)));
    Value out = s.add(s.mul(s.div(s.sub(v[0], v[3]), deviation), v[1]), v[2]);
    return s.cast(out, wide, x.elem);
  }));
}

LogicalResult importInstanceNormalization(NodeContext &n) {
  const Val &x = n.in(0);
  if (failed(n.requireRank(0, 3, 16)) || failed(n.requireFloat(0)) || failed(requireChannels(n, 1, 2)))
    return failure();
  auto axes = llvm::to_vector(llvm::seq<int64_t>(2, x.rank()));
  Normalized out = normalize(n.e, x, axes, n.attrFloat("epsilon", 1e-5f), accumulatorOf(x.elem));
  return n.set(0, scaleAndShift(n.e, out.value, overChannels(n.e, n.in(1), x.rank()),
                                overChannels(n.e, n.in(2), x.rank()), x.elem));
}

/// The axes from 'axis' to the last one.
FailureOr<SmallVector<int64_t>> trailingAxes(NodeContext &n) {
  FailureOr<int64_t> axis = n.axis(n.attrInt("axis", -1), n.in(0).rank());
  if (failed(axis))
    return failure();
  return llvm::to_vector(llvm::seq<int64_t>(*axis, n.in(0).rank()));
}

LogicalResult requireBroadcastTo(NodeContext &n, unsigned i) {
  Val both[] = {n.in(0), n.in(i)};
  return n.in(i).rank() > n.in(0).rank() ? n.fail("input " + Twine(i) + " has too many dimensions")
                                         : n.requireBroadcast(both);
}

/// 'stash_type' is the type of the statistics; f32 unless the model says double.
Elem statisticsType(const Val &x) { return x.elem == Elem::F64 ? Elem::F64 : Elem::F32; }

LogicalResult importLayerNormalization(NodeContext &n) {
  const Val &x = n.in(0);
  FailureOr<SmallVector<int64_t>> axes = trailingAxes(n);
  if (failed(axes) || failed(n.requireFloat(0)) || failed(requireBroadcastTo(n, 1)) ||
      (n.has(2) && failed(requireBroadcastTo(n, 2))))
    return failure();
  Normalized out = normalize(n.e, x, *axes, n.attrFloat("epsilon", 1e-5f), statisticsType(x));
  (void)n.set(1, out.mean);
  (void)n.set(2, out.inverseDeviation);
  return n.set(0, scaleAndShift(n.e, out.value, n.in(1), n.has(2) ? std::optional(n.in(2)) : std::nullopt, x.elem));
}

LogicalResult importRMSNormalization(NodeContext &n) {
  const Val &x = n.in(0);
  FailureOr<SmallVector<int64_t>> axes = trailingAxes(n);
  if (failed(axes) || failed(n.requireFloat(0)) || failed(requireBroadcastTo(n, 1)))
    return failure();
  double epsilon = n.attrFloat("epsilon", 1e-5f);
  Elem wide = statisticsType(x);
  Val squares = n.e.map(x, wide, [&](Scalar &s, ValueRange in) {
    Value value = s.cast(in[0], x.elem, wide);
    return s.mul(value, value);
  });
  Val inputs[] = {x, n.e.mean(squares, *axes, /*keep=*/true)};
  Val normal = n.e.map(inputs, wide, [&](Scalar &s, ValueRange in) {
    return s.div(s.cast(in[0], x.elem, wide), s.sqrt(s.add(in[1], s.like(in[1], epsilon))));
  });
  return n.set(0, scaleAndShift(n.e, n.e.cast(normal, x.elem), n.in(1), std::nullopt, x.elem));
}

LogicalResult importGroupNormalization(NodeContext &n) {
  const Val &x = n.in(0);
  int64_t groups = n.attrInt("num_groups", 0);
  if (failed(n.requireRank(0, 3, 16)) || failed(n.requireFloat(0)))
    return failure();
  auto channels = DimMath::number(x.dims[1]);
  if (groups < 1 || !channels || *channels % groups != 0)
    return n.fail("'num_groups' must divide a constant number of channels");
  DimMath &m = n.e.math;
  // [N, C, ...] -> [N, G, C/G, ...], statistics over all but N and G.
  Dims split = {x.dims[0], m.constant(groups), m.constant(*channels / groups)};
  split.append(x.dims.begin() + 2, x.dims.end());
  auto axes = llvm::to_vector(llvm::seq<int64_t>(2, x.rank() + 1));
  Normalized out = normalize(n.e, n.e.reshape(x, split), axes, n.attrFloat("epsilon", 1e-5f), statisticsType(x));
  SmallVector<Val> parameters;
  for (unsigned i : {1, 2}) {
    auto length = n.in(i).rank() == 1 ? DimMath::number(n.in(i).dims[0]) : std::nullopt;
    if (length != (n.opset >= 21 ? *channels : groups))
      return n.fail("input " + Twine(i) + " does not have one entry per " + (n.opset >= 21 ? "channel" : "group"));
    // Per channel since operator set 21, per group before.
    Dims dims = {m.constant(groups), m.constant(n.opset >= 21 ? *channels / groups : 1)};
    dims.append(x.rank() - 2, m.constant(1));
    parameters.push_back(n.e.reshape(n.in(i), dims));
  }
  return n.set(0, n.e.reshape(scaleAndShift(n.e, out.value, parameters[0], parameters[1], x.elem), x.dims));
}

LogicalResult importMeanVarianceNormalization(NodeContext &n) {
  const Val &x = n.in(0);
  auto axes = n.axes(n.hasAttr("axes") ? n.attrInts("axes") : SmallVector<int64_t>{0, 2, 3}, x.rank());
  if (failed(axes) || failed(n.requireFloat(0)))
    return failure();
  // ONNX adds 1e-9 to the deviation; under the root the smallest normal squared keeps zero variance finite.
  Elem wide = accumulatorOf(x.elem);
  Val mean = n.e.mean(n.e.cast(x, wide), *axes, true);
  Val both[] = {x, mean};
  Val centred =
      n.e.map(both, wide, [](Scalar &s, ValueRange in) { return s.sub(s.widen(in[0], in[1].getType()), in[1]); });
  Val squares = n.e.map(centred, wide, [](Scalar &s, ValueRange in) { return s.mul(in[0], in[0]); });
  Val product[] = {centred, n.e.mean(squares, *axes, true)};
  return n.set(0, n.e.map(product, x.elem, [&](Scalar &s, ValueRange in) {
    return s.cast(s.div(in[0], s.add(s.sqrt(in[1]), s.like(in[1], 1e-9))), wide, x.elem);
  }));
}

LogicalResult importLRN(NodeContext &n) {
  const Val &x = n.in(0);
  int64_t size = n.attrInt("size", 0);
  double alpha = n.attrFloat("alpha", 1e-4f), beta = n.attrFloat("beta", 0.75f), bias = n.attrFloat("bias", 1);
  if (failed(n.requireRank(0, 2, 16)) || failed(n.requireFloat(0)))
    return failure();
  if (size < 1 || size > 1 << 16)
    return n.fail("'size' must be positive");
  // Sum of squares over a window of channels: the padded squares read at c + k.
  DimMath &m = n.e.math;
  Dims low(x.rank(), m.constant(0)), high = low;
  low[1] = m.constant((size - 1) / 2);
  high[1] = m.constant(size - 1 - (size - 1) / 2);
  Val squares = n.e.map(x, x.elem, [](Scalar &s, ValueRange in) { return s.mul(in[0], in[0]); });
  Val padded = n.e.pad(squares, low, high, Scalar(n.e.b, n.e.loc).number(n.e.type(x.elem), 0));
  unsigned loops = x.rank() + 1;
  SmallVector<AffineExpr> read;
  for (int64_t i = 0; i < x.rank(); ++i)
    read.push_back(n.e.b.getAffineDimExpr(i));
  AffineMap write = AffineMap::get(loops, 0, read, n.e.b.getContext());
  AffineExpr tap = n.e.b.getAffineDimExpr(x.rank());
  read[1] = read[1] + tap;
  AffineMap maps[] = {AffineMap::get(loops, 0, read, n.e.b.getContext()), AffineMap::get(loops, 0, tap), write};
  SmallVector<utils::IteratorType> iterators(x.rank(), utils::IteratorType::parallel);
  iterators.push_back(utils::IteratorType::reduction);
  Value taps = n.e.empty(m.constant(size), n.e.type(x.elem)); // only its shape is read
  Value sums = n.e.generic({n.e.tensor(padded), taps}, n.e.filled(x.dims, x.elem, 0), maps, iterators,
                           [](Scalar &s, ValueRange in) { return s.add(in[2], in[0]); });
  Val inputs[] = {x, n.e.wrap(sums, x.elem, x.dims)};
  return n.set(0, n.e.map(inputs, x.elem, [&](Scalar &s, ValueRange in) {
    Value base = s.add(s.like(in[0], bias), s.mul(s.like(in[0], alpha / static_cast<double>(size)), in[1]));
    return s.div(in[0], s.make<math::PowFOp>(base, s.like(in[0], beta)));
  }));
}
} // namespace

void registerNorm(Registry &r) {
  r.add({
      {"", "BatchNormalization", 1, kNewest, 5, 5, "epsilon momentum spatial training_mode is_test consumed_inputs",
       importBatchNormalization, "inference only"},
      {"", "InstanceNormalization", 6, kNewest, 3, 3, "epsilon", importInstanceNormalization},
      {"", "LayerNormalization", 17, kNewest, 2, 3, "axis epsilon stash_type", importLayerNormalization},
      {"", "RMSNormalization", 23, kNewest, 2, 2, "axis epsilon stash_type", importRMSNormalization},
      {"", "GroupNormalization", 18, kNewest, 3, 3, "epsilon num_groups stash_type", importGroupNormalization},
      {"", "MeanVarianceNormalization", 9, kNewest, 1, 1, "axes", importMeanVarianceNormalization},
      {"", "LRN", 1, kNewest, 1, 1, "alpha beta bias size", importLRN},
  });
}

} // namespace mlir::qtensor::onnx
