// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Pooling over windows. Averages of codes have a published integer rule; maxima are taken on the codes themselves, which
// keep their order.
#include "lib/Import/TFLite/Registry.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::qtensor::tflite {
namespace {
Dims outDims(Emit &e, const Val &x, const Window &w) {
  return {x.dims[0], e.math.constant(w.out[0]), e.math.constant(w.out[1]), x.dims[3]};
}

/// The pooling op `OpT` over x, padded with `padding`; sums and maxima start at `start`.
template <typename OpT> Val pool(Emit &e, const Val &x, const Window &w, Value padding, Value start) {
  DimMath &m = e.math;
  OpFoldResult none = m.constant(0);
  Val padded = e.pad(x, {none, m.constant(w.low[0]), m.constant(w.low[1]), none},
                     {none, m.constant(w.high[0]), m.constant(w.high[1]), none}, padding);
  Dims out = outDims(e, x, w);
  Value window = e.empty({m.constant(w.kernel[0]), m.constant(w.kernel[1])}, start.getType());
  Value init = e.filled(out, start);
  auto strides = e.b.getI64VectorAttr(w.strides), dilations = e.b.getI64VectorAttr(w.dilations);
  auto op = OpT::create(e.b, e.loc, init.getType(), ValueRange{e.tensor(padded), window}, ValueRange{init}, strides,
                        dilations);
  return e.wrap(op->getResult(0), x.elem, out);
}

/// Elements of the input under window position `out` along one axis.
int64_t overlap(const Window &w, int axis, int64_t out, int64_t extent) {
  int64_t first = std::max<int64_t>(out * w.strides[axis] - w.low[axis], 0);
  int64_t last = std::min<int64_t>(out * w.strides[axis] - w.low[axis] + w.kernel[axis], extent);
  return std::max<int64_t>(last - first, 0);
}

/// Sum over the window divided by the number of its elements that are not padding.
Val average(Emit &e, const Val &x, const Window &w, const Node &n, int64_t activation) {
  Scalar s(e.b, e.loc);
  Value zero = s.number(e.b.getF32Type(), 0);
  Val sums = pool<linalg::PoolingNhwcSumOp>(e, x, w, zero, zero);
  std::vector<double> counts;
  for (int64_t row = 0; row < w.out[0]; ++row)
    for (int64_t column = 0; column < w.out[1]; ++column)
      counts.push_back(double(overlap(w, 0, row, *DimMath::number(x.dims[1])) * overlap(w, 1, column, *DimMath::number(x.dims[2]))));
  Val parts[] = {sums, e.constant(counts, {w.out[0], w.out[1], 1}, Elem::F32)};
  return e.mapTo(sums.dims, parts, Elem::F32,
                 [&](Scalar &body, ValueRange in) { return n.activate(body, body.div(in[0], in[1]), activation); });
}

LogicalResult importAverage(const Node &n) {
  FailureOr<Window> window = readWindow(n, n.in(0), n.option("filter_h"), n.option("filter_w"));
  FailureOr<int64_t> activation = n.activation();
  if (failed(window) || failed(activation))
    return failure();
  if (!isQuantized(n.inTensor(0)))
    return n.set(average(n.e, n.in(0), *window, n, *activation));
  NamedAttribute parameters[] = {n.param("kernel", window->kernel), n.param("strides", window->strides),
                                 n.param("padding", {window->low[0], window->low[1]}), n.param("activation", *activation)};
  return n.setByRule("tflite.average_pool_2d", {0}, parameters,
                     [&](Emit &e, ArrayRef<Val> in) { return average(e, in[0], *window, n, *activation); });
}

/// The root of the mean of squares.
LogicalResult importRoot(const Node &n) {
  if (n.in(0).elem != Elem::F32 || isQuantized(n.inTensor(0)))
    return n.fail("is defined for floats alone");
  FailureOr<Window> window = readWindow(n, n.in(0), n.option("filter_h"), n.option("filter_w"));
  FailureOr<int64_t> activation = n.activation();
  if (failed(window) || failed(activation))
    return failure();
  Val squares = n.e.map(n.in(0), Elem::F32, [](Scalar &s, ValueRange in) { return s.mul(in[0], in[0]); });
  return n.set(n.e.map(average(n.e, squares, *window, n, /*activation=*/0), Elem::F32,
                       [&](Scalar &s, ValueRange in) { return n.activate(s, s.sqrt(in[0]), *activation); }));
}

/// The smallest and largest code of an activation's result.
std::pair<int64_t, int64_t> codeBounds(const Node &n, const Tensor &tensor, int64_t activation) {
  unsigned bits = bitWidth(tensor.type);
  bool isSigned = graph::isSigned(elemOf(tensor.type));
  int64_t low = isSigned ? -(int64_t(1) << (bits - 1)) : 0, high = low + (int64_t(1) << bits) - 1;
  auto code = [&](float real) {
    int64_t rounded = int64_t(std::round(real / tensor.quantization.scale[0])) + tensor.quantization.zero[0];
    return std::clamp(rounded, low, high);
  };
  if (activation == 1 || activation == 3)
    low = code(0);
  if (activation == 2)
    low = code(-1), high = code(1);
  if (activation == 3)
    high = code(6);
  return {low, high};
}

LogicalResult importMax(const Node &n) {
  FailureOr<Window> window = readWindow(n, n.in(0), n.option("filter_h"), n.option("filter_w"));
  FailureOr<int64_t> activation = n.activation();
  if (failed(window) || failed(activation))
    return failure();
  Emit &e = n.e;
  const Val &x = n.in(0);
  Scalar s(e.b, e.loc);
  if (!isQuantized(n.inTensor(0))) {
    Value lowest = s.number(e.b.getF32Type(), -std::numeric_limits<double>::infinity());
    Val top = pool<linalg::PoolingNhwcMaxOp>(e, x, *window, lowest, lowest);
    return n.set(*activation ? e.map(top, x.elem, [&](Scalar &body, ValueRange in) { return n.activate(body, in[0], *activation); })
                             : top);
  }
  const Tensor &out = n.outTensor();
  if (out.quantization.scale != n.inTensor(0).quantization.scale || out.quantization.zero != n.inTensor(0).quantization.zero)
    return n.fail("its input and output have different scales; the format wants the same");
  if (*activation == 4)
    return n.fail("is quantized with a fused tanh, which has no rule");
  bool isUnsigned = graph::isUnsigned(x.elem);
  auto [low, high] = codeBounds(n, out, *activation);
  Value lowest = s.number(e.type(x.elem), double(isUnsigned ? 0 : -(int64_t(1) << (graph::bitWidth(x.elem) - 1))));
  Val top = isUnsigned ? pool<linalg::PoolingNhwcMaxUnsignedOp>(e, x, *window, lowest, lowest)
                       : pool<linalg::PoolingNhwcMaxOp>(e, x, *window, lowest, lowest);
  if (*activation == 0)
    return n.set(top);
  return n.set(e.map(top, x.elem, [&, low = low, high = high](Scalar &body, ValueRange in) {
    Value bounded = body.max(in[0], body.like(in[0], double(low)), isUnsigned);
    return body.min(bounded, body.like(in[0], double(high)), isUnsigned);
  }));
}
} // namespace

void registerPools(Registry &r) {
  r.add({
      {"AVERAGE_POOL_2D", 1, 1, importAverage, "f32, int8, uint8, int16"},
      {"L2_POOL_2D", 1, 1, importRoot, "f32"},
      {"MAX_POOL_2D", 1, 1, importMax, "f32, int8, uint8, int16"},
  });
}

} // namespace mlir::qtensor::tflite
