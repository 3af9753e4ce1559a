// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Shapes after everything else has moved: reshapes sink and cancel, extents follow from the arguments, dead ops go.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Normalize/Passes.h"
#include "lib/Transforms/Normalize/Support.h"
#include "lib/Transforms/RewriteGreedily.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_SIMPLIFYSHAPES
#include "lib/Transforms/Normalize/Passes.h.inc"

using namespace normalize;

namespace {
/// A transposition that moves only dimensions of extent 1 is a reshape: no element moves.
class ReshapeUnits : public OpRewritePattern<linalg::TransposeOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::TransposeOp op, PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics() || !getTranspose(op->getResult(0)))
      return rewriter.notifyMatchFailure(op, "not on plain tensors");
    auto source = cast<RankedTensorType>(op.getInput().getType());
    auto result = cast<RankedTensorType>(op->getResult(0).getType());
    SmallVector<int64_t> moved, extents;
    for (int64_t dim : op.getPermutation())
      if (source.getDimSize(dim) != 1)
        moved.push_back(dim);
    if (!llvm::is_sorted(moved))
      return rewriter.notifyMatchFailure(op, "it moves elements");
    for (int64_t dim : moved)
      extents.push_back(source.getDimSize(dim));
    SmallVector<OpFoldResult> sizes =
        permute<OpFoldResult>(tensor::getMixedSizes(rewriter, op.getLoc(), op.getInput()), op.getPermutation());
    Value flat = tensor::CollapseShapeOp::create(rewriter, op.getLoc(), source.clone(extents), op.getInput(),
                                                 groupUnits(source));
    rewriter.replaceOpWithNewOp<tensor::ExpandShapeOp>(op, result, flat, groupUnits(result), sizes);
    return success();
  }

private:
  /// Every dimension together with the units behind it; the first group takes those in front.
  static SmallVector<ReassociationIndices> groupUnits(RankedTensorType type) {
    SmallVector<ReassociationIndices> groups;
    ReassociationIndices leading;
    for (auto [dim, extent] : llvm::enumerate(type.getShape())) {
      if (extent != 1)
        groups.push_back(std::exchange(leading, {}));
      (groups.empty() ? leading : groups.back()).push_back(dim);
    }
    return groups;
  }
};

/// Rounding and decoding keep every extent.
class DimOfRounded : public OpRewritePattern<tensor::DimOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::DimOp op, PatternRewriter &rewriter) const override {
    Operation *producer = op.getSource().getDefiningOp();
    if (!isa_and_nonnull<QuantizeOp, DequantizeOp>(producer))
      return rewriter.notifyMatchFailure(op, "not the extent of a rounded or decoded tensor");
    rewriter.modifyOpInPlace(op, [&] { op.getSourceMutable().assign(producer->getOperand(0)); });
    return success();
  }
};

/// Elementwise ops and reductions behind a contraction whose rows were collapsed work on the rows too.
bool isCollapsible(OpOperand *operand) {
  auto reader = dyn_cast<linalg::GenericOp>(operand->getOwner());
  return operand->get().getDefiningOp<tensor::ExpandShapeOp>() && reader && !linalg::isaContractionOpInterface(reader);
}

struct SimplifyShapes : impl::SimplifyShapesBase<SimplifyShapes> {
  void runOnOperation() override {
    MLIRContext *context = &getContext();
    RewritePatternSet patterns(context);
    patterns.add<ReshapeUnits, DimOfRounded>(context);
    linalg::populateFoldReshapeOpsByCollapsingPatterns(patterns, isCollapsible);
    // Reshapes of reshapes, and of what has no elements of its own.
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, context);
    tensor::populateFoldTensorEmptyPatterns(patterns);
    linalg::FillOp::getCanonicalizationPatterns(patterns, context);
    // Extents: those of results from those of operands, down to the arguments, and static ones into types.
    memref::populateResolveRankedShapedTypeResultDimsPatterns(patterns);
    tensor::DimOp::getCanonicalizationPatterns(patterns, context);
    tensor::EmptyOp::getCanonicalizationPatterns(patterns, context);
    tensor::CastOp::getCanonicalizationPatterns(patterns, context);
    affine::AffineApplyOp::getCanonicalizationPatterns(patterns, context);
    if (failed(qtensor::rewriteGreedily(*this, getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
} // namespace mlir::qtensor
