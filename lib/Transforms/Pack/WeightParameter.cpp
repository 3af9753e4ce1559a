// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Pack/WeightParameter.h"
#include "lib/Formats/Params.h"
#include "mlir/IR/BuiltinTypes.h"
#include "qtensor/Codec.h"
#include "llvm/ADT/APFloat.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;

static uint64_t toBits(Type type, float value) {
  if (type.isInteger(8))
    return static_cast<uint8_t>(static_cast<int>(value));
  if (isa<Float8E8M0FNUType>(type))
    return llvm::bit_cast<uint32_t>(value) >> 23;
  APFloat stored(value);
  bool losesInfo;
  stored.convert(cast<FloatType>(type).getFloatSemantics(), APFloat::rmNearestTiesToEven, &losesInfo);
  return stored.bitcastToAPInt().getZExtValue();
}

/// The type of one byte that holds every value of a codec, or null.
static Type getByteType(CodecAttr codec) {
  if (codec.getBits() > 8)
    return {};
  std::vector<double> table = getCodecTable(codec);
  MLIRContext *context = codec.getContext();
  auto isByte = [](double v) { return v == std::trunc(v) && v >= -128 && v <= 127 && !(v == 0 && std::signbit(v)); };
  if (llvm::all_of(table, isByte))
    return IntegerType::get(context, 8);
  Type small = Float8E4M3FNType::get(context);
  auto fits = [&](double v) {
    APFloat read(APFloat::Float8E4M3FN(), APInt(8, std::isnan(v) ? 0x7F : toBits(small, static_cast<float>(v))));
    return std::isnan(v) || (std::fabs(v) <= 448 && read.convertToDouble() == v);
  };
  return llvm::all_of(table, fits) ? small : Type();
}

/// The narrowest type of the layout that holds every value of a parameter.
static Type getParameterType(ParamAttr param, ArrayRef<float> values) {
  MLIRContext *context = param.getContext();
  if (auto type = dyn_cast<TypeAttr>(param.getValue()); type && isa<Float16Type, BFloat16Type>(type.getValue()))
    return type.getValue();
  auto codec = dyn_cast<CodecAttr>(param.getValue());
  auto isPower = [](float v) { return v > 0 && (llvm::bit_cast<uint32_t>(v) & 0x7FFFFF) == 0 && std::isnormal(v); };
  if (codec && llvm::all_of(values, isPower))
    return Float8E8M0FNUType::get(context);
  Type byte = codec && !param.getNegated() ? getByteType(codec) : Type();
  return byte ? byte : Float32Type::get(context);
}

SmallVector<float> qtensor::getParameterTable(CodecAttr codec) {
  SmallVector<float> table;
  if (!getByteType(codec))
    for (double value : getCodecTable(codec))
      table.push_back(static_cast<float>(value));
  return table;
}

static Type getOuterType(ParamAttr param, ArrayRef<float> values) {
  Type type = getParameterType(param, values);
  return isa<Float16Type, BFloat16Type, Float32Type>(type) ? type : Float32Type::get(param.getContext());
}

/// Values of a parameter of a nested parameter, negated or not.
static LogicalResult loadOuter(ParamAttr param, ArrayRef<int64_t> grid, ArrayRef<ArrayRef<char>> &data, bool negated,
                               EmitErrorFn emitError, std::vector<float> &values) {
  FailureOr<ParamValues> loaded = loadParam(param, 0, grid, data, emitError);
  if (failed(loaded))
    return failure();
  for (int64_t cell = 0, count = countElements(grid); cell < count; ++cell)
    values.push_back(negated ? -(*loaded)[cell] : (*loaded)[cell]);
  return success();
}

/// The factors of a nested parameter, where kernels read them: codes of one byte and data without a zero point.
static LogicalResult loadNested(WeightParameter &parameter, bool isScale, ArrayRef<int64_t> block,
                                ArrayRef<int64_t> grid, ArrayRef<ArrayRef<char>> data, EmitErrorFn emitError) {
  auto inner = dyn_cast<BlockAttr>(parameter.attr.getValue());
  if (!inner || inner.getCodec().getBits() > 8 || inner.getZero() || !inner.getScale() || !inner.getScale().isData())
    return success();
  Type byte = getByteType(inner.getCodec());
  ParamAttr offset = inner.getOffset();
  bool negated = parameter.attr.getNegated();
  if ((offset && (negated || !isScale || !offset.isData())) || (!byte && !isScale))
    return success();
  parameter.outerGrid = inner.getGrid(grid);
  for (auto [own, nested] : llvm::zip_equal(block, inner.getBlockExtents(grid)))
    parameter.outerBlock.push_back(own * nested);
  ArrayRef<ArrayRef<char>> rest = data.drop_front();
  if (failed(loadOuter(inner.getScale(), parameter.outerGrid, rest, negated, emitError, parameter.outer)) ||
      (offset && failed(loadOuter(offset, parameter.outerGrid, rest, false, emitError, parameter.outerOffset))))
    return failure();
  parameter.outerType = getOuterType(inner.getScale(), parameter.outer);
  if (offset)
    parameter.outerOffsetType = getOuterType(offset, parameter.outerOffset);
  parameter.codeType = byte ? byte : IntegerType::get(inner.getContext(), 8);
  parameter.codes.resize(countElements(grid));
  if (byte) {
    auto bare = BlockAttr::get(inner.getContext(), inner.getCodec(), inner.getBlock(), {}, {}, {});
    return qtensor::decodeTensor(data.front(), grid, bare, parameter.codes, emitError);
  }
  for (auto [code, raw] : llvm::zip_equal(parameter.codes, data.front()))
    code = static_cast<uint8_t>(raw);
  return success();
}

LogicalResult qtensor::loadParameter(WeightParameter &parameter, bool isScale, ArrayRef<int64_t> block,
                                     ArrayRef<int64_t> grid, ArrayRef<ArrayRef<char>> &components, EmitErrorFn emitError) {
  ArrayRef<ArrayRef<char>> own = components;
  FailureOr<ParamValues> loaded = loadParam(parameter.attr, 0, grid, components, emitError);
  if (failed(loaded))
    return failure();
  if (!parameter.attr)
    return success();
  for (int64_t cell = 0, count = countElements(grid); cell < count; ++cell)
    parameter.values.push_back((*loaded)[cell]);
  if (!parameter.attr.isData())
    parameter.type = Float32Type::get(parameter.attr.getContext());
  else
    parameter.type = getParameterType(parameter.attr, parameter.values);
  return loadNested(parameter, isScale, block, grid, own, emitError);
}

void qtensor::appendElement(std::vector<uint8_t> &bytes, Type type, float value) {
  uint64_t raw = toBits(type, value);
  for (unsigned byte = 0; byte < type.getIntOrFloatBitWidth() / 8; ++byte)
    bytes.push_back(raw >> (8 * byte));
}
