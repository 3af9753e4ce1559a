// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Layers of filters over a sliding window of steps, whose past is a variable of the model.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Import/TFLite/Ops/Hybrid.h"
#include "lib/Import/TFLite/Registry.h"

namespace mlir::qtensor::tflite {
namespace {
// Inputs by number, as the file format has them.
constexpr unsigned kFeatures = 1, kTimes = 2, kBias = 3, kState = 4;

/// A value of another rank is no read of an encoded tensor.
Val plain(Emit &e, const Val &x) {
  Value value = e.tensor(x);
  if (!cast<RankedTensorType>(value.getType()).getEncoding())
    return x;
  return e.wrap(DequantizeOp::create(e.b, e.loc, e.type(x), value), Elem::F32, x.dims);
}

/// The output and the new state from x, features (codes, where they have a scale), times, state and, where there is
/// one, bias.
SmallVector<Val> emitSvdf(const Node &n, Emit &e, ArrayRef<Val> in, std::optional<float> scale = {}) {
  int64_t rank = n.option("rank");
  DimMath &m = e.math;
  Val times = plain(e, in[2]), state = plain(e, in[3]);
  OpFoldResult batch = in[0].dims[0], filters = times.dims[0], steps = times.dims[1], units = m.floorDiv(filters, m.constant(rank));
  Val windows = e.reshape(state, {batch, filters, steps});
  RowFactor seen = rowFactor(e, in[0], scale.has_value(), n.option("asymmetric_quantize_inputs"));
  Val newest = e.reshape(multiplyRows(e, seen, in[1], scale), {batch, filters, m.constant(1)});
  Val moved = newest;
  if (DimMath::number(steps) != 1)
    moved = e.concat({e.sliceAxis(windows, 2, m.constant(1), m.sub(steps, m.constant(1))), newest}, 2);
  Val products = e.map({moved, times}, Elem::F32, [](Scalar &s, ValueRange x) { return s.mul(x[0], x[1]); });
  Val sums = e.sum(e.reshape(e.sum(products, {2}, /*keep=*/false), {batch, units, m.constant(rank)}), {2}, /*keep=*/false);
  SmallVector<Val> parts{sums};
  if (in.size() > 4)
    parts.push_back(in[4]);
  int64_t activation = n.option("activation");
  Val out = e.mapTo(sums.dims, parts, Elem::F32, [&](Scalar &s, ValueRange x) {
    return n.activate(s, x.size() > 1 ? s.add(x[0], x[1]) : x[0], activation);
  });
  return {out, e.reshape(moved, in[3].dims)};
}

/// The extents of a layer, all fixed.
LogicalResult checkSvdf(const Node &n) {
  auto shape = [&](unsigned i) { return DimMath::shape(n.in(i).dims); };
  SmallVector<int64_t> x = shape(0), features = shape(kFeatures), times = shape(kTimes), state = shape(kState);
  int64_t rank = n.option("rank");
  if (x.size() != 2 || features.size() != 2 || times.size() != 2 || ShapedType::isDynamicShape(x))
    return n.fail("takes [batch, inputs] of fixed extents, features [filters, inputs] and times [filters, steps]");
  if (rank < 1 || features[0] % rank != 0 || times[1] < 1)
    return n.fail("has " + Twine(features[0]) + " filters of rank " + Twine(rank) + " over " + Twine(times[1]) +
                  " steps; the filters must be a multiple of the rank");
  bool fit = features[1] == x[1] && times[0] == features[0] && state == SmallVector<int64_t>{x[0], features[0] * times[1]} &&
             (!n.has(kBias) || shape(kBias) == SmallVector<int64_t>{features[0] / rank});
  return fit ? success() : n.fail("its weights, bias and state do not have the extents of its input and its filters");
}

/// A layer of floats, also beside filters of codes.
LogicalResult importReal(const Node &n, ArrayRef<unsigned> inputs) {
  bool hybrid = isQuantized(n.inTensor(kFeatures)) || isQuantized(n.inTensor(kTimes));
  SmallVector<Val> parts;
  for (unsigned i : inputs) {
    bool codes = hybrid && (i == kFeatures || i == kTimes);
    if (codes && failed(checkRowCodes(n, n.inTensor(i))))
      return failure();
    if (!codes && n.in(i).elem != Elem::F32)
      return n.fail("has float activations and '" + n.inTensor(i).name + "' of " + elemName(n.in(i).elem) +
                    ", which is no filter of codes with a scale");
    FailureOr<Val> given =
        codes && i == kTimes ? n.real(i) : FailureOr<Val>(codes ? asContainer(n.e, n.in(i)) : n.in(i));
    if (failed(given))
      return failure();
    parts.push_back(*given);
  }
  std::optional<float> scale;
  if (hybrid)
    scale = n.inTensor(kFeatures).quantization.scale[0];
  SmallVector<Val> results = emitSvdf(n, n.e, parts, scale);
  n.value(n.op.inputs[kState]) = results[1];
  return n.set(results[0]);
}

LogicalResult importSvdf(const Node &n) {
  if (!n.has(kState) || !n.inTensor(kState).isVariable)
    return n.fail("its state must be a variable of the model");
  FailureOr<int64_t> activation = n.activation();
  if (failed(activation) || failed(checkSvdf(n)))
    return failure();
  SmallVector<unsigned> inputs{0, kFeatures, kTimes, kState};
  if (n.has(kBias))
    inputs.push_back(kBias);
  if (!isQuantized(n.inTensor(0)))
    return importReal(n, inputs);
  for (unsigned i : inputs)
    if (!isQuantized(n.inTensor(i)))
      return n.fail("has quantized activations and '" + n.inTensor(i).name + "' of floats; quantize it fully");
  // The published kernels clamp to the codes alone.
  if (*activation > 1 || (*activation == 1 && n.outTensor().quantization.zero[0] != -128))
    return n.fail("is quantized with an activation that its codes do not have; use relu with the zero point -128");
  return n.setByRule("tflite.svdf", inputs, {kState}, {n.param("rank", n.option("rank"))},
                     [&](Emit &e, ArrayRef<Val> reals) { return emitSvdf(n, e, reals); });
}
} // namespace

void registerFilters(Registry &r) {
  r.add({{"SVDF", 3, 5, importSvdf,
          "f32, also with int8 filters by LiteRT's rule; int8 with a state of int16 or int8 by TFLite Micro's rule"}});
}

} // namespace mlir::qtensor::tflite
