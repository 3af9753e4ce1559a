// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ONNX/Ops/Quantization.h"
#include "dialects/QTensor/IR/QTensorOps.h"

namespace mlir::qtensor::onnx {
namespace {
/// An encoding, and the operands for those of its parameters that are data.
struct Encoding {
  BlockAttr attr;
  SmallVector<Val> params;
};

std::optional<double> onlyNumber(const Val &x) {
  if (!x.constant || x.constant->numElements() != 1)
    return std::nullopt;
  return x.constant->realAt(0);
}

/// The number that all elements of a constant are.
std::optional<double> uniformNumber(const Val &x) {
  if (!x.constant || x.constant->numElements() == 0)
    return std::nullopt;
  double first = x.constant->realAt(0);
  for (int64_t i = 1, count = x.constant->numElements(); i < count; ++i)
    if (x.constant->realAt(i) != first)
      return std::nullopt;
  return first;
}

Dims gridDims(NodeContext &n, const Val &x, const Scheme &scheme) {
  Dims grid(x.rank(), n.e.math.constant(1));
  if (scheme.block)
    return scheme.scale.dims;
  if (scheme.scale.rank() == 1 && x.rank())
    grid[scheme.axis] = scheme.scale.dims[0];
  return grid;
}

/// True for codes and scales that an encoding can describe.
bool encodable(const Val &x, const Scheme &scheme) {
  if (!isInteger(scheme.codes) || bitWidth(scheme.codes) > 16 || scheme.scale.elem != Elem::F32 || x.isScalar())
    return false;
  std::optional<double> scale = onlyNumber(scheme.scale);
  return !scale || (std::isfinite(*scale) && *scale > 0);
}

Encoding makeEncoding(NodeContext &n, const Val &x, const Scheme &scheme) {
  OpBuilder &b = n.e.b;
  CodecAttr codec = integerCodec(b.getContext(), bitWidth(scheme.codes), isUnsigned(scheme.codes));
  std::optional<double> scale = onlyNumber(scheme.scale);
  std::optional<double> zero = scheme.zeroNumber;
  SmallVector<int64_t> block(x.rank(), ShapedType::kDynamic);
  if (scheme.block) {
    block.assign(x.rank(), 1);
    block[scheme.axis] = scheme.block;
  } else if (scheme.scale.rank() == 1 && DimMath::number(scheme.scale.dims[0]) != 1) {
    block[scheme.axis] = 1;
  }
  Encoding out;
  bool isStatic = scale && zero;
  Dims grid = gridDims(n, x, scheme);
  ParamAttr scaleParam = isStatic ? scalarParam(b, *scale) : dataParam(b, TypeAttr::get(b.getF32Type()));
  ParamAttr zeroParam;
  if (!isStatic)
    out.params.push_back(n.e.reshape(scheme.scale, grid));
  if (!zero) {
    zeroParam = dataParam(b, codec);
    out.params.push_back(n.e.reshape(asContainer(n.e, *scheme.zero), grid));
  } else if (*zero != 0) {
    zeroParam = scalarParam(b, *zero);
  }
  out.attr = BlockAttr::get(b.getContext(), codec, block, scaleParam, zeroParam, ParamAttr());
  return out;
}

RankedTensorType encodedType(Emit &e, ArrayRef<OpFoldResult> dims, BlockAttr encoding) {
  return RankedTensorType::get(DimMath::shape(dims), e.b.getF32Type(), encoding);
}

bool sameValue(const Val &a, const Val &b) {
  if (a.constant && b.constant)
    return a.constant->bytes == b.constant->bytes;
  return a.tensor && a.tensor == b.tensor;
}

/// Scale or zero point as a tensor that broadcasts against x: repeated inside blocks.
Val overElements(NodeContext &n, const Val &param, const Val &x, const Scheme &scheme) {
  if (!scheme.block)
    return n.e.reshape(param, param.rank() ? gridDims(n, x, scheme) : Dims());
  // [.., blocks, ..] -> [.., blocks, 1, ..] -> [.., blocks, size, ..] -> [.., blocks * size, ..] -> x's extents.
  DimMath &m = n.e.math;
  Dims split = param.dims, wide, merged = param.dims;
  split.insert(split.begin() + scheme.axis + 1, m.constant(1));
  wide = split;
  wide[scheme.axis + 1] = m.constant(scheme.block);
  merged[scheme.axis] = m.mul(merged[scheme.axis], m.constant(scheme.block));
  Val repeated = n.e.reshape(n.e.broadcast(n.e.reshape(param, split), wide), merged);
  return n.e.sliceAxis(repeated, scheme.axis, m.constant(0), x.dims[scheme.axis]);
}

std::pair<double, double> codeRange(Elem codes) {
  unsigned bits = bitWidth(codes);
  if (isUnsigned(codes))
    return {0, std::ldexp(1.0, bits) - 1};
  return {-std::ldexp(1.0, bits - 1), std::ldexp(1.0, bits - 1) - 1};
}

/// Codes that no encoding describes (float8, scalars ...): the formula itself.
Val quantizeByFormula(NodeContext &n, const Val &x, const Scheme &scheme) {
  SmallVector<Val> inputs = {x, overElements(n, scheme.scale, x, scheme)};
  if (scheme.zero)
    inputs.push_back(overElements(n, *scheme.zero, x, scheme));
  Elem wide = x.elem == Elem::F64 ? Elem::F64 : Elem::F32;
  return n.e.mapTo(x.dims, inputs, scheme.codes, [&](Scalar &s, ValueRange in) {
    Value scaled = s.div(s.cast(in[0], x.elem, wide), s.cast(in[1], scheme.scale.elem, wide));
    if (isFloat(scheme.codes))
      return s.castSaturating(scaled, wide, scheme.codes);
    Value rounded = s.roundEven(scaled);
    if (scheme.zero)
      rounded = s.add(rounded, s.cast(in[2], scheme.codes, wide));
    auto [low, high] = codeRange(scheme.codes);
    Value clamped = s.clamp(rounded, s.like(rounded, low), s.like(rounded, high));
    return s.widen(s.make<arith::FPToSIOp>(n.e.b.getI32Type(), clamped), n.e.type(scheme.codes));
  });
}

Val dequantizeByFormula(NodeContext &n, const Val &x, const Scheme &scheme) {
  SmallVector<Val> inputs = {x, overElements(n, scheme.scale, x, scheme)};
  if (scheme.zero)
    inputs.push_back(overElements(n, *scheme.zero, x, scheme));
  Elem real = scheme.scale.elem, wide = real == Elem::F64 ? Elem::F64 : Elem::F32;
  return n.e.mapTo(x.dims, inputs, real, [&](Scalar &s, ValueRange in) {
    Value value = s.cast(in[0], x.elem, wide);
    if (scheme.zero)
      value = s.sub(value, s.cast(in[2], scheme.zero->elem, wide));
    return s.cast(s.mul(value, s.cast(in[1], real, wide)), wide, real);
  });
}

SmallVector<Value> tensors(Emit &e, ArrayRef<Val> values) {
  return llvm::map_to_vector(values, [&](const Val &value) { return e.tensor(value); });
}
} // namespace

FailureOr<Val> quantize(NodeContext &n, const Val &x, const Scheme &scheme) {
  if (!encodable(x, scheme) || x.elem != Elem::F32)
    return quantizeByFormula(n, x, scheme);
  Encoding encoding = makeEncoding(n, x, scheme);
  Val out;
  out.elem = scheme.codes;
  out.dims = x.dims;
  out.encoded = std::make_shared<EncodedValue>();
  out.encoded->value = QuantizeOp::create(n.e.b, n.e.loc, encodedType(n.e, x.dims, encoding.attr), n.e.tensor(x),
                                          tensors(n.e, encoding.params), ValueRange(), StringAttr());
  out.encoded->encoding = encoding.attr;
  out.encoded->params = encoding.params;
  return out;
}

FailureOr<Val> dequantize(NodeContext &n, const Val &x, const Scheme &scheme) {
  if (!encodable(x, scheme))
    return dequantizeByFormula(n, x, scheme);
  Encoding encoding = makeEncoding(n, x, scheme);
  Value source;
  if (x.encoded && x.encoded->encoding == encoding.attr && llvm::equal(x.encoded->params, encoding.params, sameValue)) {
    source = x.encoded->value;
  } else {
    SmallVector<Value> components = {n.e.tensor(asContainer(n.e, x))};
    components.append(tensors(n.e, encoding.params));
    source = AssembleOp::create(n.e.b, n.e.loc, encodedType(n.e, x.dims, encoding.attr), components);
  }
  auto plain = RankedTensorType::get(DimMath::shape(x.dims), n.e.b.getF32Type());
  return n.e.wrap(DequantizeOp::create(n.e.b, n.e.loc, plain, source), Elem::F32, x.dims);
}

FailureOr<Scheme> readScheme(NodeContext &n, unsigned scale, unsigned zero, Elem codes, int64_t axis) {
  if (!n.has(scale))
    return n.fail("input " + Twine(scale) + " (a scale) is missing");
  if (!isFloat(n.in(scale).elem))
    return n.fail("input " + Twine(scale) + " (a scale) must be a float tensor");
  Scheme scheme;
  scheme.codes = codes;
  scheme.scale = n.in(scale);
  scheme.axis = axis;
  if (n.has(zero)) {
    scheme.codes = n.in(zero).elem;
    scheme.zero = n.in(zero);
  }
  // A vector of one is a scalar, whatever the axis.
  auto simplify = [&](Val &x) {
    if (x.rank() == 1 && DimMath::number(x.dims[0]) == 1)
      x = n.e.reshape(x, {});
  };
  simplify(scheme.scale);
  if (!scheme.zero)
    return scheme;
  simplify(*scheme.zero);
  scheme.zeroNumber = uniformNumber(*scheme.zero);
  if (scheme.zero->isScalar())
    scheme.zero = n.e.broadcast(*scheme.zero, scheme.scale.dims);
  if (!llvm::equal(scheme.zero->dims, scheme.scale.dims, DimMath::same))
    return n.fail("the scale and the zero point have different shapes");
  return scheme;
}

Val assembleBlocks(Emit &e, const Val &codes, unsigned bits, int64_t block, const Val &scales, std::optional<Val> zeros,
                   double implicitZero) {
  OpBuilder &b = e.b;
  CodecAttr codec = integerCodec(b.getContext(), bits, /*isUnsigned=*/true);
  ParamAttr zero = scalarParam(b, implicitZero);
  if (zeros && isFloat(zeros->elem))
    zero = dataParam(b, TypeAttr::get(e.type(zeros->elem)));
  else if (zeros)
    zero = dataParam(b, codec);
  auto attr = BlockAttr::get(b.getContext(), codec, {1, block}, dataParam(b, TypeAttr::get(e.type(scales.elem))), zero,
                             ParamAttr());
  SmallVector<Value> components = {e.tensor(codes), e.tensor(scales)};
  if (zeros)
    components.push_back(e.tensor(*zeros));
  Value made = AssembleOp::create(b, e.loc, encodedType(e, codes.dims, attr), components);
  auto plain = RankedTensorType::get(DimMath::shape(codes.dims), b.getF32Type());
  return e.wrap(DequantizeOp::create(b, e.loc, plain, made), Elem::F32, codes.dims);
}

} // namespace mlir::qtensor::onnx
