// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// qtensor.requantize on i32 accumulators => integer arithmetic on elements, in i64. No product here has more than 62 bits,
// and every shift amount is bounded before it is used, so all steps are exact.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Integer/EmitFixedPoint.h"
#include "lib/Transforms/Integer/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "qtensor/Codec.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_LOWERREQUANTIZE
#include "lib/Transforms/Integer/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;

/// The code of one element, in the container of the codec.
static Value emitCode(RequantizeOp op, Wide w, Value accumulator, Value multiplier, Value shift) {
  BlockAttr encoding = getBlockEncoding(op.getType());
  CodecAttr codec = encoding.getCodec();
  FinalMapAttr map = op.getMap();
  Value wide = accumulator.getType().isInteger(64) ? accumulator : w.extend(accumulator);
  Value mapped = map.getFixed() ? mapFixed(w, wide, multiplier, shift, map.getMode())
                                : mapReal(w, wide, multiplier, map.getRounding());
  int64_t zero = encoding.getZero() ? int64_t(*encoding.getZero().getScalar()) : 0;
  CodecRange range = getCodecRange(codec);
  Value code = w.clamp(w.add(mapped, w.constant(zero)), int64_t(op.getLow()), int64_t(op.getHigh()));
  code = w.clamp(code, int64_t(range.lowest), int64_t(range.highest));
  if (codec.getIntStyle() == IntStyle::Offset)
    code = w.add(code, w.constant(codec.getIntOffset()));
  return arith::TruncIOp::create(w.b, codec.getStorageType(), code);
}

static LogicalResult lower(RequantizeOp op) {
  BlockAttr encoding = getBlockEncoding(op.getType());
  CodecAttr codec = encoding.getCodec();
  // Products of the 16-bit form fit 64 bits; those of the others with an i64 would not.
  bool narrow = op.getMap().getFixed() && op.getMap().getMode() == FixedMode::X16;
  if (!narrow && !cast<RankedTensorType>(op.getAccumulator().getType()).getElementType().isInteger(32))
    return op.emitOpError("has accumulators that are not i32, whose products with a multiplier of 32 bits do not fit 64; ")
           << "use fixed<x16>";
  if (codec.getBits() > 16 || !encoding.isStatic())
    return op.emitOpError("needs a result whose parameters are numbers, and codes of at most 16 bits");
  ImplicitLocOpBuilder b(op.getLoc(), op);
  int64_t rank = cast<RankedTensorType>(op.getType()).getRank();
  SmallVector<Value> inputs{op.getAccumulator()}, numbers{op.getMultiplier()};
  SmallVector<AffineMap> maps{b.getMultiDimIdentityMap(rank)};
  if (op.getShift())
    numbers.push_back(op.getShift());
  for (Value &number : numbers) {
    if (!op.getAxis()) {
      Value first = arith::ConstantIndexOp::create(b, 0);
      number = tensor::ExtractOp::create(b, number, first);
      continue;
    }
    inputs.push_back(number);
    maps.push_back(AffineMap::get(rank, 0, b.getAffineDimExpr(*op.getAxis())));
  }
  maps.push_back(maps.front());
  Value out = tensor::EmptyOp::create(b, tensor::getMixedSizes(b, op.getLoc(), op.getAccumulator()),
                                      codec.getStorageType());
  SmallVector<utils::IteratorType> iterators(rank, utils::IteratorType::parallel);
  auto generic = linalg::GenericOp::create(
      b, out.getType(), inputs, out, maps, iterators, [&](OpBuilder &inner, Location loc, ValueRange elements) {
        ImplicitLocOpBuilder body(loc, inner);
        ValueRange of = op.getAxis() ? elements.drop_front() : ValueRange(numbers);
        Value code = emitCode(op, Wide(body), elements[0], of[0], op.getShift() ? of[1] : Value());
        linalg::YieldOp::create(body, code);
      });
  // Shapes may agree without being equal: the component takes the type that the encoding gives it.
  SmallVector<Component> components;
  encoding.getComponents(cast<RankedTensorType>(op.getType()).getShape(), op.getContext(), components);
  Value codes = generic.getResult(0);
  if (codes.getType() != components.front().type)
    codes = tensor::CastOp::create(b, components.front().type, codes);
  op.replaceAllUsesWith(AssembleOp::create(b, op.getType(), ValueRange(codes)).getResult());
  op.erase();
  return success();
}

namespace {
struct LowerRequantize : mlir::qtensor::impl::LowerRequantizeBase<LowerRequantize> {
  void runOnOperation() override {
    SmallVector<RequantizeOp> ops;
    getOperation()->walk([&](RequantizeOp op) { ops.push_back(op); });
    for (RequantizeOp op : ops)
      if (failed(lower(op)))
        return signalPassFailure();
  }
};
} // namespace
