// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Resize and Upsample: one axis after the other, each a sum over a few taps whose positions and weights are constants.
#include "lib/Import/ONNX/Ops/Interpolation.h"
#include "lib/Import/ONNX/Registry.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/StringSwitch.h"

namespace mlir::qtensor::onnx {
namespace {
/// No axis is resized to more elements than this.
constexpr double kMaxExtent = 1 << 20;

struct Plan {
  ResizeRule rule;
  SmallVector<double> scales;                // one per dimension
  SmallVector<std::optional<int64_t>> sizes; // the result's extents, where constant
  SmallVector<std::pair<double, double>> rois;
};

FailureOr<ResizeRule> readRule(NodeContext &n) {
  ResizeRule rule;
  auto mode = llvm::StringSwitch<std::optional<ResizeMode>>(n.attrString("mode", "nearest"))
                  .Case("nearest", ResizeMode::Nearest)
                  .Cases({"linear", "bilinear"}, ResizeMode::Linear)
                  .Case("cubic", ResizeMode::Cubic)
                  .Default(std::nullopt);
  bool old = n.opset < 11; // Upsample and the first Resize
  StringRef otherwise = old ? "asymmetric" : "half_pixel";
  auto coordinates =
      llvm::StringSwitch<std::optional<Coordinates>>(n.attrString("coordinate_transformation_mode", otherwise))
          .Case("half_pixel", Coordinates::HalfPixel)
          .Case("half_pixel_symmetric", Coordinates::HalfPixelSymmetric)
          .Case("pytorch_half_pixel", Coordinates::PytorchHalfPixel)
          .Case("align_corners", Coordinates::AlignCorners)
          .Case("asymmetric", Coordinates::Asymmetric)
          .Case("tf_half_pixel_for_nn", Coordinates::TfHalfPixelForNN)
          .Case("tf_crop_and_resize", Coordinates::TfCropAndResize)
          .Default(std::nullopt);
  auto nearest =
      llvm::StringSwitch<std::optional<NearestMode>>(n.attrString("nearest_mode", old ? "floor" : "round_prefer_floor"))
          .Case("round_prefer_floor", NearestMode::RoundPreferFloor)
          .Case("round_prefer_ceil", NearestMode::RoundPreferCeil)
          .Case("floor", NearestMode::Floor)
          .Case("ceil", NearestMode::Ceil)
          .Default(std::nullopt);
  if (!mode || !coordinates || !nearest)
    return n.fail("'mode', 'coordinate_transformation_mode' or 'nearest_mode' has an unknown value");
  rule.mode = *mode, rule.coordinates = *coordinates, rule.nearest = *nearest;
  rule.antialias = n.attrInt("antialias", 0);
  rule.excludeOutside = n.attrInt("exclude_outside", 0);
  rule.cubicA = n.attrFloat("cubic_coeff_a", -0.75);
  return rule;
}

/// Scales from the result's extents, by the policy for the aspect ratio.
LogicalResult planFromSizes(NodeContext &n, ArrayRef<int64_t> axes, unsigned input, Plan &plan) {
  FailureOr<SmallVector<int64_t>> sizes = n.numbers(input, "the sizes");
  if (failed(sizes) || sizes->size() != axes.size())
    return failed(sizes) ? failure() : n.fail("needs one size per axis");
  StringRef policy = n.attrString("keep_aspect_ratio_policy", "stretch");
  SmallVector<double> scales;
  for (auto [axis, size] : llvm::zip(axes, *sizes)) {
    auto extent = DimMath::number(n.in(0).dims[axis]);
    if (!extent || *extent < 1 || size < 1)
      return n.fail("sizes need constant positive extents of input 0 along the resized axes");
    scales.push_back(static_cast<double>(size) / static_cast<double>(*extent));
  }
  if (policy != "stretch" && !scales.empty()) {
    double common = policy == "not_larger" ? *llvm::min_element(scales) : *llvm::max_element(scales);
    scales.assign(scales.size(), common);
    for (auto [axis, size] : llvm::zip(axes, *sizes))
      size = std::llround(common * static_cast<double>(*DimMath::number(n.in(0).dims[axis])));
  }
  for (auto [i, axis] : llvm::enumerate(axes)) {
    plan.scales[axis] = scales[i];
    plan.sizes[axis] = (*sizes)[i];
  }
  return success();
}

LogicalResult planFromScales(NodeContext &n, ArrayRef<int64_t> axes, ArrayRef<double> scales, Plan &plan) {
  if (scales.size() != axes.size())
    return n.fail("needs one scale per axis");
  for (auto [axis, scale] : llvm::zip(axes, scales)) {
    auto extent = DimMath::number(n.in(0).dims[axis]);
    if (!(scale > 0) || scale > kMaxExtent || (extent && scale * static_cast<double>(*extent) > kMaxExtent))
      return n.fail("a scale is not positive or too large");
    plan.scales[axis] = scale;
    if (extent)
      plan.sizes[axis] = static_cast<int64_t>(std::floor(scale * static_cast<double>(*extent)));
  }
  return success();
}

FailureOr<Plan> makePlan(NodeContext &n) {
  int64_t rank = n.in(0).rank();
  FailureOr<ResizeRule> rule = readRule(n);
  if (failed(rule))
    return failure();
  Plan plan{*rule, SmallVector<double>(rank, 1), SmallVector<std::optional<int64_t>>(rank),
            SmallVector<std::pair<double, double>>(rank, {0, 1})};
  for (auto [i, dim] : llvm::enumerate(n.in(0).dims))
    plan.sizes[i] = DimMath::number(dim);
  SmallVector<int64_t> axes = allAxes(rank);
  if (n.hasAttr("axes")) {
    auto sorted = n.axes(n.attrInts("axes"), rank); // checks; the order given pairs axes with scales
    if (failed(sorted))
      return failure();
    axes = n.attrInts("axes");
    for (int64_t &axis : axes)
      axis = axis < 0 ? axis + rank : axis;
  }
  unsigned scaleInput = n.opset < 11 ? 1 : 2;
  auto isEmpty = [&](unsigned i) { return !n.has(i) || (n.in(i).constant && n.in(i).constant->numElements() == 0); };
  if (n.hasAttr("scales")) {
    if (failed(planFromScales(n, axes, n.attrFloats("scales"), plan)))
      return failure();
  } else if (!isEmpty(scaleInput)) {
    FailureOr<SmallVector<double>> scales = n.reals(scaleInput, "the scales");
    if (failed(scales) || failed(planFromScales(n, axes, *scales, plan)))
      return failure();
  } else if (n.has(3)) {
    if (failed(planFromSizes(n, axes, 3, plan)))
      return failure();
  } else {
    return n.fail("has neither scales nor sizes");
  }
  if (rule->coordinates != Coordinates::TfCropAndResize)
    return plan;
  FailureOr<SmallVector<double>> roi =
      isEmpty(1) ? FailureOr<SmallVector<double>>(failure()) : n.reals(1, "the region");
  if (failed(roi) || roi->size() != 2 * axes.size())
    return n.fail("tf_crop_and_resize needs a constant region with a start and an end per axis");
  for (auto [i, axis] : llvm::enumerate(axes))
    plan.rois[axis] = {(*roi)[i], (*roi)[i + axes.size()]};
  return plan;
}

/// Every element `factor` times: a broadcast between two views.
Val repeat(Emit &e, const Val &x, int64_t axis, int64_t factor) {
  Dims split = x.dims, wide, out = x.dims;
  split.insert(split.begin() + axis + 1, e.math.constant(1));
  wide = split;
  wide[axis + 1] = e.math.constant(factor);
  out[axis] = e.math.mul(out[axis], e.math.constant(factor));
  return e.reshape(e.broadcast(e.reshape(x, split), wide), out);
}

/// out[.., o, ..] = sum over t of weights[o, t] * x[.., indices[o, t], ..].
Val applyTaps(Emit &e, const Val &x, int64_t axis, ArrayRef<Taps> taps) {
  auto count = static_cast<int64_t>(taps.size());
  size_t width = 1;
  for (const Taps &row : taps)
    width = std::max(width, row.indices.size());
  SmallVector<Val> inputs;
  Dims dims = x.dims, column(x.rank() - axis, e.math.constant(1));
  dims[axis] = column[0] = e.math.constant(count);
  for (size_t t = 0; t < width; ++t) {
    SmallVector<double> indices, weights;
    for (const Taps &row : taps) {
      indices.push_back(t < row.indices.size() ? static_cast<double>(row.indices[t]) : 0);
      weights.push_back(t < row.weights.size() ? row.weights[t] : 0);
    }
    inputs.push_back(e.reshape(e.constant(indices, count, Elem::I32), column));
    inputs.push_back(e.reshape(e.constant(weights, count, Elem::F32), column));
  }
  Value source = e.tensor(x);
  bool pick = width == 1 && llvm::all_of(taps, [](const Taps &row) { return !row.outside && row.weights[0] == 1; });
  Elem wide = x.elem == Elem::F64 ? Elem::F64 : Elem::F32;
  return e.mapTo(dims, inputs, x.elem, [&](Scalar &s, ValueRange in) -> Value {
    Value sum;
    for (size_t t = 0; t < width; ++t) {
      SmallVector<Value> position;
      for (int64_t i = 0; i < x.rank(); ++i)
        position.push_back(i == axis ? s.make<arith::IndexCastOp>(s.b.getIndexType(), in[2 * t]) : s.index(i));
      Value element = s.make<tensor::ExtractOp>(source, position);
      if (pick)
        return element;
      Value term = s.mul(s.cast(element, x.elem, wide), s.cast(in[2 * t + 1], Elem::F32, wide));
      sum = sum ? s.add(sum, term) : term;
    }
    return s.cast(sum, wide, x.elem);
  });
}

/// Elements outside the region of tf_crop_and_resize get a constant.
Val fillOutside(Emit &e, const Val &x, ArrayRef<SmallVector<Taps>> axes, double value) {
  SmallVector<Val> inputs = {x};
  for (auto [axis, taps] : llvm::enumerate(axes)) {
    if (llvm::none_of(taps, [](const Taps &row) { return row.outside; }))
      continue;
    SmallVector<double> flags = llvm::map_to_vector(taps, [](const Taps &row) { return row.outside ? 1.0 : 0.0; });
    Dims column(x.rank() - axis, e.math.constant(1));
    column[0] = e.math.constant(static_cast<int64_t>(flags.size()));
    inputs.push_back(e.reshape(e.constant(flags, static_cast<int64_t>(flags.size()), Elem::Bool), column));
  }
  if (inputs.size() == 1)
    return x;
  return e.mapTo(x.dims, inputs, x.elem, [&](Scalar &s, ValueRange in) {
    Value out = in[0];
    for (size_t i = 1; i < inputs.size(); ++i)
      out = s.select(in[i], s.like(in[0], value), out);
    return out;
  });
}

LogicalResult importResize(NodeContext &n) {
  FailureOr<Plan> plan = makePlan(n);
  if (failed(plan))
    return failure();
  Val x = n.in(0);
  SmallVector<SmallVector<Taps>> allTaps(x.rank());
  for (int64_t axis = 0; axis < x.rank(); ++axis) {
    double scale = plan->scales[axis];
    auto input = DimMath::number(x.dims[axis]), output = plan->sizes[axis];
    bool crop = plan->rule.coordinates == Coordinates::TfCropAndResize;
    if (scale == 1 && input == output && !crop)
      continue;
    // Repeating pixels needs no constants, whatever the extent.
    bool whole = scale >= 1 && scale == std::floor(scale) && plan->rule.mode == ResizeMode::Nearest;
    bool aligned =
        (plan->rule.coordinates == Coordinates::Asymmetric && plan->rule.nearest == NearestMode::Floor) ||
        (plan->rule.coordinates == Coordinates::HalfPixel && plan->rule.nearest == NearestMode::RoundPreferFloor);
    if (whole && aligned) {
      x = repeat(n.e, x, axis, static_cast<int64_t>(scale));
      continue;
    }
    if (!input || !output || *input < 1 || *output > static_cast<int64_t>(kMaxExtent))
      return n.fail("dimension " + Twine(axis) +
                    " is only known when the model runs; only whole nearest-neighbour "
                    "scales can be applied then: fix it with --dim");
    for (int64_t o = 0; o < *output; ++o)
      allTaps[axis].push_back(resizeTaps(plan->rule, o, *input, *output, scale, plan->rois[axis]));
    x = applyTaps(n.e, x, axis, allTaps[axis]);
  }
  return n.set(0, fillOutside(n.e, x, allTaps, n.attrFloat("extrapolation_value", 0)));
}
} // namespace

void registerResize(Registry &r) {
  r.add({
      {"", "Resize", 10, kNewest, 1, 4,
       "antialias axes coordinate_transformation_mode cubic_coeff_a exclude_outside extrapolation_value "
       "keep_aspect_ratio_policy mode nearest_mode",
       importResize, "constant scales or sizes; open extents only with whole nearest-neighbour scales"},
      {"", "Upsample", 7, 10, 1, 2, "mode scales", importResize, "as Resize"},
  });
}

} // namespace mlir::qtensor::onnx
