// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions: channels last, as the file has them. The real operation on decoded values; what is quantized is read from
// encoded tensors and rounded once behind bias and activation. Float activations beside int8 weights are quantized first.
#include "lib/Import/TFLite/Ops/Hybrid.h"
#include "lib/Import/TFLite/Registry.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::qtensor::tflite {
namespace {
using utils::IteratorType;

Val padImage(const Node &n, const Val &x, const Window &w) {
  DimMath &m = n.e.math;
  OpFoldResult none = m.constant(0);
  Dims low = {none, m.constant(w.low[0]), m.constant(w.low[1]), none};
  Dims high = {none, m.constant(w.high[0]), m.constant(w.high[1]), none};
  return n.e.pad(x, low, high, Scalar(n.e.b, n.e.loc).number(n.e.type(x.elem), 0));
}

/// What a layer multiplies: reals whose products have real sums, or codes of activations that were quantized here.
struct Factor {
  Val x;
  std::optional<Val> scale; ///< Of such codes.
  Elem sums = Elem::F32;
  bool inTwoSteps = false; ///< How their sums are scaled.
};

Factor quantized(Emit &e, const Val &x, bool asymmetric) {
  DynamicCodes made = quantizeDynamically(e, x, asymmetric);
  return {made.codes, made.scale, Elem::I32};
}

/// The image of a convolution. A hybrid layer's is asymmetric where its weights have several different scales, and always
/// where each channel has a filter of its own.
FailureOr<Factor> image(const Node &n, bool depthwise) {
  FailureOr<Val> x = n.real(0);
  if (failed(x))
    return failure();
  if (n.in(1).rank() != 4)
    return n.fail("its filter has rank " + Twine(n.in(1).rank()) + "; it must be 4");
  if (!isHybrid(n))
    return Factor{*x, std::nullopt};
  ArrayRef<float> scales = n.inTensor(1).quantization.scale;
  if (failed(checkHybrid(n, DimMath::numberOrDynamic(n.in(1).dims[depthwise ? 3 : 0]))))
    return failure();
  bool different = !llvm::all_equal(scales);
  Factor made = quantized(n.e, *x, depthwise || different);
  made.inTwoSteps = !depthwise && different;
  return made;
}

/// The filter of `codes`, its channels along `axis`: as codes for codes.
FailureOr<Value> filterOf(const Node &n, const Factor &x, const Val &codes, int64_t axis) {
  return x.scale ? FailureOr<Value>(n.e.tensor(asContainer(n.e, codes))) : n.filterFrom(1, codes, axis);
}

/// Sums -> the output: bias, activation, one rounding where the output has codes.
LogicalResult setSums(const Node &n, const Factor &x, const Val &sums, ArrayRef<OpFoldResult> dims = {}) {
  return n.setSum(x.scale ? scaleSums(n.e, sums, *x.scale, n.inTensor(1).quantization.scale, x.inTwoSteps) : sums, 2,
                  dims);
}

template <typename OpT>
Val named(const Node &n, const Factor &x, Value w, const Window &window, ArrayRef<OpFoldResult> out) {
  Emit &e = n.e;
  Value init = e.filled(out, x.sums, 0);
  auto strides = e.b.getI64VectorAttr(window.strides), dilations = e.b.getI64VectorAttr(window.dilations);
  auto op = OpT::create(e.b, e.loc, init.getType(), ValueRange{e.tensor(x.x), w}, ValueRange{init}, strides, dilations);
  return e.wrap(op->getResult(0), x.sums, out);
}

/// x [N, H, W, G, C], w [G, F, KH, KW, C] -> [N, OH, OW, G, F].
Val groupedConv(const Node &n, const Val &x, Value w, const Window &window, int64_t groups, int64_t filters) {
  Emit &e = n.e;
  Dims split = x.dims;
  split[3] = e.math.constant(groups);
  split.push_back(e.math.floorDiv(x.dims[3], e.math.constant(groups)));
  Val input = e.reshape(x, split);
  auto d = [&](unsigned i) { return e.b.getAffineDimExpr(i); }; // n oh ow g f | kh kw c
  auto map = [&](ArrayRef<AffineExpr> exprs) { return AffineMap::get(8, 0, exprs, e.b.getContext()); };
  AffineExpr row = d(1) * window.strides[0] + d(5) * window.dilations[0];
  AffineExpr column = d(2) * window.strides[1] + d(6) * window.dilations[1];
  SmallVector<IteratorType> iterators(5, IteratorType::parallel);
  iterators.append(3, IteratorType::reduction);
  Dims out = {x.dims[0], e.math.constant(window.out[0]), e.math.constant(window.out[1]), split[3],
              e.math.constant(filters / groups)};
  Value made = e.generic({e.tensor(input), w}, e.filled(out, Elem::F32, 0),
                         {map({d(0), row, column, d(3), d(7)}), map({d(3), d(4), d(5), d(6), d(7)}),
                          map({d(0), d(1), d(2), d(3), d(4)})},
                         iterators, [](Scalar &s, ValueRange in) { return s.add(in[2], s.mul(in[0], in[1])); });
  return e.reshape(e.wrap(made, Elem::F32, out), {out[0], out[1], out[2], e.math.constant(filters)});
}

/// Layers whose channels have filters of one input channel, of codes: each channel of the image as often as there are filters
/// for it, and a depthwise layer, whose scales lie along one axis. `codes` are the filter's, [KH, KW, O].
LogicalResult importRepeated(const Node &n, const Val &codes, const Window &window, ArrayRef<OpFoldResult> out) {
  const Val &image = n.in(0);
  Dims each = image.dims, all(image.dims.begin(), image.dims.end() - 1);
  each.push_back(n.e.math.floorDiv(out[3], image.dims[3]));
  all.push_back(out[3]);
  Val repeated = n.e.reshape(n.e.broadcast(n.e.unsqueeze(image, 4), each), all);
  FailureOr<Val> x = n.realFrom(0, repeated);
  FailureOr<Value> w = n.filterFrom(1, codes, 2);
  if (failed(x) || failed(w))
    return failure();
  Factor factor{padImage(n, *x, window), std::nullopt};
  return n.setSum(named<linalg::DepthwiseConv2DNhwcHwcOp>(n, factor, *w, window, out), 2);
}

/// A layer of codes in groups: a layer for each, whose codes lie side by side.
LogicalResult importGroups(const Node &n, const Window &window, ArrayRef<OpFoldResult> out, int64_t groups) {
  DimMath &m = n.e.math;
  int64_t filters = *DimMath::number(out[3]), channels = *DimMath::number(n.in(1).dims[3]);
  if (channels == 1)
    return importRepeated(n, n.e.squeeze(n.e.transpose(n.in(1), {3, 1, 2, 0}), 0), window, out);
  Dims dims(out);
  dims[3] = m.constant(filters / groups);
  SmallVector<Val> parts;
  for (int64_t group = 0; group < groups; ++group) {
    Channels of{group * (filters / groups), filters / groups, filters};
    FailureOr<Val> x = n.realFrom(0, n.e.sliceAxis(n.in(0), 3, m.constant(group * channels), m.constant(channels)));
    FailureOr<Value> w = n.filterPart(1, of);
    if (failed(x) || failed(w))
      return failure();
    Factor factor{padImage(n, *x, window), std::nullopt};
    FailureOr<Val> part = n.roundedSum(named<linalg::Conv2DNhwcFhwcOp>(n, factor, *w, window, dims), 2, of);
    if (failed(part))
      return failure();
    parts.push_back(*part);
  }
  return n.set(n.e.concat(parts, 3));
}

LogicalResult importConv(const Node &n) {
  FailureOr<Factor> x = image(n, /*depthwise=*/false);
  if (failed(x))
    return failure();
  SmallVector<int64_t> filter = DimMath::shape(n.in(1).dims);
  auto [filters, height, width, channels] = std::tuple(filter[0], filter[1], filter[2], filter[3]);
  FailureOr<Window> window = readWindow(n, x->x, height, width);
  if (failed(window))
    return failure();
  auto inputs = DimMath::number(x->x.dims[3]);
  if (!inputs || channels < 1 || *inputs % channels != 0 || filters % (*inputs / channels) != 0)
    return n.fail("its input has " + Twine(inputs.value_or(-1)) + " channels, its filter is for " + Twine(channels));
  Dims out = {x->x.dims[0], n.e.math.constant(window->out[0]), n.e.math.constant(window->out[1]),
              n.e.math.constant(filters)};
  int64_t groups = *inputs / channels;
  if (groups > 1 && x->scale)
    return n.fail("quantizes float activations and has " + Twine(groups) + " groups, which is not supported; use one convolution a "
                  "group");
  if (groups > 1 && isQuantized(n.inTensor(1)))
    return importGroups(n, *window, out, groups);
  x->x = padImage(n, x->x, *window);
  if (groups == 1) {
    FailureOr<Value> w = filterOf(n, *x, n.in(1), 0);
    return failed(w) ? failure() : setSums(n, *x, named<linalg::Conv2DNhwcFhwcOp>(n, *x, *w, *window, out));
  }
  Val w = n.e.reshape(n.in(1), {n.e.math.constant(groups), n.e.math.constant(filters / groups), n.e.math.constant(height),
                                n.e.math.constant(width), n.e.math.constant(channels)});
  return n.setSum(groupedConv(n, x->x, n.e.tensor(w), *window, groups, filters), 2);
}

/// The filter [1, KH, KW, C * M] as [KH, KW, C, M], or [KH, KW, C] where M is 1.
Val depthwiseFilter(const Node &n, ArrayRef<int64_t> shape) {
  return n.e.reshape(n.in(1), llvm::map_to_vector(shape, [&](int64_t extent) { return n.e.math.constant(extent); }));
}

LogicalResult importDepthwise(const Node &n) {
  FailureOr<Factor> x = image(n, /*depthwise=*/true);
  if (failed(x))
    return failure();
  SmallVector<int64_t> filter = DimMath::shape(n.in(1).dims);
  int64_t height = filter[1], width = filter[2], outputs = filter[3];
  FailureOr<Window> window = readWindow(n, x->x, height, width);
  if (failed(window))
    return failure();
  auto channels = DimMath::number(x->x.dims[3]);
  if (!channels || *channels < 1 || outputs % *channels != 0 || filter[0] != 1)
    return n.fail("its input has " + Twine(channels.value_or(-1)) + " channels, its filter " + Twine(outputs));
  DimMath &m = n.e.math;
  Dims out = {x->x.dims[0], m.constant(window->out[0]), m.constant(window->out[1]), m.constant(outputs)};
  int64_t multiplier = outputs / *channels;
  if (multiplier > 1 && *channels > 1 && !x->scale && isQuantized(n.inTensor(1)))
    return importRepeated(n, depthwiseFilter(n, {height, width, outputs}), *window, out);
  x->x = padImage(n, x->x, *window);
  if (multiplier == 1) {
    FailureOr<Value> w = filterOf(n, *x, depthwiseFilter(n, {height, width, outputs}), 2);
    return failed(w) ? failure() : setSums(n, *x, named<linalg::DepthwiseConv2DNhwcHwcOp>(n, *x, *w, *window, out));
  }
  if (*channels == 1) { // an ordinary convolution: [1, KH, KW, O] is [O, KH, KW, 1] turned
    FailureOr<Value> w = filterOf(n, *x, n.e.transpose(n.in(1), {3, 1, 2, 0}), 0);
    return failed(w) ? failure() : setSums(n, *x, named<linalg::Conv2DNhwcFhwcOp>(n, *x, *w, *window, out));
  }
  FailureOr<Value> w = filterOf(n, *x, depthwiseFilter(n, {height, width, *channels, multiplier}), 2);
  if (failed(w))
    return failure();
  Dims split = {out[0], out[1], out[2], x->x.dims[3], m.constant(multiplier)};
  Val sums = named<linalg::DepthwiseConv2DNhwcHwcmOp>(n, *x, *w, *window, split);
  return setSums(n, *x, n.e.reshape(sums, out));
}

LogicalResult importFullyConnected(const Node &n) {
  bool hybrid = isHybrid(n);
  const Val &given = n.in(0);
  if (n.option("weights_format") != 0)
    return n.fail("has shuffled weights; convert the model without shuffling");
  if (n.in(1).rank() != 2 || given.rank() < 1)
    return n.fail("its weights must be a matrix");
  DimMath &m = n.e.math;
  Dims weights = n.in(1).dims, dims = given.dims;
  auto depth = DimMath::number(weights[1]), elements = DimMath::number(m.product(dims));
  if (!depth || !elements || *depth < 1 || *elements % *depth != 0)
    return n.fail("its input does not consist of rows of " + Twine(depth.value_or(-1)) + " elements");
  FailureOr<Val> rows = n.realAs(0, {m.constant(*elements / *depth), weights[1]});
  if (failed(rows) || (hybrid && failed(checkHybrid(n, DimMath::numberOrDynamic(weights[0])))))
    return failure();
  dims.back() = weights[0];
  Dims out = n.option("keep_dims") ? dims : Dims();
  if (hybrid) {
    Factor x = quantized(n.e, *rows, n.option("asymmetric_quantize_inputs"));
    return setSums(n, x, contractGeneric(n.e, x.x, asContainer(n.e, n.in(1)), x.sums, /*rows=*/true), out);
  }
  FailureOr<Val> w = n.real(1);
  return failed(w) ? failure() : n.setSum(contractRows(n.e, *rows, *w), 2, out);
}

} // namespace

void registerConvolutions(Registry &r) {
  constexpr const char *types = "f32, int8, uint8, int16 x int8; weights per tensor or per channel, also int4; f32 with int8 or int4 weights by LiteRT's rule";
  r.add({
      {"CONV_2D", 2, 3, importConv, types},
      {"DEPTHWISE_CONV_2D", 2, 3, importDepthwise, types},
      {"FULLY_CONNECTED", 2, 3, importFullyConnected, "f32, int8, int16 x int8; weights per tensor, per channel or blockwise; int4; f32 with "
                                                      "int8 or int4 weights by LiteRT's rule"},
  });
}

} // namespace mlir::qtensor::tflite
