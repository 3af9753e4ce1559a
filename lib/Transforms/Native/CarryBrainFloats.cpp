// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// bf16 as its bits: what it computes is computed as f32, and what moves is i16. LLVM carries a bf16 that the processor
// does not know as f32, and calls the compiler's library to make 16 bits of it again, where older systems lack that
// function.
#include "lib/Transforms/Native/CarryBrainFloats.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;

LogicalResult mlir::qtensor::computeBrainFloatsWide(Operation *root) {
  MLIRContext *context = root->getContext();
  TypeConverter converter;
  Type narrow = BFloat16Type::get(context), wide = Float32Type::get(context);
  arith::populateEmulateUnsupportedFloatsConversions(converter, narrow, wide);
  ConversionTarget target(*context);
  arith::populateEmulateUnsupportedFloatsLegality(target, converter);
  RewritePatternSet patterns(context);
  arith::populateEmulateUnsupportedFloatsPatterns(patterns, converter);
  return applyPartialConversion(root, target, std::move(patterns));
}

namespace {
/// Through the f32 that is next to the number towards zero, with its last bit set where it is not exact: rounding that
/// is rounding the number.
struct NarrowDouble : OpRewritePattern<arith::TruncFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::TruncFOp op, PatternRewriter &rewriter) const override {
    Value exact = op.getIn();
    if (!getElementTypeOrSelf(op.getType()).isBF16() || !getElementTypeOrSelf(exact).isF64())
      return rewriter.notifyMatchFailure(op, "does not make bf16 of f64");
    ImplicitLocOpBuilder b(op.getLoc(), rewriter);
    auto shaped = dyn_cast<ShapedType>(exact.getType());
    auto typeOf = [&](Type element) { return shaped ? Type(shaped.clone(element)) : element; };
    Type single = typeOf(b.getF32Type()), word = typeOf(b.getI32Type());
    Value near = arith::TruncFOp::create(b, single, exact), back = arith::ExtFOp::create(b, exact.getType(), near);
    Value bits = arith::BitcastOp::create(b, word, near), one = arith::ConstantOp::create(b, b.getOneAttr(word));
    Value beyond = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, math::AbsFOp::create(b, back),
                                         math::AbsFOp::create(b, exact));
    Value below = arith::SelectOp::create(b, beyond, arith::SubIOp::create(b, bits, one), bits);
    Value differs = arith::CmpFOp::create(b, arith::CmpFPredicate::ONE, back, exact);
    bits = arith::SelectOp::create(b, differs, arith::OrIOp::create(b, below, one), bits);
    rewriter.replaceOpWithNewOp<arith::TruncFOp>(op, op.getType(), arith::BitcastOp::create(b, single, bits));
    return success();
  }
};

struct WidenToDouble : OpRewritePattern<arith::ExtFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::ExtFOp op, PatternRewriter &rewriter) const override {
    if (!getElementTypeOrSelf(op.getIn()).isBF16() || !getElementTypeOrSelf(op.getType()).isF64())
      return rewriter.notifyMatchFailure(op, "does not make f64 of bf16");
    auto shaped = dyn_cast<ShapedType>(op.getType());
    Type single = shaped ? Type(shaped.clone(rewriter.getF32Type())) : rewriter.getF32Type();
    Value wide = arith::ExtFOp::create(rewriter, op.getLoc(), single, op.getIn());
    rewriter.replaceOpWithNewOp<arith::ExtFOp>(op, op.getType(), wide);
    return success();
  }
};
} // namespace

void mlir::qtensor::populateBrainFloatConversions(RewritePatternSet &patterns) {
  patterns.add<NarrowDouble, WidenToDouble>(patterns.getContext());
  arith::populateExpandBFloat16Patterns(patterns);
}

static bool isBrainFloat(Type type) { return getElementTypeOrSelf(type).isBF16(); }

/// Whether bits are not enough for an op: mathematics that was not widened before.
static bool computes(Operation *op) {
  if (!isa_and_nonnull<arith::ArithDialect, math::MathDialect>(op->getDialect()) ||
      isa<arith::ConstantOp, arith::SelectOp, arith::BitcastOp>(op))
    return false;
  return llvm::any_of(op->getOperandTypes(), isBrainFloat) || llvm::any_of(op->getResultTypes(), isBrainFloat);
}

void mlir::qtensor::carryBrainFloatsAsBits(Operation *root) {
  auto stop = [](Operation *op) { return computes(op) ? WalkResult::interrupt() : WalkResult::advance(); };
  if (root->walk(stop).wasInterrupted())
    return;
  AttrTypeReplacer replacer;
  replacer.addReplacement([](BFloat16Type type) -> Type { return IntegerType::get(type.getContext(), 16); });
  replacer.addReplacement([](FloatAttr number) -> std::optional<Attribute> {
    if (!number.getType().isBF16())
      return std::nullopt;
    return IntegerAttr::get(IntegerType::get(number.getContext(), 16), number.getValue().bitcastToAPInt());
  });
  replacer.addReplacement([](DenseFPElementsAttr numbers) -> std::optional<Attribute> {
    if (!numbers.getElementType().isBF16())
      return std::nullopt;
    return numbers.bitcast(IntegerType::get(numbers.getContext(), 16));
  });
  // The root's own attributes describe the artifact, whose tensors are bf16 as before.
  for (Region &region : root->getRegions())
    for (Operation &op : region.getOps())
      replacer.recursivelyReplaceElementsIn(&op, /*replaceAttrs=*/true, /*replaceLocs=*/false, /*replaceTypes=*/true);
}
