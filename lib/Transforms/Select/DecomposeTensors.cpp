// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The five tensor ops that may have an encoded result act on every component; extents are those of the codes.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Select/Components.h"
#include "lib/Transforms/Select/Decompose.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
template <typename OpTy>
struct TensorPattern : OpConversionPattern<OpTy> {
  using OpConversionPattern<OpTy>::OpConversionPattern;
  using Adaptor = typename OpConversionPattern<OpTy>::OneToNOpAdaptor;

  /// The components of the result; `grid` says where component `index` of the result is.
  virtual Value rewrite(OpTy op, Adaptor adaptor, unsigned index, const ComponentGrid &grid,
                        ConversionPatternRewriter &rewriter) const = 0;

  LogicalResult matchAndRewrite(OpTy op, Adaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    BlockAttr encoding = getBlockEncoding(type);
    if (!encoding)
      return rewriter.notifyMatchFailure(op, "its result is plain: it reads");
    SmallVector<Value> components;
    for (auto [index, grid] : llvm::enumerate(getComponentGrids(type, encoding)))
      components.push_back(rewrite(op, adaptor, index, grid, rewriter));
    rewriter.replaceOpWithMultiple(op, ArrayRef<ValueRange>{ValueRange(components)});
    return success();
  }
};

struct DecomposeEmpty : TensorPattern<tensor::EmptyOp> {
  using TensorPattern::TensorPattern;
  Value rewrite(tensor::EmptyOp op, Adaptor, unsigned, const ComponentGrid &grid,
                ConversionPatternRewriter &rewriter) const override {
    SmallVector<OpFoldResult> sizes =
        divideByGrid(rewriter, op.getLoc(), op.getMixedSizes(), grid.block, /*ceil=*/true);
    return tensor::EmptyOp::create(rewriter, op.getLoc(), sizes, grid.component.type.getElementType());
  }
};

struct DecomposeCast : TensorPattern<tensor::CastOp> {
  using TensorPattern::TensorPattern;
  Value rewrite(tensor::CastOp op, Adaptor adaptor, unsigned index, const ComponentGrid &grid,
                ConversionPatternRewriter &rewriter) const override {
    Value source = adaptor.getSource()[index];
    return source.getType() == grid.component.type
               ? source
               : tensor::CastOp::create(rewriter, op.getLoc(), grid.component.type, source).getResult();
  }
};

struct DecomposeSlice : TensorPattern<tensor::ExtractSliceOp> {
  using TensorPattern::TensorPattern;
  Value rewrite(tensor::ExtractSliceOp op, Adaptor adaptor, unsigned index, const ComponentGrid &grid,
                ConversionPatternRewriter &rewriter) const override {
    SmallVector<OpFoldResult> ones(grid.block.size(), rewriter.getIndexAttr(1));
    SmallVector<OpFoldResult> offsets = divideByGrid(rewriter, op.getLoc(), op.getMixedOffsets(), grid.block, false);
    SmallVector<OpFoldResult> sizes = divideByGrid(rewriter, op.getLoc(), op.getMixedSizes(), grid.block, true);
    return tensor::ExtractSliceOp::create(rewriter, op.getLoc(), grid.component.type, adaptor.getSource()[index],
                                          offsets, sizes, ones);
  }
};

struct DecomposeCollapse : TensorPattern<tensor::CollapseShapeOp> {
  using TensorPattern::TensorPattern;
  Value rewrite(tensor::CollapseShapeOp op, Adaptor adaptor, unsigned index, const ComponentGrid &grid,
                ConversionPatternRewriter &rewriter) const override {
    return tensor::CollapseShapeOp::create(rewriter, op.getLoc(), grid.component.type, adaptor.getSrc()[index],
                                           op.getReassociationIndices());
  }
};

struct DecomposeExpand : TensorPattern<tensor::ExpandShapeOp> {
  using TensorPattern::TensorPattern;
  Value rewrite(tensor::ExpandShapeOp op, Adaptor adaptor, unsigned index, const ComponentGrid &grid,
                ConversionPatternRewriter &rewriter) const override {
    SmallVector<OpFoldResult> sizes =
        divideByGrid(rewriter, op.getLoc(), op.getMixedOutputShape(), grid.block, /*ceil=*/true);
    return tensor::ExpandShapeOp::create(rewriter, op.getLoc(), grid.component.type, adaptor.getSrc()[index],
                                         op.getReassociationIndices(), sizes);
  }
};

struct DecomposeDim : OpConversionPattern<tensor::DimOp> {
  using OpConversionPattern::OpConversionPattern;
  LogicalResult matchAndRewrite(tensor::DimOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    rewriter.replaceOpWithNewOp<tensor::DimOp>(op, adaptor.getSource().front(), adaptor.getIndex().front());
    return success();
  }
};
} // namespace

void qtensor::populateTensorDecomposition(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<DecomposeEmpty, DecomposeCast, DecomposeSlice, DecomposeCollapse, DecomposeExpand, DecomposeDim>(
      converter, patterns.getContext());
}
