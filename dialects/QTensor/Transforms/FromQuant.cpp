// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// !quant.uniform => block encodings; scales of axes and blocks move out of the type into constants.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "dialects/QTensor/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_FROMQUANT
#include "dialects/QTensor/Transforms/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// What a quantized type says, in our terms.
struct Converted {
  RankedTensorType type;           ///< Encoded; null where there is no equivalent.
  DenseElementsAttr scales, zeros; ///< Of the grid's shape; null where the encoding has no such data.
};
} // namespace

static quant::QuantizedType getQuantized(Type type) {
  return dyn_cast<quant::QuantizedType>(getElementTypeOrSelf(type));
}

/// The integer codec of a storage type and range, or null after a diagnostic.
static CodecAttr getStorageCodec(quant::QuantizedType type, function_ref<InFlightDiagnostic()> emitError) {
  unsigned bits = type.getStorageTypeIntegralWidth();
  int64_t lowest = quant::QuantizedType::getDefaultMinimumForInteger(type.isSigned(), bits);
  int64_t highest = quant::QuantizedType::getDefaultMaximumForInteger(type.isSigned(), bits);
  bool narrow = type.getStorageTypeMin() == lowest + 1;
  if ((type.getStorageTypeMin() != lowest && !narrow) || type.getStorageTypeMax() != highest || (narrow && bits < 2)) {
    emitError() << "clause U1: storage range " << type.getStorageTypeMin() << ":" << type.getStorageTypeMax()
                << " is neither the full nor the narrow range of " << bits << " bits; clamp explicitly instead";
    return {};
  }
  IntStyle style = type.isSigned() ? IntStyle::Signed : IntStyle::Unsigned;
  return CodecAttr::get(type.getContext(), bits, CodecKind::Int, style, 0, narrow, 0, 0, 0, FloatSpecials::Finite, false,
                        {}, TieRule::Even, {}, {});
}

static ParamAttr getScalarParam(MLIRContext *context, double value) {
  return ParamAttr::get(context, FloatAttr::get(Float64Type::get(context), value), false, {});
}

/// The scales (as f32) and zero points (as codes) of a per-axis or sub-channel type, in row-major order of the grid.
static void getTables(quant::QuantizedType type, SmallVectorImpl<float> &scales, SmallVectorImpl<APInt> &zeros,
                      unsigned width) {
  auto addZero = [&](int64_t zero) { zeros.push_back(APInt(width, uint64_t(zero), true, /*implicitTrunc=*/true)); };
  if (auto axis = dyn_cast<quant::UniformQuantizedPerAxisType>(type)) {
    for (double scale : axis.getScales())
      scales.push_back(float(scale));
    for (int64_t zero : axis.getZeroPoints())
      addZero(zero);
    return;
  }
  auto blocks = cast<quant::UniformQuantizedSubChannelType>(type);
  for (APFloat scale : blocks.getScales().getValues<APFloat>())
    scales.push_back(float(scale.convertToDouble()));
  for (APInt zero : blocks.getZeroPoints().getValues<APInt>())
    addZero(type.isSigned() ? zero.getSExtValue() : int64_t(zero.getZExtValue()));
}

static SmallVector<int64_t> getBlock(quant::QuantizedType type, int64_t rank) {
  SmallVector<int64_t> block(rank, ShapedType::kDynamic);
  if (auto axis = dyn_cast<quant::UniformQuantizedPerAxisType>(type))
    block[axis.getQuantizedDimension()] = 1;
  else if (auto blocks = dyn_cast<quant::UniformQuantizedSubChannelType>(type))
    for (auto [dim, size] : blocks.getBlockSizeInfo())
      block[dim] = size;
  return block;
}

static Converted convertType(Type type, function_ref<InFlightDiagnostic()> emitError) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  quant::QuantizedType quantized = getQuantized(type);
  if (!tensor || tensor.getEncoding() ||
      !isa<quant::UniformQuantizedType, quant::UniformQuantizedPerAxisType, quant::UniformQuantizedSubChannelType>(
          quantized)) {
    emitError() << "clause U1: only ranked tensors of uniform quantized types have an encoding, got " << type;
    return {};
  }
  CodecAttr codec = getStorageCodec(quantized, emitError);
  if (!codec)
    return {};
  MLIRContext *context = type.getContext();
  Converted result;
  SmallVector<int64_t> block = getBlock(quantized, tensor.getRank());
  ParamAttr scale, zero;
  if (auto uniform = dyn_cast<quant::UniformQuantizedType>(quantized)) {
    scale = getScalarParam(context, uniform.getScale());
    if (uniform.getZeroPoint() != 0)
      zero = getScalarParam(context, double(uniform.getZeroPoint()));
  } else {
    SmallVector<float> scales;
    SmallVector<APInt> zeros;
    getTables(quantized, scales, zeros, codec.getStorageType().getIntOrFloatBitWidth());
    scale = ParamAttr::get(context, TypeAttr::get(Float32Type::get(context)), false, {});
    SmallVector<int64_t> grid = BlockAttr::get(context, codec, block, scale, {}, {}).getGrid(tensor.getShape());
    auto gridType = RankedTensorType::get(grid, Float32Type::get(context));
    if (!gridType.hasStaticShape() || gridType.getNumElements() != int64_t(scales.size())) {
      emitError() << "clause U1: " << scales.size() << " scales do not fit the grid of " << type;
      return {};
    }
    result.scales = DenseElementsAttr::get(gridType, ArrayRef<float>(scales));
    if (llvm::any_of(zeros, [](const APInt &value) { return !value.isZero(); })) {
      zero = ParamAttr::get(context, codec, false, {});
      result.zeros = DenseElementsAttr::get(RankedTensorType::get(grid, codec.getStorageType()), zeros);
    }
  }
  result.type = RankedTensorType::get(tensor.getShape(), quantized.getExpressedType(),
                                      BlockAttr::get(context, codec, block, scale, zero, {}));
  return result;
}

/// The constants that a tensor of this type carries besides its codes.
static SmallVector<Value> makeParams(OpBuilder &builder, Location loc, const Converted &converted) {
  SmallVector<Value> params;
  for (DenseElementsAttr data : {converted.scales, converted.zeros})
    if (data)
      params.push_back(arith::ConstantOp::create(builder, loc, data));
  return params;
}

/// `codes` with elements of `width` bits.
static Value resizeCodes(OpBuilder &builder, Location loc, Value codes, Type element, bool isSigned) {
  auto type = cast<RankedTensorType>(codes.getType());
  unsigned from = type.getElementTypeBitWidth(), to = element.getIntOrFloatBitWidth();
  RankedTensorType resized = type.clone(element);
  if (from == to)
    return codes;
  if (from > to)
    return arith::TruncIOp::create(builder, loc, resized, codes);
  return isSigned ? Value(arith::ExtSIOp::create(builder, loc, resized, codes))
                  : Value(arith::ExtUIOp::create(builder, loc, resized, codes));
}

static Value replaceStorageCast(OpBuilder &builder, quant::StorageCastOp op, const Converted &source,
                                const Converted &result) {
  Location loc = op.getLoc();
  if (result.type) {
    auto codec = getBlockEncoding(result.type).getCodec();
    bool isSigned = codec.getIntStyle() == IntStyle::Signed;
    Value codes = resizeCodes(builder, loc, op.getInput(), codec.getStorageType(), isSigned);
    SmallVector<Value> components{codes};
    llvm::append_range(components, makeParams(builder, loc, result));
    return AssembleOp::create(builder, loc, result.type, components);
  }
  auto codec = getBlockEncoding(source.type).getCodec();
  auto storage = RankedTensorType::get(source.type.getShape(), codec.getStorageType());
  Value codes = ComponentOp::create(builder, loc, storage, op.getInput(), "codes");
  Type element = getElementTypeOrSelf(op.getResult().getType());
  return resizeCodes(builder, loc, codes, element, codec.getIntStyle() == IntStyle::Signed);
}

namespace {
struct FromQuantPass : public mlir::qtensor::impl::FromQuantBase<FromQuantPass> {
  void runOnOperation() override {
    if (failed(collect()))
      return signalPassFailure();
    for (auto &[value, converted] : types)
      value.setType(converted.type);
    getOperation().walk([&](Operation *op) { rewrite(op); });
  }

private:
  /// Finds the equivalent of the type of every quantized value.
  LogicalResult collect() {
    auto add = [&](Value value) -> LogicalResult {
      if (!getQuantized(value.getType()))
        return success();
      Converted converted = convertType(value.getType(), [&] { return emitError(value.getLoc()); });
      types[value] = converted;
      return success(converted.type != nullptr);
    };
    WalkResult result = getOperation().walk([&](Operation *op) {
      bool ok = llvm::all_of(op->getResults(), [&](Value value) { return succeeded(add(value)); });
      for (Region &region : op->getRegions())
        for (Block &block : region)
          ok = ok && llvm::all_of(block.getArguments(), [&](Value value) { return succeeded(add(value)); });
      return ok ? WalkResult::advance() : WalkResult::interrupt();
    });
    return failure(result.wasInterrupted());
  }

  void rewrite(Operation *op) {
    OpBuilder builder(op);
    Value replacement;
    if (auto function = dyn_cast<FunctionOpInterface>(op))
      return convertSignature(function);
    if (auto cast = dyn_cast<quant::QuantizeCastOp>(op)) {
      const Converted &converted = types[cast.getResult()];
      replacement = QuantizeOp::create(builder, op->getLoc(), converted.type, cast.getInput(),
                                       makeParams(builder, op->getLoc(), converted), ValueRange(), StringAttr());
    } else if (auto cast = dyn_cast<quant::DequantizeCastOp>(op)) {
      replacement = DequantizeOp::create(builder, op->getLoc(), op->getResult(0).getType(), cast.getInput());
    } else if (auto cast = dyn_cast<quant::StorageCastOp>(op)) {
      replacement = replaceStorageCast(builder, cast, types.lookup(cast.getInput()), types.lookup(cast.getResult()));
    }
    if (!replacement)
      return;
    op->getResult(0).replaceAllUsesWith(replacement);
    op->erase();
  }

  /// Arguments have their types already; results are those of a type alone where there is no body.
  static void convertSignature(FunctionOpInterface function) {
    auto convert = [&](Type type) -> Type {
      return getQuantized(type) ? convertType(type, [&] { return function.emitError(); }).type : type;
    };
    auto inputs = llvm::map_to_vector(function.getArgumentTypes(), convert);
    auto results = llvm::map_to_vector(function.getResultTypes(), convert);
    if (!llvm::is_contained(inputs, Type()) && !llvm::is_contained(results, Type()))
      function.setType(function.cloneTypeWith(inputs, results));
  }

  DenseMap<Value, Converted> types;
};
} // namespace
