// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Kernel/EncodedOperand.h"
#include "lib/Transforms/Pack/ContractForm.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "qtensor/Codec.h"

using namespace mlir;
using namespace mlir::qtensor;

static Value f32Constant(ImplicitLocOpBuilder &b, double value) {
  return arith::ConstantOp::create(b, b.getF32FloatAttr(static_cast<float>(value)));
}

static Value i32Constant(ImplicitLocOpBuilder &b, int64_t value) {
  return arith::ConstantOp::create(b, b.getI32IntegerAttr(value));
}

/// `element`, or a vector of as many as `value` has.
static Type typeLike(Value value, Type element) {
  auto vector = dyn_cast<VectorType>(value.getType());
  return vector ? Type(VectorType::get(vector.getShape(), element)) : element;
}

/// `scalar` for each element of `value`.
static Value spreadLike(ImplicitLocOpBuilder &b, Value value, Value scalar) {
  Type type = typeLike(value, scalar.getType());
  return type == scalar.getType() ? scalar : vector::BroadcastOp::create(b, type, scalar).getResult();
}

Value qtensor::emitToF32(ImplicitLocOpBuilder &b, Value value) {
  Type f32 = typeLike(value, b.getF32Type());
  return value.getType() == f32 ? value : arith::ExtFOp::create(b, f32, value).getResult();
}

Value qtensor::emitTableLookup(ImplicitLocOpBuilder &b, DenseElementsAttr table, Value index) {
  auto module = b.getBlock()->getParentOp()->getParentOfType<ModuleOp>();
  memref::GlobalOp found;
  unsigned count = 0;
  for (auto global : module.getOps<memref::GlobalOp>()) {
    if (global.getInitialValueAttr() == table)
      found = global;
    ++count;
  }
  if (!found) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    while (module.lookupSymbol("qtensor_table_" + std::to_string(count)))
      ++count;
    auto type = MemRefType::get(table.getType().getShape(), table.getElementType());
    found = memref::GlobalOp::create(b, "qtensor_table_" + std::to_string(count), b.getStringAttr("private"), type, table,
                                     /*constant=*/true, b.getI64IntegerAttr(64));
  }
  Value base = memref::GetGlobalOp::create(b, found.getType(), found.getSymName());
  Value at = arith::IndexCastUIOp::create(b, b.getIndexType(), index);
  return memref::LoadOp::create(b, base, ValueRange{at});
}

static bool isSigned(CodecAttr codec) {
  return decodeCode(codec, (uint32_t(1) << codec.getBits()) - 1) < decodeCode(codec, 0);
}

/// The code as an i32, extended as its container is.
static Value extendCode(ImplicitLocOpBuilder &b, CodecAttr codec, Value code) {
  Type i32 = typeLike(code, b.getI32Type());
  if (code.getType() == i32)
    return code;
  if (codec.getKind() == CodecKind::Int && isSigned(codec))
    return arith::ExtSIOp::create(b, i32, code);
  return arith::ExtUIOp::create(b, i32, code);
}

/// The value of an integer codec's code as i32.
static Value decodeInteger(ImplicitLocOpBuilder &b, CodecAttr codec, Value code) {
  Value wide = extendCode(b, codec, code);
  int64_t lowest = isSigned(codec) ? 0 : static_cast<int64_t>(decodeCode(codec, 0));
  return lowest ? arith::AddIOp::create(b, wide, spreadLike(b, wide, i32Constant(b, lowest))).getResult() : wide;
}

/// The float type whose bits are the codec's codes, or null.
static Type getFloatOf(CodecAttr codec) {
  MLIRContext *context = codec.getContext();
  for (FloatType type : {FloatType(Float32Type::get(context)), FloatType(Float16Type::get(context)),
                         FloatType(BFloat16Type::get(context))})
    if (codec == CodecAttr::getForFloat(type))
      return type;
  return {};
}

Value qtensor::emitDecodeCode(ImplicitLocOpBuilder &b, CodecAttr codec, Value code) {
  if (Type type = getFloatOf(codec))
    return emitToF32(b, arith::BitcastOp::create(b, typeLike(code, type), code));
  if (codec.getKind() == CodecKind::Int)
    return arith::SIToFPOp::create(b, typeLike(code, b.getF32Type()), decodeInteger(b, codec, code));
  SmallVector<float> values;
  for (double value : getCodecTable(codec))
    values.push_back(static_cast<float>(value));
  auto type = RankedTensorType::get(values.size(), b.getF32Type());
  return emitTableLookup(b, DenseElementsAttr::get(type, ArrayRef(values)), extendCode(b, codec, code));
}

EncodedOperand::EncodedOperand(ValueRange components, BlockAttr encoding) : codes(components.front()), encoding(encoding) {
  if (!encoding)
    return;
  components = components.drop_front();
  SmallVector<int64_t> grid = encoding.getGrid(cast<ShapedType>(codes.getType()).getShape());
  std::pair<Parameter *, ParamAttr> all[] = {
      {&scale, encoding.getScale()}, {&zero, encoding.getZero()}, {&offset, encoding.getOffset()}};
  for (auto [parameter, attr] : all) {
    parameter->attr = attr;
    if (!attr || !attr.isData())
      continue;
    SmallVector<Component> own;
    if (auto nested = dyn_cast<BlockAttr>(attr.getValue()))
      nested.getComponents(grid, encoding.getContext(), own);
    size_t count = own.empty() ? 1 : own.size();
    parameter->components = SmallVector<Value>(components.take_front(count));
    components = components.drop_front(count);
  }
}

/// The cell of the grid that holds an element.
SmallVector<Value> EncodedOperand::cellOf(ImplicitLocOpBuilder &b, ValueRange index) const {
  SmallVector<Value> cell;
  for (auto [position, block] : llvm::zip_equal(index, encoding.getBlock())) {
    if (ShapedType::isDynamic(block))
      cell.push_back(arith::ConstantIndexOp::create(b, 0));
    else
      cell.push_back(block == 1 ? position
                                : b.createOrFold<arith::DivUIOp>(position, arith::ConstantIndexOp::create(b, block)));
  }
  return cell;
}

Value EncodedOperand::loadParameter(ImplicitLocOpBuilder &b, const Parameter &parameter, ValueRange index) const {
  if (!parameter.attr)
    return {};
  if (std::optional<double> scalar = parameter.attr.getScalar())
    return f32Constant(b, *scalar);
  SmallVector<Value> cell = cellOf(b, index);
  Value value;
  if (auto nested = dyn_cast<BlockAttr>(parameter.attr.getValue())) {
    value = EncodedOperand(parameter.components, nested).loadReal(b, cell);
  } else {
    for (auto [position, own] : llvm::zip(cell, parameter.attr.getOwnBlock()))
      position = ShapedType::isDynamic(own)
                     ? arith::ConstantIndexOp::create(b, 0).getResult()
                     : b.createOrFold<arith::DivUIOp>(position, arith::ConstantIndexOp::create(b, own));
    value = memref::LoadOp::create(b, parameter.components.front(), cell);
    auto codec = dyn_cast<CodecAttr>(parameter.attr.getValue());
    value = codec ? emitDecodeCode(b, codec, value) : emitToF32(b, value);
  }
  return parameter.attr.getNegated() ? arith::NegFOp::create(b, value).getResult() : value;
}

Value EncodedOperand::decodeReal(ImplicitLocOpBuilder &b, Value code, ValueRange index) const {
  if (!encoding)
    return emitToF32(b, code);
  Value value = emitDecodeCode(b, encoding.getCodec(), code);
  if (Value z = loadParameter(b, zero, index))
    value = arith::SubFOp::create(b, value, spreadLike(b, value, z));
  if (Value s = loadParameter(b, scale, index))
    value = arith::MulFOp::create(b, spreadLike(b, value, s), value);
  if (Value o = loadParameter(b, offset, index))
    value = arith::AddFOp::create(b, value, spreadLike(b, value, o));
  return value;
}

Value EncodedOperand::subtractZero(ImplicitLocOpBuilder &b, Value value, ValueRange index) const {
  Value z = loadParameter(b, zero, index);
  if (!z)
    return value;
  z = arith::FPToSIOp::create(b, b.getI32Type(), z);
  return arith::SubIOp::create(b, value, spreadLike(b, value, z));
}

static Value loadCodes(ImplicitLocOpBuilder &b, Value codes, ValueRange index, int64_t lanes) {
  auto type = VectorType::get(lanes, cast<MemRefType>(codes.getType()).getElementType());
  return vector::LoadOp::create(b, type, codes, index);
}

bool EncodedOperand::hasVectors() const {
  return !encoding || encoding.getCodec().getKind() == CodecKind::Int || getFloatOf(encoding.getCodec());
}

Value EncodedOperand::loadReal(ImplicitLocOpBuilder &b, ValueRange index) const {
  return decodeReal(b, memref::LoadOp::create(b, codes, index), index);
}

Value EncodedOperand::loadReals(ImplicitLocOpBuilder &b, ValueRange index, int64_t lanes) const {
  return decodeReal(b, loadCodes(b, codes, index, lanes), index);
}

Value EncodedOperand::loadIntegers(ImplicitLocOpBuilder &b, ValueRange index, int64_t lanes) const {
  return subtractZero(b, decodeInteger(b, encoding.getCodec(), loadCodes(b, codes, index, lanes)), index);
}

Value EncodedOperand::loadInteger(ImplicitLocOpBuilder &b, ValueRange index) const {
  CodecAttr codec = encoding.getCodec();
  Value code = memref::LoadOp::create(b, codes, index), value;
  if (codec.getKind() == CodecKind::Int) {
    value = decodeInteger(b, codec, code);
  } else {
    Embedding embedding = getEmbedding(codec);
    SmallVector<int32_t> multiples;
    for (size_t entry = 0; entry < embedding.limb[0].size(); ++entry)
      multiples.push_back(embedding.getMultiple(entry));
    auto type = RankedTensorType::get(multiples.size(), b.getI32Type());
    value = emitTableLookup(b, DenseElementsAttr::get(type, ArrayRef(multiples)), extendCode(b, codec, code));
  }
  return subtractZero(b, value, index);
}

float EncodedOperand::getUnit() const {
  CodecAttr codec = encoding.getCodec();
  return codec.getKind() == CodecKind::Int ? 1.0f : static_cast<float>(getEmbedding(codec).scale);
}

Value EncodedOperand::loadScale(ImplicitLocOpBuilder &b, ValueRange index) const {
  Value value = loadParameter(b, scale, index);
  float unit = getUnit();
  if (unit == 1)
    return value;
  return value ? arith::MulFOp::create(b, value, f32Constant(b, unit)).getResult() : f32Constant(b, unit);
}

Value EncodedOperand::loadOffset(ImplicitLocOpBuilder &b, ValueRange index) const { return loadParameter(b, offset, index); }

Value EncodedOperand::loadZero(ImplicitLocOpBuilder &b, ValueRange index) const { return loadParameter(b, zero, index); }
