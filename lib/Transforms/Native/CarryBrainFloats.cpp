// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// bf16 as its bits: what it computes is computed as f32, and what moves is i16. LLVM carries a bf16 that the processor
// does not know as f32, and calls the compiler's library to make 16 bits of it again, where older systems lack that
// function.
#include "lib/Transforms/Native/CarryBrainFloats.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
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

static bool isBrainFloat(Type type) { return getElementTypeOrSelf(type).isBF16(); }

/// Whether bits are not enough for an op: conversions and mathematics that nothing expands, as of f64.
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
