// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Inputs and results of a float model as codes, so that no float is left in front of it or behind it.
#include "dialects/QTensor/IR/ModuleAttrs.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Calibrate/Statistics.h"
#include "lib/Calibrate/ValueNames.h"
#include "lib/Quantize/Passes.h"
#include "lib/Quantize/StaticRange.h"
#include "lib/Transforms/Select/Attention.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_QUANTIZEINTERFACE
#include "lib/Quantize/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

/// What the caller must know of codes.
static void describeCodes(BlockAttr encoding, llvm::function_ref<void(StringRef, Attribute)> set) {
  Builder b(encoding.getContext());
  int64_t zero = encoding.getZero() ? int64_t(*encoding.getZero().getScalar()) : 0;
  set("qtensor.scale", b.getF32FloatAttr(float(*encoding.getScale().getScalar())));
  set("qtensor.zero", b.getI64IntegerAttr(zero));
  if (encoding.getCodec().getIntStyle() == IntStyle::Unsigned)
    set("qtensor.dtype", TypeAttr::get(IntegerType::get(b.getContext(), encoding.getCodec().getBits(), IntegerType::Unsigned)));
}

namespace {
struct QuantizeInterface : mlir::qtensor::impl::QuantizeInterfaceBase<QuantizeInterface> {
  using QuantizeInterfaceBase::QuantizeInterfaceBase;

  void runOnOperation() override;

private:
  void takeCodes(func::FuncOp main, unsigned index);
  bool returnOwnCodes(func::FuncOp main, unsigned index);
  LogicalResult returnCodes(func::FuncOp main, unsigned index, const Statistics &ranges);
};
} // namespace

/// Whether codes of `encoding` are plain integers whose meaning are two numbers.
static bool isDescribable(BlockAttr encoding) {
  return encoding.isStatic() && encoding.getCodec().getKind() == CodecKind::Int && encoding.getScale() &&
         !encoding.getOffset() && encoding.getCodec().getIntStyle() != IntStyle::Offset;
}

/// An argument that is only read as codes of one encoding becomes those codes.
void QuantizeInterface::takeCodes(func::FuncOp main, unsigned index) {
  BlockArgument argument = main.getArgument(index);
  SmallVector<QuantizeOp> reads;
  for (Operation *user : argument.getUsers()) {
    auto read = dyn_cast<QuantizeOp>(user);
    if (!read || !read.getParams().empty() || (!reads.empty() && read.getType() != reads.front().getType()))
      return;
    reads.push_back(read);
  }
  if (reads.empty())
    return;
  auto type = cast<RankedTensorType>(reads.front().getType());
  BlockAttr encoding = getBlockEncoding(type);
  if (!isDescribable(encoding))
    return;
  SmallVector<Component> components;
  encoding.getComponents(type.getShape(), &getContext(), components);
  argument.setType(components.front().type);
  OpBuilder b = OpBuilder::atBlockBegin(&main.front());
  Value codes = AssembleOp::create(b, argument.getLoc(), type, argument);
  for (QuantizeOp read : reads) {
    read.replaceAllUsesWith(codes);
    read.erase();
  }
  describeCodes(encoding, [&](StringRef key, Attribute value) { main.setArgAttr(index, key, value); });
}

/// A result that the model itself decodes last is returned before that.
bool QuantizeInterface::returnOwnCodes(func::FuncOp main, unsigned index) {
  auto ret = cast<func::ReturnOp>(main.front().getTerminator());
  auto read = ret.getOperand(index).getDefiningOp<DequantizeOp>();
  BlockAttr encoding = read ? getBlockEncoding(read.getSource().getType()) : BlockAttr();
  if (!encoding || !isDescribable(encoding) ||
      !llvm::all_of(encoding.getBlock(), [](int64_t extent) { return ShapedType::isDynamic(extent); }))
    return false;
  OpBuilder b(ret);
  ret.setOperand(index, ComponentOp::create(b, read.getLoc(), read.getSource(), "codes"));
  describeCodes(encoding, [&](StringRef name, Attribute value) { main.setResultAttr(index, name, value); });
  return true;
}

/// A float result is rounded to the range that calibration saw.
LogicalResult QuantizeInterface::returnCodes(func::FuncOp main, unsigned index, const Statistics &ranges) {
  auto ret = cast<func::ReturnOp>(main.front().getTerminator());
  Value result = ret.getOperand(index);
  auto type = dyn_cast<RankedTensorType>(result.getType());
  if (!type || !type.getElementType().isF32() || !type.hasStaticShape())
    return success();
  std::string key = nameOfResult(main, index);
  const ValueStatistics *range = ranges.lookup(key);
  // A softmax has the range that its published integer rule gives it, whatever samples reached.
  ValueStatistics whole;
  if (range && succeeded(matchSoftmax(result))) {
    whole = *range;
    whole.min = 0;
    whole.max = 255.0 / 256;
    range = &whole;
  }
  FailureOr<FormatChoice> choice =
      chooseStaticFormat(&getContext(), activations, type.getRank(), {}, range, key, [&] { return main.emitError(); });
  if (failed(choice))
    return failure();
  auto encoding = cast<BlockAttr>(choice->encoding);
  OpBuilder b(ret);
  auto encoded = RankedTensorType::get(type.getShape(), type.getElementType(), encoding);
  Value rounded = QuantizeOp::create(b, result.getLoc(), encoded, result, ValueRange(), ValueRange(), StringAttr());
  ret.setOperand(index, ComponentOp::create(b, result.getLoc(), rounded, "codes"));
  describeCodes(encoding, [&](StringRef name, Attribute value) { main.setResultAttr(index, name, value); });
  return success();
}

void QuantizeInterface::runOnOperation() {
  auto main = getOperation().lookupSymbol<func::FuncOp>("main");
  // A file of codes says itself what is outside.
  bool isStatic = isStaticSpelling(activations);
  if (!isStatic && getOperation()->hasAttr(kRoundingAttr))
    return;
  FailureOr<Statistics> ranges = Statistics::load(&getContext(), statistics);
  if (!main || failed(ranges))
    return signalPassFailure();
  if (results)
    for (unsigned i = 0; i < main.getNumResults(); ++i)
      if (!returnOwnCodes(main, i) && isStatic && failed(returnCodes(main, i, *ranges)))
        return signalPassFailure();
  if (!results)
    for (unsigned i = 0; i < main.getNumArguments(); ++i)
      takeCodes(main, i);
  main.setType(FunctionType::get(&getContext(), main.front().getArgumentTypes(), main.front().getTerminator()->getOperandTypes()));
}
