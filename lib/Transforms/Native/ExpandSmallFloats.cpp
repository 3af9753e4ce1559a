// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Conversions between f32 and floats of one byte, in integer arithmetic that vectorizes: LLVM has no such types. Of f16 too,
// where neither the processor nor its compiler's library has them; and of bf16, which is its bits from then on.
#include "lib/Transforms/Native/CarryBrainFloats.h"
#include "lib/Transforms/Native/Passes.h"
#include "lib/Transforms/RewriteGreedily.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/APFloat.h"
#include <cmath>

namespace mlir::qtensor {
#define GEN_PASS_DEF_EXPANDSMALLFLOATS
#include "lib/Transforms/Native/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;

/// A float of 8 bits with sign and mantissa, read from its semantics; or f16 where that is asked for.
static bool isSmall(Type type, bool halves) {
  auto real = dyn_cast<FloatType>(getElementTypeOrSelf(type));
  return real && ((real.getWidth() == 8 && real.getFPMantissaWidth() > 1) || (halves && real.isF16()));
}

namespace {
/// Emits on scalars or vectors of the shape of `like`.
class Emitter {
public:
  Emitter(PatternRewriter &rewriter, Location loc, Type like, FloatType small)
      : b(loc, rewriter), like(like), semantics(small.getFloatSemantics()), width(small.getWidth()), signBit(int64_t(1) << (width - 1)) {
    mantissa = llvm::APFloat::semanticsPrecision(semantics) - 1;
    bias = 1 - llvm::APFloat::semanticsMinExponent(semantics);
  }

  Value widen(Value x);
  Value narrow(Value x);

private:
  Type typeOf(Type element) {
    auto shaped = dyn_cast<ShapedType>(like);
    return shaped ? Type(shaped.clone(element)) : element;
  }
  Value constant(TypedAttr value) {
    auto shaped = dyn_cast<ShapedType>(like);
    return arith::ConstantOp::create(
        b, shaped ? TypedAttr(DenseElementsAttr::get(shaped.clone(value.getType()), Attribute(value))) : value);
  }
  Value i32(int64_t value) { return constant(b.getI32IntegerAttr(value)); }
  Value f32(double value) { return constant(b.getF32FloatAttr(value)); }
  Value compare(arith::CmpIPredicate predicate, Value x, int64_t y) {
    return arith::CmpIOp::create(b, predicate, x, i32(y));
  }
  Value select(Value condition, Value x, Value y) { return arith::SelectOp::create(b, condition, x, y); }
  int64_t codeOf(const llvm::APFloat &value) { return value.bitcastToAPInt().getZExtValue(); }
  /// Whether 0x80 is NaN and there is neither -0 nor infinity.
  bool isUnsignedZero() {
    return !llvm::APFloat::semanticsHasInf(semantics) && codeOf(llvm::APFloat::getNaN(semantics)) == signBit;
  }

  ImplicitLocOpBuilder b;
  Type like;
  const llvm::fltSemantics &semantics;
  int64_t width, signBit, mantissa, bias;
};
} // namespace

/// The magnitude's bits at the place of f32's are the value times 2^(bias - 127), subnormal or not.
Value Emitter::widen(Value x) {
  Value code = arith::ExtUIOp::create(b, typeOf(b.getI32Type()), arith::BitcastOp::create(b, typeOf(b.getIntegerType(width)), x));
  Value magnitude = arith::AndIOp::create(b, code, i32(signBit - 1));
  Value bits = arith::ShLIOp::create(b, magnitude, i32(23 - mantissa));
  Value value = arith::MulFOp::create(b, arith::BitcastOp::create(b, typeOf(b.getF32Type()), bits),
                                      f32(std::ldexp(1.0, 127 - bias)));
  int64_t nan = codeOf(llvm::APFloat::getNaN(semantics));
  if (llvm::APFloat::semanticsHasInf(semantics)) {
    int64_t infinity = codeOf(llvm::APFloat::getInf(semantics));
    Value special = select(compare(arith::CmpIPredicate::eq, magnitude, infinity), f32(INFINITY), f32(NAN));
    value = select(compare(arith::CmpIPredicate::sge, magnitude, infinity), special, value);
  } else if (!isUnsignedZero()) {
    value = select(compare(arith::CmpIPredicate::eq, magnitude, nan), f32(NAN), value);
  }
  Value sign = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, code, i32(signBit));
  value = select(sign, arith::NegFOp::create(b, value), value);
  return isUnsignedZero() ? select(compare(arith::CmpIPredicate::eq, code, nan), f32(NAN), value) : value;
}

/// The code: rounded to nearest, ties to even. What is too large becomes infinity, or NaN where there is none.
Value Emitter::narrow(Value x) {
  Value bits = arith::BitcastOp::create(b, typeOf(b.getI32Type()), x);
  Value magnitude = arith::AndIOp::create(b, bits, i32(0x7FFFFFFF));
  Value sign = arith::AndIOp::create(b, arith::ShRUIOp::create(b, bits, i32(32 - width)), i32(signBit));
  // Normal: round the bits that go, then move the exponent's bias.
  int64_t gone = 23 - mantissa;
  Value odd = arith::AndIOp::create(b, arith::ShRUIOp::create(b, magnitude, i32(gone)), i32(1));
  Value half = arith::AddIOp::create(b, odd, i32((int64_t(1) << (gone - 1)) - 1));
  Value normal =
      arith::SubIOp::create(b, arith::ShRUIOp::create(b, arith::AddIOp::create(b, magnitude, half), i32(gone)),
                            i32((127 - bias) << mantissa));
  // Subnormal: a multiple of the smallest number.
  Value steps = arith::MulFOp::create(b, arith::BitcastOp::create(b, typeOf(b.getF32Type()), magnitude),
                                      f32(std::ldexp(1.0, bias - 1 + mantissa)));
  Value small = compare(arith::CmpIPredicate::slt, magnitude, (127 - bias + 1) << 23);
  // The other branch may be far outside of the integers.
  Value count =
      arith::FPToSIOp::create(b, typeOf(b.getI32Type()), math::RoundEvenOp::create(b, select(small, steps, f32(0))));
  Value code = select(small, count, normal);
  int64_t largest = codeOf(llvm::APFloat::getLargest(semantics)), nan = codeOf(llvm::APFloat::getNaN(semantics));
  bool hasInfinity = llvm::APFloat::semanticsHasInf(semantics);
  int64_t beyond = hasInfinity ? codeOf(llvm::APFloat::getInf(semantics)) : nan;
  Value over = compare(arith::CmpIPredicate::sgt, code, largest);
  if (hasInfinity)
    over = arith::OrIOp::create(b, over, compare(arith::CmpIPredicate::eq, magnitude, 0x7F800000));
  code = select(over, i32(beyond), code);
  Value isNan = compare(arith::CmpIPredicate::sgt, magnitude, 0x7F800000);
  code = select(isNan, i32(nan), code);
  Value whole = arith::OrIOp::create(b, code, sign);
  if (isUnsignedZero()) // -0 has no code, and NaN no sign
    whole = select(compare(arith::CmpIPredicate::eq, code, 0), i32(0), whole);
  return arith::TruncIOp::create(b, typeOf(b.getIntegerType(width)), whole);
}

namespace {
struct ExpandExtension : OpRewritePattern<arith::ExtFOp> {
  ExpandExtension(MLIRContext *context, bool halves) : OpRewritePattern(context), halves(halves) {}
  LogicalResult matchAndRewrite(arith::ExtFOp op, PatternRewriter &rewriter) const override {
    if (!isSmall(op.getIn().getType(), halves))
      return rewriter.notifyMatchFailure(op, "its operand is no small float");
    Emitter emit(rewriter, op.getLoc(), op.getType(), cast<FloatType>(getElementTypeOrSelf(op.getIn())));
    Value value = emit.widen(op.getIn());
    if (value.getType() != op.getType())
      value = arith::TruncFOp::create(rewriter, op.getLoc(), op.getType(), value); // exact: f16 and bf16 hold them all
    rewriter.replaceOp(op, value);
    return success();
  }

  bool halves;
};

struct ExpandTruncation : OpRewritePattern<arith::TruncFOp> {
  ExpandTruncation(MLIRContext *context, bool halves) : OpRewritePattern(context), halves(halves) {}
  LogicalResult matchAndRewrite(arith::TruncFOp op, PatternRewriter &rewriter) const override {
    if (!isSmall(op.getType(), halves) || getElementTypeOrSelf(op.getIn()).getIntOrFloatBitWidth() > 32)
      return rewriter.notifyMatchFailure(op, "its result is no small float");
    Value source = op.getIn();
    auto shaped = dyn_cast<ShapedType>(source.getType());
    Type wide = shaped ? Type(shaped.clone(rewriter.getF32Type())) : rewriter.getF32Type();
    if (source.getType() != wide)
      source = arith::ExtFOp::create(rewriter, op.getLoc(), wide, source);
    Emitter emit(rewriter, op.getLoc(), wide, cast<FloatType>(getElementTypeOrSelf(op.getType())));
    rewriter.replaceOpWithNewOp<arith::BitcastOp>(op, op.getType(), emit.narrow(source));
    return success();
  }

  bool halves;
};

struct ExpandSmallFloats : mlir::qtensor::impl::ExpandSmallFloatsBase<ExpandSmallFloats> {
  using ExpandSmallFloatsBase::ExpandSmallFloatsBase;

  void runOnOperation() override {
    if (failed(qtensor::computeBrainFloatsWide(getOperation())))
      return signalPassFailure();
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandExtension, ExpandTruncation>(&getContext(), halves);
    qtensor::populateBrainFloatConversions(patterns);
    if (failed(qtensor::rewriteGreedily(*this, getOperation(), std::move(patterns))))
      return signalPassFailure();
    qtensor::carryBrainFloatsAsBits(getOperation());
  }
};
} // namespace
