// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Views of buffers that split one extent into several unknown ones.
#include "lib/Transforms/Native/Passes.h"
#include "lib/Transforms/RewriteGreedily.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_RESOLVEEXPANDSHAPES
#include "lib/Transforms/Native/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;

/// Where the type states a number, that number; else the value.
static SmallVector<OpFoldResult> statedOr(OpBuilder &b, ArrayRef<int64_t> stated, ArrayRef<OpFoldResult> values) {
  SmallVector<OpFoldResult> out;
  for (auto [number, value] : llvm::zip_equal(stated, values))
    out.push_back(ShapedType::isDynamic(number) ? value : OpFoldResult(b.getIndexAttr(number)));
  return out;
}

static OpFoldResult multiply(OpBuilder &b, Location loc, OpFoldResult x, OpFoldResult y) {
  AffineExpr product = b.getAffineSymbolExpr(0) * b.getAffineSymbolExpr(1);
  return affine::makeComposedFoldedAffineApply(b, loc, product, {x, y});
}

namespace {
struct ResolveExpandShape : OpRewritePattern<memref::ExpandShapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(memref::ExpandShapeOp op, PatternRewriter &rewriter) const override {
    MemRefType type = op.getResultType();
    SmallVector<ReassociationIndices> groups = op.getReassociationIndices();
    bool isAmbiguous = llvm::any_of(groups, [&](ArrayRef<int64_t> group) {
      return llvm::count_if(group, [&](int64_t dim) { return type.isDynamicDim(dim); }) > 1;
    });
    SmallVector<int64_t> strides;
    int64_t offset = 0;
    if (!isAmbiguous || failed(type.getStridesAndOffset(strides, offset)))
      return failure();
    Location loc = op.getLoc();
    auto source = memref::ExtractStridedMetadataOp::create(rewriter, loc, op.getSrc());
    SmallVector<OpFoldResult> sizes = op.getMixedOutputShape(), values(sizes.size());
    for (auto [group, stride] : llvm::zip_equal(groups, source.getConstifiedMixedStrides())) {
      OpFoldResult inner = stride;
      for (int64_t dim : llvm::reverse(group)) {
        values[dim] = inner;
        inner = multiply(rewriter, loc, inner, sizes[dim]);
      }
    }
    rewriter.replaceOpWithNewOp<memref::ReinterpretCastOp>(
        op, type, source.getBaseBuffer(), statedOr(rewriter, {offset}, {source.getConstifiedMixedOffset()}).front(),
        statedOr(rewriter, type.getShape(), sizes), statedOr(rewriter, strides, values));
    return success();
  }
};

struct ResolveExpandShapes : mlir::qtensor::impl::ResolveExpandShapesBase<ResolveExpandShapes> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ResolveExpandShape>(&getContext());
    if (failed(qtensor::rewriteGreedily(*this, getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
