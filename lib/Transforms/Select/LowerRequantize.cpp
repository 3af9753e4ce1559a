// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// qtensor.requantize on i32 accumulators => integer arithmetic on elements, in i64. No product here has more than 62 bits,
// and every shift amount is bounded before it is used, so all steps are exact.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Select/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "qtensor/Codec.h"
#include <limits>

namespace mlir::qtensor {
#define GEN_PASS_DEF_LOWERREQUANTIZE
#include "lib/Transforms/Select/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// Scalar arithmetic in i64 (comparisons in i1).
class Wide {
public:
  explicit Wide(ImplicitLocOpBuilder &b) : b(b) {}

  Value constant(int64_t value) { return arith::ConstantIntOp::create(b, value, 64); }
  Value extend(Value value) { return arith::ExtSIOp::create(b, b.getI64Type(), value); }
  Value add(Value x, Value y) { return arith::AddIOp::create(b, x, y); }
  Value sub(Value x, Value y) { return arith::SubIOp::create(b, x, y); }
  Value mul(Value x, Value y) { return arith::MulIOp::create(b, x, y); }
  Value both(Value x, Value y) { return arith::AndIOp::create(b, x, y); }
  Value left(Value x, Value bits) { return arith::ShLIOp::create(b, x, bits); }
  Value right(Value x, Value bits) { return arith::ShRSIOp::create(b, x, bits); }
  Value least(Value x, Value y) { return arith::MinSIOp::create(b, x, y); }
  Value most(Value x, Value y) { return arith::MaxSIOp::create(b, x, y); }
  Value clamp(Value x, int64_t low, int64_t high) { return least(most(x, constant(low)), constant(high)); }
  Value select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, condition, x, y); }
  Value compare(arith::CmpIPredicate predicate, Value x, Value y) { return arith::CmpIOp::create(b, predicate, x, y); }
  /// 1 where the condition holds, else 0.
  Value count(Value condition) { return arith::ExtUIOp::create(b, b.getI64Type(), condition); }

  ImplicitLocOpBuilder &b;
};
using arith::CmpIPredicate;
} // namespace

static constexpr int64_t kLow = std::numeric_limits<int32_t>::min(), kHigh = std::numeric_limits<int32_t>::max();

/// value * 2^-bits for bits in [1, 62], rounded.
static Value shiftRounded(Wide w, Value value, Value bits, RoundingMode rounding) {
  Value below = w.right(value, bits), rest = w.sub(value, w.left(below, bits));
  Value half = w.left(w.constant(1), w.sub(bits, w.constant(1)));
  Value negative = w.compare(CmpIPredicate::slt, value, w.constant(0));
  Value above = w.compare(CmpIPredicate::sgt, rest, half), tie = w.compare(CmpIPredicate::eq, rest, half), up;
  switch (rounding) {
  case RoundingMode::Truncate:
    up = w.both(negative, w.compare(CmpIPredicate::ne, rest, w.constant(0)));
    break;
  case RoundingMode::HalfAway:
    up = w.select(negative, above, w.compare(CmpIPredicate::sge, rest, half));
    break;
  case RoundingMode::HalfEven: {
    Value odd = w.compare(CmpIPredicate::ne, w.both(below, w.constant(1)), w.constant(0));
    up = w.select(tie, odd, above);
    break;
  }
  }
  return w.add(below, w.count(up));
}

/// The exact product with an f32, rounded; what is beyond 2^61 stays beyond any code.
static Value mapReal(Wide w, Value accumulator, Value multiplier, RoundingMode rounding) {
  Value bits = w.extend(arith::BitcastOp::create(w.b, w.b.getI32Type(), multiplier));
  Value field = w.both(w.right(bits, w.constant(23)), w.constant(255)), fraction = w.both(bits, w.constant(0x7fffff));
  Value normal = w.compare(CmpIPredicate::ne, field, w.constant(0));
  Value significand = w.add(fraction, w.select(normal, w.constant(0x800000), w.constant(0)));
  Value special = w.compare(CmpIPredicate::eq, field, w.constant(255));
  Value nan = w.both(special, w.compare(CmpIPredicate::ne, fraction, w.constant(0)));
  significand = w.select(nan, w.constant(0), significand);
  Value negative = w.compare(CmpIPredicate::slt, bits, w.constant(0));
  significand = w.select(negative, w.sub(w.constant(0), significand), significand);
  Value product = w.mul(accumulator, significand), exponent = w.sub(w.most(field, w.constant(1)), w.constant(150));
  // To the left: from 2^8 on, a product that is not 0 has left 32 bits.
  Value positive = w.compare(CmpIPredicate::sgt, product, w.constant(0));
  Value zero = w.compare(CmpIPredicate::eq, product, w.constant(0));
  Value beyond = w.select(positive, w.constant(int64_t(1) << 61), w.constant(-(int64_t(1) << 61)));
  Value shifted = w.left(product, w.clamp(exponent, 0, 7));
  Value large = w.select(w.compare(CmpIPredicate::sgt, exponent, w.constant(7)), beyond, shifted);
  large = w.select(zero, product, w.clamp(large, -(int64_t(1) << 61), int64_t(1) << 61));
  Value small = shiftRounded(w, product, w.clamp(w.sub(w.constant(0), exponent), 1, 62), rounding);
  return w.select(w.compare(CmpIPredicate::sge, exponent, w.constant(0)), large, small);
}

/// (value + half a unit) * 2^-bits, ties up; `bits` in [0, 94], |value| at most 2^62.
static Value shiftHalfUp(Wide w, Value value, Value bits) {
  Value bounded = w.clamp(bits, 1, 63), before = w.right(value, w.sub(bounded, w.constant(1)));
  Value rounded = w.add(w.right(value, bounded), w.both(before, w.constant(1)));
  rounded = w.select(w.compare(CmpIPredicate::sgt, bits, w.constant(63)), w.constant(0), rounded);
  return w.select(w.compare(CmpIPredicate::sgt, bits, w.constant(0)), rounded, value);
}

/// gemmlowp: a doubling high multiplication, ties away from zero, then a division, ties away from zero.
static Value mapDouble(Wide w, Value accumulator, Value multiplier, Value shift) {
  Value left = w.clamp(shift, 0, 31), right = w.most(w.sub(w.constant(0), shift), w.constant(0));
  Value product = w.mul(w.clamp(w.left(accumulator, left), kLow, kHigh), multiplier);
  Value negative = w.compare(CmpIPredicate::slt, product, w.constant(0));
  Value nudge = w.select(negative, w.constant(1 - (int64_t(1) << 30)), w.constant(int64_t(1) << 30));
  Value high = arith::DivSIOp::create(w.b, w.add(product, nudge), w.constant(int64_t(1) << 31));
  high = w.least(high, w.constant(kHigh));
  Value bits = w.least(right, w.constant(31)), mask = w.sub(w.left(w.constant(1), bits), w.constant(1));
  Value threshold = w.add(w.right(mask, w.constant(1)), w.count(w.compare(CmpIPredicate::slt, high, w.constant(0))));
  Value up = w.count(w.compare(CmpIPredicate::sgt, w.both(high, mask), threshold));
  Value divided = w.add(w.right(high, bits), up);
  return w.select(w.compare(CmpIPredicate::sgt, right, w.constant(31)), w.constant(0), divided);
}

static Value mapFixed(Wide w, Value accumulator, Value multiplier, Value shift, FixedMode mode) {
  multiplier = w.extend(multiplier);
  shift = w.extend(shift);
  if (mode == FixedMode::Double)
    return mapDouble(w, accumulator, multiplier, shift);
  if (mode == FixedMode::Single)
    return w.clamp(shiftHalfUp(w, w.mul(accumulator, multiplier), w.sub(w.constant(31), shift)), kLow, kHigh);
  Value reduced = w.right(w.add(multiplier, w.constant(1 << 15)), w.constant(16));
  Value product = w.mul(accumulator, w.least(reduced, w.constant(0x7FFF))), bits = w.sub(w.constant(15), shift);
  Value enlarged = w.left(product, w.clamp(w.sub(w.constant(0), bits), 0, 16));
  Value mapped = w.select(w.compare(CmpIPredicate::sle, bits, w.constant(0)), enlarged, shiftHalfUp(w, product, bits));
  return w.clamp(mapped, kLow, kHigh);
}

/// The code of one element, in the container of the codec.
static Value emitCode(RequantizeOp op, Wide w, Value accumulator, Value multiplier, Value shift) {
  BlockAttr encoding = getBlockEncoding(op.getType());
  CodecAttr codec = encoding.getCodec();
  FinalMapAttr map = op.getMap();
  Value wide = w.extend(accumulator);
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
  if (!cast<RankedTensorType>(op.getAccumulator().getType()).getElementType().isInteger(32))
    return op.emitOpError("has accumulators that are not i32; no lowering of them is exact yet");
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
