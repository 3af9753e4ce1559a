// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions: channels last, as the file has them. The real operation on decoded values; what is quantized is read from
// encoded tensors and rounded once behind bias and activation.
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
  return n.e.pad(x, low, high, Scalar(n.e.b, n.e.loc).number(n.e.b.getF32Type(), 0));
}

template <typename OpT> Val named(const Node &n, Value x, Value w, const Window &window, ArrayRef<OpFoldResult> out) {
  Emit &e = n.e;
  Value init = e.filled(out, Elem::F32, 0);
  auto strides = e.b.getI64VectorAttr(window.strides), dilations = e.b.getI64VectorAttr(window.dilations);
  auto op = OpT::create(e.b, e.loc, init.getType(), ValueRange{x, w}, ValueRange{init}, strides, dilations);
  return e.wrap(op->getResult(0), Elem::F32, out);
}

/// The filter's extents; a failure where they are not those of a filter of rank 4.
FailureOr<SmallVector<int64_t>> filterShape(const Node &n, unsigned i) {
  if (n.in(i).rank() != 4)
    return n.fail("its filter has rank " + Twine(n.in(i).rank()) + "; it must be 4");
  return DimMath::shape(n.in(i).dims);
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

LogicalResult importConv(const Node &n) {
  FailureOr<SmallVector<int64_t>> filter = filterShape(n, 1);
  FailureOr<Val> x = n.real(0);
  if (failed(filter) || failed(x))
    return failure();
  auto [filters, height, width, channels] = std::tuple((*filter)[0], (*filter)[1], (*filter)[2], (*filter)[3]);
  FailureOr<Window> window = readWindow(n, *x, height, width);
  if (failed(window))
    return failure();
  auto inputs = DimMath::number(x->dims[3]);
  if (!inputs || channels < 1 || *inputs % channels != 0 || filters % (*inputs / channels) != 0)
    return n.fail("its input has " + Twine(inputs.value_or(-1)) + " channels, its filter is for " + Twine(channels));
  Val padded = padImage(n, *x, *window);
  Dims out = {x->dims[0], n.e.math.constant(window->out[0]), n.e.math.constant(window->out[1]),
              n.e.math.constant(filters)};
  int64_t groups = *inputs / channels;
  if (groups == 1) {
    FailureOr<Value> w = n.filter(1, *filter, 0);
    return failed(w) ? failure()
                     : n.setSum(named<linalg::Conv2DNhwcFhwcOp>(n, n.e.tensor(padded), *w, *window, out), 2);
  }
  if (isQuantized(n.inTensor(1)))
    return n.fail("is quantized and has " + Twine(groups) + " groups, which is not supported; use one convolution a group");
  Val w = n.e.reshape(n.in(1), {n.e.math.constant(groups), n.e.math.constant(filters / groups), n.e.math.constant(height),
                                n.e.math.constant(width), n.e.math.constant(channels)});
  return n.setSum(groupedConv(n, padded, n.e.tensor(w), *window, groups, filters), 2);
}

/// The filter [1, KH, KW, C * M] as [KH, KW, C, M], or [KH, KW, C] where M is 1.
FailureOr<Value> depthwiseFilter(const Node &n, ArrayRef<int64_t> shape) {
  if (shape.size() == 4 && isQuantized(n.inTensor(1)) && n.inTensor(1).quantization.scale.size() > 1)
    return n.fail("has a depth multiplier above 1 and a scale for each channel of an input with several");
  return n.filter(1, shape, 2);
}

LogicalResult importDepthwise(const Node &n) {
  FailureOr<SmallVector<int64_t>> filter = filterShape(n, 1);
  FailureOr<Val> x = n.real(0);
  if (failed(filter) || failed(x))
    return failure();
  int64_t height = (*filter)[1], width = (*filter)[2], outputs = (*filter)[3];
  FailureOr<Window> window = readWindow(n, *x, height, width);
  if (failed(window))
    return failure();
  auto channels = DimMath::number(x->dims[3]);
  if (!channels || *channels < 1 || outputs % *channels != 0 || (*filter)[0] != 1)
    return n.fail("its input has " + Twine(channels.value_or(-1)) + " channels, its filter " + Twine(outputs));
  Val padded = padImage(n, *x, *window);
  DimMath &m = n.e.math;
  Dims out = {x->dims[0], m.constant(window->out[0]), m.constant(window->out[1]), m.constant(outputs)};
  int64_t multiplier = outputs / *channels;
  if (multiplier == 1) {
    FailureOr<Value> w = depthwiseFilter(n, {height, width, outputs});
    return failed(w) ? failure()
                     : n.setSum(named<linalg::DepthwiseConv2DNhwcHwcOp>(n, n.e.tensor(padded), *w, *window, out), 2);
  }
  if (*channels == 1) { // an ordinary convolution: [1, KH, KW, O] is [O, KH, KW, 1] turned
    FailureOr<Value> w = n.filterFrom(1, n.e.transpose(n.in(1), {3, 1, 2, 0}), 0);
    return failed(w) ? failure() : n.setSum(named<linalg::Conv2DNhwcFhwcOp>(n, n.e.tensor(padded), *w, *window, out), 2);
  }
  FailureOr<Value> w = depthwiseFilter(n, {height, width, *channels, multiplier});
  if (failed(w))
    return failure();
  Dims split = {out[0], out[1], out[2], x->dims[3], m.constant(multiplier)};
  Val sums = named<linalg::DepthwiseConv2DNhwcHwcmOp>(n, n.e.tensor(padded), *w, *window, split);
  return n.setSum(n.e.reshape(sums, out), 2);
}

LogicalResult importFullyConnected(const Node &n) {
  FailureOr<Val> x = n.real(0), w = n.real(1);
  if (failed(x) || failed(w))
    return failure();
  if (n.option("weights_format") != 0)
    return n.fail("has shuffled weights; convert the model without shuffling");
  if (w->rank() != 2 || x->rank() < 1)
    return n.fail("its weights must be a matrix");
  DimMath &m = n.e.math;
  auto depth = DimMath::number(w->dims[1]), elements = DimMath::number(m.product(x->dims));
  if (!depth || !elements || *depth < 1 || *elements % *depth != 0)
    return n.fail("its input does not consist of rows of " + Twine(depth.value_or(-1)) + " elements");
  FailureOr<Val> rows = n.realAs(0, {m.constant(*elements / *depth), w->dims[1]});
  if (failed(rows))
    return failure();
  Dims dims = x->dims;
  dims.back() = w->dims[0];
  return n.setSum(contractRows(n.e, *rows, *w), 2, n.option("keep_dims") ? dims : Dims());
}

} // namespace

void registerConvolutions(Registry &r) {
  constexpr const char *types = "f32, int8, uint8, int16 x int8; weights per tensor or per channel, also int4; f32 with int8 weights";
  r.add({
      {"CONV_2D", 2, 3, importConv, types},
      {"DEPTHWISE_CONV_2D", 2, 3, importDepthwise, types},
      {"FULLY_CONNECTED", 2, 3, importFullyConnected, "f32, int8, int16 x int8; weights per tensor, per channel or blockwise; int4"},
  });
}

} // namespace mlir::qtensor::tflite
