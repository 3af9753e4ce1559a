// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Native/Passes.h"
#include "lib/Transforms/RewriteGreedily.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_EXPANDROUNDING
#include "lib/Transforms/Native/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;

namespace {
/// An f32 of 2^23 and more is whole, as are infinities; NaN stays. Below, it fits an i32. The sign of a zero is the
/// operand's. Of an f64 these are 2^52 and an i64.
template <typename OpTy>
struct ExpandToWhole : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    Type type = op.getType();
    bool isWide = getElementTypeOrSelf(type).isF64();
    if (!isWide && !getElementTypeOrSelf(type).isF32())
      return rewriter.notifyMatchFailure(op, "takes f32 and f64");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto shaped = dyn_cast<ShapedType>(type);
    auto number = [&](double value) -> Value {
      TypedAttr scalar = b.getFloatAttr(getElementTypeOrSelf(type), value);
      return arith::ConstantOp::create(b, shaped ? TypedAttr(DenseElementsAttr::get(shaped, Attribute(scalar))) : scalar);
    };
    Value x = op.getOperand();
    Type code = b.getIntegerType(isWide ? 64 : 32), whole = shaped ? Type(shaped.clone(code)) : code;
    Value small = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, math::AbsFOp::create(b, x),
                                        number(isWide ? 0x1p52 : 0x1p23));
    Value inside = arith::SelectOp::create(b, small, x, number(0));
    Value result = arith::SIToFPOp::create(b, type, arith::FPToSIOp::create(b, whole, inside));
    if (std::is_same_v<OpTy, math::FloorOp>) {
      Value above = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, result, inside);
      result = arith::SelectOp::create(b, above, arith::SubFOp::create(b, result, number(1)), result);
    } else if (std::is_same_v<OpTy, math::CeilOp>) {
      Value below = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, result, inside);
      result = arith::SelectOp::create(b, below, arith::AddFOp::create(b, result, number(1)), result);
    }
    Value signedResult = math::CopySignOp::create(b, result, x);
    rewriter.replaceOpWithNewOp<arith::SelectOp>(op, small, signedResult, x);
    return success();
  }
};

struct ExpandRounding : mlir::qtensor::impl::ExpandRoundingBase<ExpandRounding> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ExpandToWhole<math::FloorOp>, ExpandToWhole<math::CeilOp>, ExpandToWhole<math::TruncOp>>(&getContext());
    math::populateExpansionPatterns(patterns, {"roundeven", "round"});
    if (failed(qtensor::rewriteGreedily(*this, getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
