// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Block encodings => !quant.uniform, where scales and zero points are known.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "dialects/QTensor/Transforms/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "qtensor/Codec.h"
#include <cmath>

namespace mlir::qtensor {
#define GEN_PASS_DEF_TOQUANT
#include "dialects/QTensor/Transforms/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

using EmitErrorRef = function_ref<InFlightDiagnostic()>;

namespace {
/// Parameters of a tensor as upstream's types hold them: one value, or one per cell of the grid.
struct Params {
  SmallVector<double> scales;
  SmallVector<int64_t> zeros;
};
} // namespace

/// The operands that hold the data parameters of a value, scales before zero points.
static ValueRange getParamOperands(Value value) {
  if (auto quantize = value.getDefiningOp<QuantizeOp>())
    return quantize.getParams();
  if (auto assemble = value.getDefiningOp<AssembleOp>())
    return assemble.getComponents().drop_front();
  return {};
}

/// Numbers of one parameter: its scalar, or the constant at the front of `operands`.
static LogicalResult readParam(ParamAttr param, double absent, ValueRange &operands, SmallVectorImpl<double> &numbers,
                               EmitErrorRef emitError) {
  if (!param || param.getScalar()) {
    numbers.push_back(param ? *param.getScalar() : absent);
    return success();
  }
  if (isa<BlockAttr>(param.getValue()) || !param.getOwnBlock().empty())
    return emitError() << "clause U2: upstream's types have no encoded parameters, and none with blocks of their own";
  DenseElementsAttr data;
  if (operands.empty() || !matchPattern(operands.front(), m_Constant(&data)))
    return emitError() << "clause U2: upstream's types hold their scales, so these must be scalars of the encoding or "
                          "constants of the op that makes the tensor";
  operands = operands.drop_front();
  double sign = param.getNegated() ? -1 : 1;
  if (isa<FloatType>(data.getElementType())) {
    for (APFloat number : data.getValues<APFloat>())
      numbers.push_back(sign * number.convertToDouble());
    return success();
  }
  auto codec = cast<CodecAttr>(param.getValue());
  for (APInt number : data.getValues<APInt>())
    numbers.push_back(sign * decodeCode(codec, uint32_t(number.getZExtValue())));
  return success();
}

static FailureOr<Params> readParams(Value value, BlockAttr encoding, EmitErrorRef emitError) {
  Params params;
  SmallVector<double> zeros;
  ValueRange operands = getParamOperands(value);
  if (encoding.getOffset())
    return emitError() << "clause U2: upstream's types have no offset", failure();
  if (failed(readParam(encoding.getScale(), 1.0, operands, params.scales, emitError)) ||
      failed(readParam(encoding.getZero(), 0.0, operands, zeros, emitError)))
    return failure();
  if (params.scales.size() == 1)
    params.scales.resize(zeros.size(), params.scales.front());
  if (zeros.size() == 1)
    zeros.resize(params.scales.size(), zeros.front());
  for (double zero : zeros) {
    if (zero != std::nearbyint(zero))
      return emitError() << "clause U2: zero point " << zero << " is not an integer", failure();
    params.zeros.push_back(int64_t(zero));
  }
  return params;
}

/// The uniform type with these parameters in the form that its blocks ask for.
static Type makeQuantized(RankedTensorType tensor, BlockAttr encoding, const Params &params, EmitErrorRef emitError) {
  CodecAttr codec = encoding.getCodec();
  bool isSigned = codec.getIntStyle() == IntStyle::Signed;
  CodecRange range = getCodecRange(codec);
  int64_t low = int64_t(range.lowest), high = int64_t(range.highest);
  unsigned flags = isSigned ? quant::QuantizationFlags::Signed : 0;
  Type storage = IntegerType::get(tensor.getContext(), codec.getBits()), expressed = tensor.getElementType();
  SmallVector<int32_t> dims;
  SmallVector<int64_t> sizes;
  for (auto [dim, size] : llvm::enumerate(encoding.getBlock()))
    if (!ShapedType::isDynamic(size)) {
      dims.push_back(int32_t(dim));
      sizes.push_back(size);
    }
  if (dims.empty())
    return quant::UniformQuantizedType::getChecked(emitError, flags, storage, expressed, params.scales.front(),
                                                   params.zeros.front(), low, high);
  if (dims.size() == 1 && sizes.front() == 1)
    return quant::UniformQuantizedPerAxisType::getChecked(emitError, flags, storage, expressed, params.scales,
                                                          params.zeros, dims.front(), low, high);
  SmallVector<int64_t> grid = encoding.getGrid(tensor.getShape());
  SmallVector<APFloat> scales;
  SmallVector<APInt> zeros;
  for (double scale : params.scales) {
    bool inexact;
    scales.emplace_back(scale).convert(cast<FloatType>(expressed).getFloatSemantics(), APFloat::rmNearestTiesToEven,
                                       &inexact);
  }
  for (int64_t zero : params.zeros)
    zeros.emplace_back(codec.getBits(), uint64_t(zero), isSigned, /*implicitTrunc=*/true);
  auto gridType = RankedTensorType::get(grid, expressed);
  if (!gridType.hasStaticShape() || gridType.getNumElements() != int64_t(scales.size()))
    return emitError() << "clause U2: scales of blocks need a static shape and one scale a block", Type();
  return quant::UniformQuantizedSubChannelType::getChecked(
      emitError, flags, storage, expressed, DenseElementsAttr::get(gridType, scales),
      DenseElementsAttr::get(gridType.clone(storage), zeros), dims, sizes, low, high);
}

/// The upstream type of an encoded value, or null after a diagnostic.
static RankedTensorType convertType(Value value, BlockAttr encoding) {
  auto tensor = cast<RankedTensorType>(value.getType());
  auto emit = [&] { return emitError(value.getLoc()); };
  CodecAttr codec = encoding.getCodec();
  if (codec.getKind() != CodecKind::Int || codec.getIntStyle() == IntStyle::Offset)
    return emit() << "clause U2: upstream's types are affine integers; " << codec << " is none", RankedTensorType();
  FailureOr<Params> params = readParams(value, encoding, emit);
  Type element = failed(params) ? Type() : makeQuantized(tensor, encoding, *params, emit);
  return element ? RankedTensorType::get(tensor.getShape(), element) : RankedTensorType();
}

/// Codes as upstream stores them, with the codec's own width.
static Value resizeCodes(OpBuilder &builder, Location loc, Value codes, RankedTensorType type, bool isSigned) {
  unsigned from = cast<RankedTensorType>(codes.getType()).getElementTypeBitWidth(), to = type.getElementTypeBitWidth();
  if (from == to)
    return codes;
  if (from > to)
    return arith::TruncIOp::create(builder, loc, type, codes);
  return isSigned ? Value(arith::ExtSIOp::create(builder, loc, type, codes))
                  : Value(arith::ExtUIOp::create(builder, loc, type, codes));
}

namespace {
struct ToQuantPass : public mlir::qtensor::impl::ToQuantBase<ToQuantPass> {
  void runOnOperation() override {
    SmallVector<std::pair<Value, RankedTensorType>> types;
    if (failed(collect(types)))
      return signalPassFailure();
    for (auto [value, type] : types)
      value.setType(type);
    WalkResult result = getOperation().walk([&](Operation *op) {
      return succeeded(rewrite(op)) ? WalkResult::advance() : WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

private:
  LogicalResult collect(SmallVectorImpl<std::pair<Value, RankedTensorType>> &types) {
    bool ok = true;
    auto add = [&](Value value) {
      if (BlockAttr encoding = getBlockEncoding(value.getType()))
        types.push_back({value, convertType(value, encoding)});
      ok &= types.empty() || types.back().second;
    };
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      llvm::for_each(op->getResults(), add);
      for (Region &region : op->getRegions())
        for (Block &block : region)
          llvm::for_each(block.getArguments(), add);
      return ok ? WalkResult::advance() : WalkResult::interrupt();
    });
    return success(ok);
  }

  static LogicalResult rewrite(Operation *op) {
    OpBuilder builder(op);
    Location loc = op->getLoc();
    Value replacement;
    if (auto function = dyn_cast<FunctionOpInterface>(op))
      return convertSignature(function);
    if (auto quantize = dyn_cast<QuantizeOp>(op)) {
      replacement = quant::QuantizeCastOp::create(builder, loc, quantize.getResult().getType(), quantize.getSource());
    } else if (auto dequantize = dyn_cast<DequantizeOp>(op)) {
      replacement =
          quant::DequantizeCastOp::create(builder, loc, dequantize.getResult().getType(), dequantize.getSource());
    } else if (auto assemble = dyn_cast<AssembleOp>(op)) {
      auto type = cast<RankedTensorType>(assemble.getResult().getType());
      auto quantized = cast<quant::QuantizedType>(type.getElementType());
      auto storage = RankedTensorType::get(type.getShape(), quantized.getStorageType());
      Value codes = resizeCodes(builder, loc, assemble.getComponents().front(), storage, false);
      replacement = quant::StorageCastOp::create(builder, loc, type, codes);
    } else if (auto component = dyn_cast<ComponentOp>(op)) {
      if (component.getName() != "codes")
        return op->emitError() << "clause U2: upstream has no access to the parameters of a quantized tensor";
      auto type = cast<RankedTensorType>(component.getSource().getType());
      auto quantized = cast<quant::QuantizedType>(type.getElementType());
      Value codes = quant::StorageCastOp::create(
          builder, loc, RankedTensorType::get(type.getShape(), quantized.getStorageType()), component.getSource());
      replacement = resizeCodes(builder, loc, codes, cast<RankedTensorType>(component.getResult().getType()),
                                quantized.isSigned());
    }
    if (!replacement)
      return success();
    op->getResult(0).replaceAllUsesWith(replacement);
    op->erase();
    return success();
  }

  /// Results of functions take the types of what is returned.
  static LogicalResult convertSignature(FunctionOpInterface function) {
    SmallVector<Type> inputs(function.getArgumentTypes()), results(function.getResultTypes());
    if (function.isExternal()) {
      if (llvm::any_of(inputs, getBlockEncoding) || llvm::any_of(results, getBlockEncoding))
        return function.emitError() << "clause U2: a function without a body does not say its scales";
      return success();
    }
    Region &body = function.getFunctionBody();
    inputs.assign(body.getArgumentTypes().begin(), body.getArgumentTypes().end());
    for (Block &block : body)
      if (Operation *terminator = block.getTerminator(); terminator->hasTrait<OpTrait::ReturnLike>())
        results.assign(terminator->getOperandTypes().begin(), terminator->getOperandTypes().end());
    function.setType(function.cloneTypeWith(inputs, results));
    return success();
  }
};
} // namespace
