// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Plan/SizeExpressions.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::qtensor;

AffineExpr SizeExpressions::symbol(Value value) {
  symbols.push_back(value);
  return getAffineSymbolExpr(symbols.size() - 1, main.getContext());
}

AffineExpr SizeExpressions::get(Value value) {
  if (AffineExpr expr = known.lookup(value))
    return expr;
  APInt constant;
  AffineExpr expr;
  if (matchPattern(value, m_ConstantInt(&constant))) {
    expr = getAffineConstantExpr(constant.getSExtValue(), main.getContext());
  } else if (auto dim = value.getDefiningOp<memref::DimOp>(); dim && dim.getConstantIndex()) {
    AffineExpr &shared = extents[{dim.getSource(), *dim.getConstantIndex()}];
    expr = shared = shared ? shared : symbol(value);
  } else if (Operation *op = value.getDefiningOp(); op && op->getNumOperands() == 2) {
    expr = llvm::TypeSwitch<Operation *, AffineExpr>(op)
               .Case<arith::AddIOp>([&](auto add) { return get(add.getLhs()) + get(add.getRhs()); })
               .Case<arith::SubIOp>([&](auto sub) { return get(sub.getLhs()) - get(sub.getRhs()); })
               .Case<arith::MulIOp>([&](auto mul) { return get(mul.getLhs()) * get(mul.getRhs()); })
               .Default([&](Operation *) { return symbol(value); });
  } else {
    expr = symbol(value);
  }
  return known[value] = expr;
}

AffineExpr SizeExpressions::bytesOf(memref::AllocOp alloc) {
  MemRefType type = alloc.getType();
  int64_t width = type.getElementType().isIndex() ? 8 : llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  AffineExpr bytes = getAffineConstantExpr(width, main.getContext());
  auto dynamic = alloc.getDynamicSizes().begin();
  for (int64_t extent : type.getShape())
    bytes = ShapedType::isDynamic(extent) ? bytes * get(*dynamic++) : bytes * extent;
  return bytes;
}

int64_t SizeExpressions::guess(AffineExpr bytes) {
  constexpr int64_t typicalExtent = 64;
  if (auto constant = dyn_cast<AffineConstantExpr>(bytes))
    return constant.getValue();
  auto binary = dyn_cast<AffineBinaryOpExpr>(bytes);
  if (!binary)
    return typicalExtent;
  int64_t lhs = guess(binary.getLHS()), rhs = guess(binary.getRHS());
  return binary.getKind() == AffineExprKind::Add ? lhs + rhs : lhs * rhs;
}

Value SizeExpressions::clone(Value value, OpBuilder &b, llvm::function_ref<Value(BlockArgument, int64_t)> extent,
                             IRMapping &map) {
  if (Value done = map.lookupOrNull(value))
    return done;
  Operation *op = value.getDefiningOp();
  if (auto dim = dyn_cast_or_null<memref::DimOp>(op)) {
    auto argument = dyn_cast<BlockArgument>(dim.getSource());
    if (argument && argument.getOwner() == &main.front() && dim.getConstantIndex()) {
      Value result = extent(argument, *dim.getConstantIndex());
      map.map(value, result);
      return result;
    }
  }
  if (!op || op->getNumRegions() || !isPure(op) || isa<memref::DimOp>(op))
    return {};
  for (Value operand : op->getOperands())
    if (!clone(operand, b, extent, map))
      return {};
  b.clone(*op, map);
  return map.lookup(value);
}

LogicalResult SizeExpressions::materialize(OpBuilder &b, llvm::function_ref<Value(BlockArgument, int64_t)> extent,
                                           SmallVectorImpl<Value> &values) {
  IRMapping map;
  for (Value symbol : symbols) {
    Value value = clone(symbol, b, extent, map);
    if (!value)
      return emitError(symbol.getLoc(), "the size of a temporary buffer depends on the values of an input; only sizes "
                                        "that follow from the extents of the inputs can be planned");
    values.push_back(value);
  }
  return success();
}

namespace {
/// The extent of merged dimensions is the product of theirs.
struct DimOfCollapse : OpRewritePattern<memref::DimOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(memref::DimOp op, PatternRewriter &rewriter) const override {
    auto collapse = op.getSource().getDefiningOp<memref::CollapseShapeOp>();
    std::optional<int64_t> dim = op.getConstantIndex();
    if (!collapse || !dim)
      return rewriter.notifyMatchFailure(op, "not the extent of merged dimensions");
    Value product;
    for (int64_t part : collapse.getReassociationIndices()[*dim]) {
      Value extent = rewriter.createOrFold<memref::DimOp>(op.getLoc(), collapse.getSrc(), part);
      product = product ? rewriter.createOrFold<arith::MulIOp>(op.getLoc(), product, extent) : extent;
    }
    rewriter.replaceOp(op, product);
    return success();
  }
};
} // namespace

void mlir::qtensor::resolveExtents(func::FuncOp main) {
  MLIRContext *context = main.getContext();
  RewritePatternSet patterns(context);
  patterns.add<DimOfCollapse>(context);
  memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
  memref::DimOp::getCanonicalizationPatterns(patterns, context);
  // What is left if this gives up is found, and reported, where a size is materialized.
  (void)applyPatternsGreedily(main, std::move(patterns));
}
