// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operators on quantized tensors. QLinear operators are their real meaning between a read and a quantize; integer
// products are exact integer arithmetic.
#include "lib/Import/ONNX/Ops/Contract.h"
#include "lib/Import/ONNX/Ops/Quantization.h"
#include "lib/Import/ONNX/Registry.h"

namespace mlir::qtensor::onnx {
namespace {
/// 'axis' and 'block_size' of QuantizeLinear and DequantizeLinear, checked against the shapes.
LogicalResult readGranularity(NodeContext &n, Scheme &scheme) {
  const Val &x = n.in(0);
  scheme.block = n.attrInt("block_size", 0);
  if (scheme.scale.isScalar() && !scheme.block)
    return success();
  FailureOr<int64_t> axis = n.axis(n.attrInt("axis", 1), x.rank());
  if (failed(axis))
    return failure();
  scheme.axis = *axis;
  if (scheme.block < 0 || (scheme.block == 0 && scheme.scale.rank() != 1) ||
      (scheme.block && scheme.scale.rank() != x.rank()))
    return n.fail("the scale's shape does not fit the input and 'block_size'");
  for (int64_t i = 0; i < scheme.scale.rank(); ++i) {
    int64_t dim = scheme.block ? i : *axis;
    auto have = DimMath::number(scheme.scale.dims[i]), extent = DimMath::number(x.dims[dim]);
    if (extent && scheme.block && dim == *axis)
      extent = llvm::divideCeil(*extent, scheme.block);
    if (have && extent && *have != *extent)
      return n.fail("the scale has extent " + Twine(*have) + " where " + Twine(*extent) + " is needed");
  }
  return success();
}

LogicalResult importQuantizeLinear(NodeContext &n) {
  Elem codes = static_cast<Elem>(n.attrInt("output_dtype", static_cast<int64_t>(Elem::U8)));
  FailureOr<Scheme> scheme = readScheme(n, 1, 2, codes == Elem::Undefined ? Elem::U8 : codes);
  if (failed(scheme) || failed(readGranularity(n, *scheme)))
    return failure();
  if (!n.e.type(scheme->codes) || (!isInteger(scheme->codes) && bitWidth(scheme->codes) > 8))
    return n.fail("can't quantize to " + elemName(scheme->codes));
  FailureOr<Val> out = quantize(n, n.e.cast(n.in(0), isFloat(n.in(0).elem) ? n.in(0).elem : Elem::F32), *scheme);
  return failed(out) ? failure() : n.set(0, *out);
}

LogicalResult importDequantizeLinear(NodeContext &n) {
  FailureOr<Scheme> scheme = readScheme(n, 1, 2, n.in(0).elem);
  if (failed(scheme) || failed(readGranularity(n, *scheme)))
    return failure();
  if (scheme->codes != n.in(0).elem)
    return n.fail("the zero point has type " + elemName(scheme->codes) + ", the input " + elemName(n.in(0).elem));
  FailureOr<Val> out = dequantize(n, n.in(0), *scheme);
  if (failed(out))
    return failure();
  auto wanted = n.hasAttr("output_dtype") ? static_cast<Elem>(n.attrInt("output_dtype", 0)) : Elem::Undefined;
  return n.set(0, wanted == Elem::Undefined || !isFloat(wanted) ? *out : n.e.cast(*out, wanted));
}

/// x in [min(x, 0), max(x, 0)] mapped to uint8, with the zero point rounded and saturated.
LogicalResult importDynamicQuantizeLinear(NodeContext &n) {
  const Val &x = n.in(0);
  if (x.elem != Elem::F32)
    return n.fail("input 0 must be float");
  auto axes = allAxes(x.rank());
  Val top = n.e.reduce(x, axes, false, Elem::F32, 0, [](Scalar &s, ValueRange in) { return s.max(in[1], in[0]); });
  Val bottom = n.e.reduce(x, axes, false, Elem::F32, 0, [](Scalar &s, ValueRange in) { return s.min(in[1], in[0]); });
  Val ends[] = {top, bottom};
  n.locateOutput(1);
  Val scale = n.e.map(ends, Elem::F32, [](Scalar &s, ValueRange in) {
    Value width = s.div(s.sub(in[0], in[1]), s.like(in[0], 255));
    return s.select(s.eq(width, s.like(width, 0)), s.like(width, 1), width); // all zeros: any scale does
  });
  n.locateOutput(2);
  Val zeroInputs[] = {bottom, scale};
  auto toByte = [&](Scalar &s, Value value) {
    Value clamped = s.clamp(value, s.like(value, 0), s.like(value, 255));
    return s.widen(s.make<arith::FPToSIOp>(n.e.b.getI32Type(), clamped), n.e.b.getI8Type());
  };
  Val zero = n.e.map(zeroInputs, Elem::U8,
                     [&](Scalar &s, ValueRange in) { return toByte(s, s.roundEven(s.div(s.neg(in[0]), in[1]))); });
  n.locateOutput(0);
  Val inputs[] = {x, scale, zero};
  Val codes = n.e.mapTo(x.dims, inputs, Elem::U8, [&](Scalar &s, ValueRange in) {
    Value rounded = s.roundEven(s.div(in[0], in[1]));
    return toByte(s, s.add(rounded, s.cast(in[2], Elem::U8, Elem::F32)));
  });
  (void)n.set(1, scale);
  (void)n.set(2, zero);
  return n.set(0, codes);
}

/// x - zero in i32; a vector of zero points runs along `axis`.
FailureOr<Val> subtractZero(NodeContext &n, const Val &x, unsigned zero, int64_t axis) {
  SmallVector<Val> inputs = {x};
  if (n.has(zero)) {
    Val point = n.in(zero);
    if (point.elem != x.elem)
      return n.fail("a zero point has another type than its tensor");
    if (point.rank() == 1 && DimMath::number(point.dims[0]) != 1) {
      Dims dims(x.rank(), n.e.math.constant(1));
      dims[axis] = point.dims[0];
      point = n.e.reshape(point, dims);
    }
    inputs.push_back(point);
  }
  if (failed(n.requireBroadcast(inputs)))
    return failure();
  return n.e.mapTo(x.dims, inputs, Elem::I32, [&](Scalar &s, ValueRange in) {
    Value wide = s.cast(in[0], x.elem, Elem::I32);
    return inputs.size() == 1 ? wide : s.sub(wide, s.cast(in[1], x.elem, Elem::I32));
  });
}

bool isByte(Elem elem) { return isInteger(elem) && bitWidth(elem) == 8; }

LogicalResult importMatMulInteger(NodeContext &n) {
  const Val &a = n.in(0), &b = n.in(1);
  if (!isByte(a.elem) || !isByte(b.elem) || a.isScalar() || b.isScalar())
    return n.fail("its inputs must be int8 or uint8 matrices");
  // Rows of the first and columns of the second operand may have zero points of their own.
  FailureOr<Val> left = subtractZero(n, a, 2, std::max<int64_t>(a.rank() - 2, 0));
  FailureOr<Val> right = subtractZero(n, b, 3, b.rank() - 1);
  if (failed(left) || failed(right))
    return failure();
  FailureOr<Val> out = matmul(n, *left, *right, Elem::I32);
  return failed(out) ? failure() : n.set(0, *out);
}

/// The constant extents of a kernel [F, C, ...].
FailureOr<SmallVector<int64_t>> kernelOf(NodeContext &n, const Val &x, const Val &w) {
  if (x.rank() < 3 || x.rank() > 16 || w.rank() != x.rank())
    return n.fail("input and weights must have the same rank, at least 3");
  SmallVector<int64_t> kernel = DimMath::shape(ArrayRef(w.dims).drop_front(2));
  if (llvm::any_of(kernel, ShapedType::isDynamic))
    return n.fail("the extents of the kernel must be constant");
  return kernel;
}

LogicalResult importConvInteger(NodeContext &n) {
  const Val &x = n.in(0), &w = n.in(1);
  if (!isByte(x.elem) || !isByte(w.elem))
    return n.fail("its inputs must be int8 or uint8");
  FailureOr<SmallVector<int64_t>> kernel = kernelOf(n, x, w);
  if (failed(kernel))
    return failure();
  FailureOr<Window> window = readWindow(n, ArrayRef(x.dims).drop_front(2), *kernel);
  FailureOr<Val> left = subtractZero(n, x, 2, 1), right = subtractZero(n, w, 3, 0);
  if (failed(window) || failed(left) || failed(right))
    return failure();
  FailureOr<Val> out = convolve(n, *left, *right, *window, n.attrInt("group", 1), Elem::I32);
  return failed(out) ? failure() : n.set(0, *out);
}

/// The real value of quantized input `i`, whose scale and zero point are the next two inputs.
FailureOr<Val> readInput(NodeContext &n, unsigned i, unsigned scale, unsigned zero, int64_t axis = 1) {
  if (!n.has(i))
    return n.fail("input " + Twine(i) + " is missing");
  FailureOr<Scheme> scheme = readScheme(n, scale, zero, n.in(i).elem, axis);
  if (failed(scheme))
    return failure();
  if (scheme->codes != n.in(i).elem)
    return n.fail("the zero point of input " + Twine(i) + " has another type");
  if (scheme->scale.rank() > 1 || (scheme->scale.rank() == 1 && axis >= n.in(i).rank()))
    return n.fail("the scale of input " + Twine(i) + " must be a scalar or a vector");
  if (scheme->scale.rank() == 1) {
    auto have = DimMath::number(scheme->scale.dims[0]), extent = DimMath::number(n.in(i).dims[axis]);
    if (have && extent && *have != *extent)
      return n.fail("the scale of input " + Twine(i) + " has " + Twine(*have) + " entries for an extent of " +
                    Twine(*extent));
  }
  return dequantize(n, n.in(i), *scheme);
}

LogicalResult writeOutput(NodeContext &n, FailureOr<Val> real, unsigned scale, unsigned zero, Elem codes) {
  if (failed(real))
    return failure();
  FailureOr<Scheme> scheme = readScheme(n, scale, zero, codes, /*axis=*/0);
  if (failed(scheme))
    return failure();
  if (!scheme->scale.isScalar())
    return n.fail("the scale of the output must be a scalar");
  FailureOr<Val> out = quantize(n, n.e.cast(*real, Elem::F32), *scheme);
  return failed(out) ? failure() : n.set(0, *out);
}

LogicalResult importQLinearMatMul(NodeContext &n) {
  const Val &a = n.in(0), &b = n.in(3);
  FailureOr<Val> left = readInput(n, 0, 1, 2, std::max<int64_t>(a.rank() - 2, 0));
  FailureOr<Val> right = readInput(n, 3, 4, 5, b.rank() - 1);
  if (failed(left) || failed(right))
    return failure();
  return writeOutput(n, matmul(n, n.e.cast(*left, Elem::F32), n.e.cast(*right, Elem::F32), Elem::F32), 6, 7, a.elem);
}

/// The i32 bias of a convolution has the scale x_scale * w_scale.
Val realBias(NodeContext &n, const Val &bias, const Val &xScale, const Val &wScale) {
  Val inputs[] = {bias, xScale, wScale};
  return n.e.mapTo(bias.dims, inputs, Elem::F32, [&](Scalar &s, ValueRange in) {
    return s.mul(s.cast(in[0], bias.elem, Elem::F32), s.mul(in[1], in[2]));
  });
}

/// alpha * (a x b) + c, where c is i32 with the scale of the product. Without an output scale the result is real.
LogicalResult importQGemm(NodeContext &n) {
  FailureOr<Val> left = readInput(n, 0, 1, 2), right = readInput(n, 3, 4, 5, n.attrInt("transB", 0) ? 0 : 1);
  if (failed(left) || failed(right))
    return failure();
  FailureOr<Val> out = gemm(n, n.e.cast(*left, Elem::F32), n.e.cast(*right, Elem::F32), Elem::F32);
  if (failed(out) || (n.has(6) && failed(requireAddend(n, *out, 6))))
    return failure();
  SmallVector<Val> parts = {*out};
  if (n.has(6)) {
    Val addend[] = {n.in(6), n.in(1), n.in(4)};
    parts.append(std::begin(addend), std::end(addend));
  }
  if (failed(n.requireBroadcast(parts)))
    return failure();
  Val sum = n.e.mapTo(out->dims, parts, Elem::F32, [&](Scalar &s, ValueRange in) {
    Value total = in[0];
    if (parts.size() > 1)
      total = s.add(total, s.mul(s.cast(in[1], parts[1].elem, Elem::F32), s.mul(in[2], in[3])));
    return s.mul(total, s.like(total, n.attrFloat("alpha", 1)));
  });
  return n.has(7) ? writeOutput(n, sum, 7, 8, n.in(0).elem) : n.set(0, sum);
}

LogicalResult importQLinearConv(NodeContext &n) {
  const Val &x = n.in(0), &w = n.in(3);
  FailureOr<SmallVector<int64_t>> kernel = kernelOf(n, x, w);
  if (failed(kernel))
    return failure();
  FailureOr<Window> window = readWindow(n, ArrayRef(x.dims).drop_front(2), *kernel);
  FailureOr<Val> left = readInput(n, 0, 1, 2), right = readInput(n, 3, 4, 5, 0);
  if (failed(window) || failed(left) || failed(right))
    return failure();
  FailureOr<Val> out = convolve(n, *left, *right, *window, n.attrInt("group", 1), Elem::F32);
  if (failed(out))
    return failure();
  if (n.has(8)) {
    auto biases = n.in(8).rank() == 1 ? DimMath::number(n.in(8).dims[0]) : std::nullopt;
    Val scales[] = {n.in(8), n.in(1), n.in(4)};
    if (!biases || biases != DimMath::number(w.dims[0]) || failed(n.requireBroadcast(scales)))
      return n.fail("the bias does not have one entry per filter");
    out = addChannelBias(n.e, *out, realBias(n, n.in(8), n.in(1), n.in(4)));
  }
  return writeOutput(n, out, 6, 7, x.elem);
}

template <typename OpFn> LogicalResult qlinearBinary(NodeContext &n, OpFn fn) {
  FailureOr<Val> left = readInput(n, 0, 1, 2), right = readInput(n, 3, 4, 5);
  if (failed(left) || failed(right))
    return failure();
  Val inputs[] = {*left, *right};
  if (failed(n.requireBroadcast(inputs)))
    return failure();
  return writeOutput(n, n.e.map(inputs, Elem::F32, fn), 6, 7, n.in(0).elem);
}

LogicalResult importQLinearAdd(NodeContext &n) {
  return qlinearBinary(n, [](Scalar &s, ValueRange in) { return s.add(in[0], in[1]); });
}
LogicalResult importQLinearMul(NodeContext &n) {
  return qlinearBinary(n, [](Scalar &s, ValueRange in) { return s.mul(in[0], in[1]); });
}

template <typename OpFn> LogicalResult qlinearUnary(NodeContext &n, OpFn fn) {
  FailureOr<Val> x = readInput(n, 0, 1, 2);
  if (failed(x))
    return failure();
  return writeOutput(n, n.e.map(*x, Elem::F32, fn), 3, 4, n.in(0).elem);
}

LogicalResult importQLinearSigmoid(NodeContext &n) {
  return qlinearUnary(n, [](Scalar &s, ValueRange in) { return s.sigmoid(in[0]); });
}
LogicalResult importQLinearLeakyRelu(NodeContext &n) {
  double alpha = n.attrFloat("alpha", 0.01f);
  return qlinearUnary(n, [&](Scalar &s, ValueRange in) {
    return s.select(s.lt(in[0], s.like(in[0], 0)), s.mul(in[0], s.like(in[0], alpha)), in[0]);
  });
}

LogicalResult requireChannelsFirst(NodeContext &n) {
  if (n.attrInt("channels_last", 0))
    return n.fail("'channels_last' is not supported; export with channels first");
  return n.requireRank(0, 3, 16);
}

LogicalResult importQLinearAveragePool(NodeContext &n) {
  FailureOr<Val> x = failed(requireChannelsFirst(n)) ? FailureOr<Val>(failure()) : readInput(n, 0, 1, 2);
  return failed(x) ? failure() : writeOutput(n, averagePool(n, *x, Elem::F32), 3, 4, n.in(0).elem);
}

LogicalResult importQLinearGlobalAveragePool(NodeContext &n) {
  FailureOr<Val> x = failed(requireChannelsFirst(n)) ? FailureOr<Val>(failure()) : readInput(n, 0, 1, 2);
  if (failed(x))
    return failure();
  auto axes = llvm::to_vector(llvm::seq<int64_t>(2, x->rank()));
  return writeOutput(n, n.e.mean(*x, axes, /*keep=*/true), 3, 4, n.in(0).elem);
}

LogicalResult importQLinearSoftmax(NodeContext &n) {
  FailureOr<Val> x = readInput(n, 0, 1, 2);
  bool oneAxis = n.attrInt("opset", 13) >= 13;
  FailureOr<int64_t> axis = n.axis(n.attrInt("axis", oneAxis ? -1 : 1), n.in(0).rank());
  if (failed(x) || failed(axis))
    return failure();
  auto axes = oneAxis ? SmallVector<int64_t>{*axis} : llvm::to_vector(llvm::seq<int64_t>(*axis, x->rank()));
  return writeOutput(n, softmax(n.e, *x, axes), 3, 4, n.in(0).elem);
}

LogicalResult importQLinearConcat(NodeContext &n) {
  SmallVector<Val> parts;
  for (unsigned i = 2; i < n.numInputs(); i += 3) {
    FailureOr<Val> part = readInput(n, i, i + 1, i + 2);
    if (failed(part))
      return failure();
    if (part->rank() != n.in(2).rank())
      return n.fail("its inputs have different ranks");
    parts.push_back(*part);
  }
  FailureOr<int64_t> axis = n.axis(n.attrInt("axis", 0), parts.front().rank());
  return failed(axis) ? failure() : writeOutput(n, n.e.concat(parts, *axis), 0, 1, n.in(2).elem);
}
} // namespace

void registerQuantized(Registry &r) {
  constexpr const char *ms = "com.microsoft";
  constexpr const char *window = "auto_pad dilations group kernel_shape pads strides";
  constexpr const char *linear = "axis block_size output_dtype precision saturate";
  r.add({
      {"", "QuantizeLinear", 10, kNewest, 2, 3, linear, importQuantizeLinear},
      {"", "DequantizeLinear", 10, kNewest, 2, 3, "axis block_size output_dtype", importDequantizeLinear},
      {ms, "QuantizeLinear", 1, 1, 2, 3, "axis block_size", importQuantizeLinear},
      {ms, "DequantizeLinear", 1, 1, 2, 3, "axis block_size", importDequantizeLinear},
      {"", "DynamicQuantizeLinear", 11, kNewest, 1, 1, "", importDynamicQuantizeLinear},
      {"", "MatMulInteger", 10, kNewest, 2, 4, "", importMatMulInteger},
      {"", "ConvInteger", 10, kNewest, 2, 4, window, importConvInteger},
      {"", "QLinearMatMul", 10, kNewest, 8, 8, "", importQLinearMatMul},
      {"", "QLinearConv", 10, kNewest, 8, 9, window, importQLinearConv},
      {ms, "QGemm", 1, 1, 6, 9, "alpha transA transB", importQGemm},
      {ms, "QLinearAdd", 1, 1, 7, 8, "", importQLinearAdd},
      {ms, "QLinearMul", 1, 1, 7, 8, "", importQLinearMul},
      {ms, "QLinearSigmoid", 1, 1, 4, 5, "", importQLinearSigmoid},
      {ms, "QLinearLeakyRelu", 1, 1, 4, 5, "alpha", importQLinearLeakyRelu},
      {ms, "QLinearAveragePool", 1, 1, 4, 5,
       "auto_pad ceil_mode channels_last count_include_pad kernel_shape pads strides", importQLinearAveragePool,
       "channels first"},
      {ms, "QLinearGlobalAveragePool", 1, 1, 4, 5, "channels_last", importQLinearGlobalAveragePool, "channels first"},
      {ms, "QLinearSoftmax", 1, 1, 4, 5, "axis opset", importQLinearSoftmax},
      {ms, "QLinearConcat", 1, 1, 5, kAny, "axis", importQLinearConcat},
  });
}

} // namespace mlir::qtensor::onnx
