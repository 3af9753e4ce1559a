// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Integer/Codes.h"
#include "lib/Quantize/ConstantData.h"
#include "lib/Transforms/Integer/GroupScales.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "qtensor/Codec.h"
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;

int64_t Codes::largest() const {
  int64_t low = isUnsigned ? 0 : -(int64_t(1) << (bits - 1)), high = low + (int64_t(1) << bits) - 1;
  return std::max(std::abs(low - zero), std::abs(high - zero));
}

Value Codes::widen(OpBuilder &builder, Location loc, Value code, Type type) const {
  Value wide = isUnsigned ? arith::ExtUIOp::create(builder, loc, type, code).getResult()
                          : arith::ExtSIOp::create(builder, loc, type, code).getResult();
  if (zero == 0)
    return wide;
  Value number = arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(type, zero));
  return arith::SubIOp::create(builder, loc, wide, number);
}

Value integer::stripDequantize(Value value) {
  if (auto read = value.getDefiningOp<DequantizeOp>())
    return read.getSource();
  return value;
}

Value integer::stripPadding(Value value) {
  auto pad = value.getDefiningOp<tensor::PadOp>();
  if (!pad)
    return value;
  Value padding = pad.getConstantPaddingValue();
  return padding && matchPattern(padding, m_AnyZeroFloat()) ? Value(pad.getSource()) : Value();
}

std::optional<std::vector<float>> integer::readReals(Value value) {
  arith::ConstantOp constant = getConstantSource(value);
  if (!constant)
    return std::nullopt;
  FailureOr<FloatData> data = readFloats(constant);
  if (failed(data))
    return std::nullopt;
  ArrayRef<float> values = *data;
  return std::vector<float>(values.begin(), values.end());
}

/// The zero point of an encoded tensor: a number of its encoding, or constants that are all the same.
static std::optional<int64_t> readZero(Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  BlockAttr encoding = getBlockEncoding(type);
  ParamAttr zero = encoding.getZero();
  if (!zero || zero.getScalar())
    return zero ? int64_t(*zero.getScalar()) : 0;
  auto codec = dyn_cast<CodecAttr>(zero.getValue());
  auto assemble = value.getDefiningOp<AssembleOp>();
  if (!codec || zero.getNegated() || !assemble)
    return std::nullopt;
  SmallVector<Component> components;
  encoding.getComponents(type.getShape(), type.getContext(), components);
  auto found = llvm::find_if(components, [](const Component &component) { return component.name == "zero"; });
  if (found == components.end() || components.size() != assemble.getComponents().size())
    return std::nullopt;
  arith::ConstantOp constant = getConstantSource(assemble.getComponents()[found - components.begin()]);
  std::vector<char> bytes = constant ? readBytes(cast<ElementsAttr>(constant.getValue())) : std::vector<char>();
  size_t size = codec.getStorageType().getIntOrFloatBitWidth() / 8;
  for (size_t i = size; i < bytes.size(); ++i)
    if (bytes[i] != bytes[i - size])
      return std::nullopt;
  uint32_t code = 0;
  if (bytes.size() < size || size > sizeof(code))
    return std::nullopt;
  std::memcpy(&code, bytes.data(), size);
  return int64_t(decodeCode(codec, code));
}

std::optional<Codes> integer::readCodes(ImplicitLocOpBuilder &b, Value value, bool mayHaveBlocks) {
  value = stripDequantize(value);
  auto type = cast<RankedTensorType>(value.getType());
  BlockAttr encoding = getBlockEncoding(type);
  if (!encoding || encoding.getCodec().getKind() != CodecKind::Int ||
      encoding.getCodec().getIntStyle() == IntStyle::Offset || encoding.getOffset())
    return std::nullopt;
  std::optional<int64_t> zero = readZero(value);
  if (!zero)
    return std::nullopt;
  Codes out;
  out.bits = encoding.getCodec().getBits();
  out.isUnsigned = encoding.getCodec().getIntStyle() == IntStyle::Unsigned;
  out.zero = *zero;
  if (encoding.isStatic()) {
    out.scales = {encoding.getScale() ? float(*encoding.getScale().getScalar()) : 1.0f};
  } else {
    auto assemble = value.getDefiningOp<AssembleOp>();
    std::optional<std::vector<float>> scales = assemble ? readScales(assemble) : std::nullopt;
    if (!scales)
      return std::nullopt;
    out.scales = std::move(*scales);
    for (auto [dim, extent] : llvm::enumerate(encoding.getGrid(type.getShape()))) {
      if (extent == 1)
        continue;
      if (out.axis >= 0 || extent != type.getDimSize(dim))
        out.block = llvm::to_vector(encoding.getBlock());
      out.axis = int64_t(dim);
    }
    if (!out.block.empty() && !mayHaveBlocks)
      return std::nullopt;
  }
  out.codes = ComponentOp::create(b, value, "codes");
  return out;
}

Value integer::padCodes(ImplicitLocOpBuilder &b, Value operand, const Codes &of) {
  auto pad = operand.getDefiningOp<tensor::PadOp>();
  if (!pad)
    return of.codes;
  auto element = cast<RankedTensorType>(of.codes.getType()).getElementType();
  Value zero = arith::ConstantOp::create(b, b.getIntegerAttr(element, of.zero));
  auto type = RankedTensorType::get(pad.getResultType().getShape(), element);
  return tensor::PadOp::create(b, type, of.codes, pad.getMixedLowPad(), pad.getMixedHighPad(), zero);
}

std::optional<Sums> integer::sumCodes(ImplicitLocOpBuilder &b, const Addition &addition, bool real) {
  linalg::LinalgOp op = addition.op;
  Value source = stripPadding(addition.inputs[0]->get());
  std::optional<Codes> x = source ? readCodes(b, source) : std::nullopt;
  if (!x || x->axis >= 0)
    return std::nullopt;
  double most = double(x->largest());
  for (auto [range, kind] : llvm::zip_equal(op.getStaticLoopRanges(), op.getIteratorTypesArray()))
    most *= kind == utils::IteratorType::reduction ? double(range) : 1.0;
  bool wide = x->bits > 8 && !real;
  if (most >= (wide ? 0x1p47 : 0x1p31))
    return std::nullopt;
  Type sum = wide ? b.getI64Type() : b.getI32Type();
  SmallVector<Value> inputs{padCodes(b, addition.inputs[0]->get(), *x)};
  SmallVector<Value> given = op.getDpsInputs();
  for (Value window : ArrayRef(given).drop_front())
    inputs.push_back(tensor::EmptyOp::create(b, cast<RankedTensorType>(window.getType()).getShape(), sum));
  ArrayRef<int64_t> shape = cast<RankedTensorType>(op->getResult(0).getType()).getShape();
  Value zero = arith::ConstantOp::create(b, b.getIntegerAttr(sum, 0));
  Value filled = linalg::FillOp::create(b, zero, tensor::EmptyOp::create(b, shape, sum).getResult()).getResult(0);
  auto made = linalg::GenericOp::create(b, filled.getType(), inputs, filled, op.getIndexingMapsArray(),
                                        op.getIteratorTypesArray(), [&](OpBuilder &body, Location loc, ValueRange in) {
                                          Value value = x->widen(body, loc, in.front(), sum);
                                          value = arith::AddIOp::create(body, loc, in.back(), value);
                                          linalg::YieldOp::create(body, loc, value);
                                        });
  Sums out;
  out.tensor = made.getResult(0);
  out.scales = {double(x->scales[0])};
  out.most = most;
  return out;
}

/// `multiple` / each divisor, where all of them are whole numbers of which that is the smallest common multiple.
static std::optional<SmallVector<int64_t>> readDivisors(Value divisor, int64_t &multiple) {
  std::optional<std::vector<float>> values = readReals(divisor);
  if (!values)
    return std::nullopt;
  multiple = 1;
  for (float value : *values) {
    if (!(value >= 1 && value <= 0x1p20f) || value != std::trunc(value))
      return std::nullopt;
    multiple = std::lcm(multiple, int64_t(value));
    if (multiple >= int64_t(1) << 31)
      return std::nullopt;
  }
  SmallVector<int64_t> factors;
  for (float value : *values)
    factors.push_back(multiple / int64_t(value));
  return factors;
}

bool integer::divideSums(ImplicitLocOpBuilder &b, Sums &sums, ArrayRef<Factor> divisors) {
  if (divisors.empty())
    return true;
  auto type = cast<RankedTensorType>(sums.tensor.getType());
  Type element = type.getElementType();
  AffineMap identity = AffineMap::getMultiDimIdentityMap(type.getRank(), b.getContext());
  SmallVector<Value> inputs{sums.tensor};
  SmallVector<AffineMap> maps{identity};
  for (const Factor &divisor : divisors) {
    int64_t multiple;
    std::optional<SmallVector<int64_t>> factors = readDivisors(divisor.tensor, multiple);
    if (!factors)
      return false;
    sums.most *= double(*llvm::max_element(*factors));
    sums.scales[0] /= double(multiple);
    SmallVector<Attribute> numbers;
    for (int64_t factor : *factors)
      numbers.push_back(b.getIntegerAttr(element, factor));
    auto shape = RankedTensorType::get(cast<RankedTensorType>(divisor.tensor.getType()).getShape(), element);
    inputs.push_back(arith::ConstantOp::create(b, DenseElementsAttr::get(shape, numbers)));
    maps.push_back(divisor.map);
  }
  if (sums.scales.size() != 1 || sums.most == 0 || sums.most >= (element.isInteger(64) ? 0x1p47 : 0x1p31))
    return false;
  maps.push_back(identity);
  SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
  Value empty = tensor::EmptyOp::create(b, type.getShape(), element);
  sums.tensor = linalg::GenericOp::create(b, type, inputs, empty, maps, iterators,
                                          [](OpBuilder &body, Location loc, ValueRange in) {
                                            Value value = in[0];
                                            for (Value factor : in.drop_front().drop_back())
                                              value = arith::MulIOp::create(body, loc, value, factor);
                                            linalg::YieldOp::create(body, loc, value);
                                          })
                    .getResult(0);
  return true;
}

void integer::refineSums(ImplicitLocOpBuilder &b, Sums &sums) {
  auto type = cast<RankedTensorType>(sums.tensor.getType());
  Type element = type.getElementType();
  // A quarter of the range is theirs.
  int bits = sums.most > 0 ? int(std::floor(std::log2((element.isInteger(64) ? 0x1p45 : 0x1p29) / sums.most))) : 0;
  if (bits <= 0)
    return;
  AffineMap identity = AffineMap::getMultiDimIdentityMap(type.getRank(), b.getContext());
  SmallVector<AffineMap> maps{identity, identity};
  SmallVector<utils::IteratorType> iterators(type.getRank(), utils::IteratorType::parallel);
  Value empty = tensor::EmptyOp::create(b, type.getShape(), element);
  sums.tensor =
      linalg::GenericOp::create(b, type, sums.tensor, empty, maps, iterators,
                                [&](OpBuilder &body, Location loc, ValueRange in) {
                                  Value by = arith::ConstantOp::create(body, loc, body.getIntegerAttr(element, bits));
                                  Value finer = arith::ShLIOp::create(body, loc, in[0], by);
                                  linalg::YieldOp::create(body, loc, finer);
                                })
          .getResult(0);
  sums.most = std::ldexp(sums.most, bits);
  for (double &scale : sums.scales)
    scale = std::ldexp(scale, -bits);
}
