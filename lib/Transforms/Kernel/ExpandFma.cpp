// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A fused multiply-add of f32 on a machine that has none, in vectors and with the same bits.
//
// The product of two f32 has 48 bits and is exact in f64. Its sum with the third operand, in f64, is rounded to odd: to
// itself if it is exact, else to whichever neighbour has an odd last bit. An odd last bit, 29 places below those of an
// f32, keeps the value off the midpoints between two f32 and on its side of them, so rounding it once more to f32 gives
// what one rounding of the exact sum would have given: rounding to odd with at least two more bits and then to nearest is
// rounding to nearest (S. Boldo and G. Melquiond, "Emulation of FMA and correctly rounded sums", IEEE Transactions on
// Computers 57, 2008). Subnormal f32 results have fewer bits, so the same holds for them; neither the product nor the sum
// can leave the range of f64.
#include "lib/Transforms/Kernel/Passes.h"
#include "lib/Transforms/RewriteGreedily.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_EXPANDFMA
#include "lib/Transforms/Kernel/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;

namespace {
struct ExpandFmaPattern : OpRewritePattern<math::FmaOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::FmaOp op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getType()).isF32())
      return rewriter.notifyMatchFailure(op, "only f32 has an f64 that holds its products");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto withElement = [&](Type element) -> Type {
      auto vector = dyn_cast<VectorType>(op.getType());
      return vector ? Type(vector.clone(element)) : element;
    };
    Type f64 = withElement(b.getF64Type()), i64 = withElement(b.getI64Type());
    auto widen = [&](Value value) -> Value { return arith::ExtFOp::create(b, f64, value); };
    Value product = arith::MulFOp::create(b, widen(op.getA()), widen(op.getB()));
    Value rounded = roundSumToOdd(b, product, widen(op.getC()), i64);
    rewriter.replaceOpWithNewOp<arith::TruncFOp>(op, op.getType(), rounded);
    return success();
  }

private:
  static Value roundSumToOdd(ImplicitLocOpBuilder &b, Value x, Value y, Type i64) {
    auto constant = [&](Type type, TypedAttr element) -> Value {
      if (auto vector = dyn_cast<VectorType>(type))
        return arith::ConstantOp::create(b, DenseElementsAttr::get(vector, cast<Attribute>(element)));
      return arith::ConstantOp::create(b, element);
    };
    auto integer = [&](int64_t value) { return constant(i64, b.getI64IntegerAttr(value)); };
    // What the sum lost, exactly (Knuth's two-sum).
    Value sum = arith::AddFOp::create(b, x, y), fromY = arith::SubFOp::create(b, sum, x);
    Value fromX = arith::SubFOp::create(b, sum, fromY);
    Value lost = arith::AddFOp::create(b, arith::SubFOp::create(b, x, fromX), arith::SubFOp::create(b, y, fromY));
    // Infinities and NaN lose "NaN", which is not unequal to 0 in order.
    Value zero = constant(x.getType(), b.getF64FloatAttr(0));
    Value inexact = arith::CmpFOp::create(b, arith::CmpFPredicate::ONE, lost, zero);
    // One step towards what was lost: up in magnitude where its sign is the sum's.
    Value bits = arith::BitcastOp::create(b, i64, sum), one = integer(1);
    Value differs = arith::ShRUIOp::create(b, arith::XOrIOp::create(b, bits, arith::BitcastOp::create(b, i64, lost)), integer(63));
    Value step = arith::SubIOp::create(b, one, arith::ShLIOp::create(b, differs, one));
    Value isEven = arith::SubIOp::create(b, arith::AndIOp::create(b, bits, one), one);
    step = arith::SelectOp::create(b, inexact, arith::AndIOp::create(b, step, isEven), integer(0));
    return arith::BitcastOp::create(b, x.getType(), arith::AddIOp::create(b, bits, step));
  }
};

struct ExpandFmaPass : qtensor::impl::ExpandFmaBase<ExpandFmaPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandFmaPattern>(&getContext());
    if (failed(qtensor::rewriteGreedily(*this, getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
