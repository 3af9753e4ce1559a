// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The 1:N conversion from encoded tensors to their components, and its patterns for qtensor ops.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Select/Components.h"
#include "lib/Transforms/Select/Decompose.h"
#include "lib/Transforms/Select/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/Transforms/Patterns.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_DECOMPOSEENCODINGS
#include "lib/Transforms/Select/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

/// Uninitialised components of a tensor of `type` whose extents are `sizes`.
static SmallVector<Value> makeComponents(OpBuilder &builder, Location loc, RankedTensorType type, BlockAttr encoding,
                                         ArrayRef<OpFoldResult> sizes) {
  SmallVector<Value> values;
  for (const ComponentGrid &grid : getComponentGrids(type, encoding)) {
    SmallVector<OpFoldResult> extents = divideByGrid(builder, loc, sizes, grid.block, /*ceil=*/true);
    values.push_back(tensor::EmptyOp::create(builder, loc, extents, grid.component.type.getElementType()));
  }
  return values;
}

/// Encodes `source` as `encoding`; `params` are the given parameters, or empty.
static ValueRange encode(OpBuilder &builder, Location loc, Value source, ValueRange params, BlockAttr encoding,
                         StringAttr encoder) {
  auto type = cast<RankedTensorType>(source.getType());
  SmallVector<Value> outs =
      makeComponents(builder, loc, type, encoding, tensor::getMixedSizes(builder, loc, source));
  return EncodeOp::create(builder, loc, TypeRange(ValueRange(outs)), source, params, outs, encoding, /*sums=*/false,
                          encoder)
      .getResults();
}

namespace {
struct DecomposeQuantize : OpConversionPattern<QuantizeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(QuantizeOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    if (!op.getStatistics().empty())
      return op.emitOpError("takes statistics, which no encoder of this compiler reads; give parameters instead");
    ValueRange components = encode(rewriter, op.getLoc(), adaptor.getSource(), adaptor.getParams(),
                                   getBlockEncoding(op.getType()), op.getEncoderAttr());
    rewriter.replaceOpWithMultiple(op, ArrayRef<ValueRange>{components});
    return success();
  }
};

struct DecomposeAssemble : OpConversionPattern<AssembleOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(AssembleOp op, OpAdaptor adaptor, ConversionPatternRewriter &rewriter) const override {
    SmallVector<Type> types;
    if (failed(getTypeConverter()->convertType(op.getType(), types)))
      return rewriter.notifyMatchFailure(op, "its type has no components");
    // Shapes may agree without being equal: the components take the types that every user expects.
    SmallVector<Value> components;
    for (auto [value, type] : llvm::zip_equal(adaptor.getComponents(), types))
      components.push_back(value.getType() == type
                               ? value
                               : tensor::CastOp::create(rewriter, op.getLoc(), type, value).getResult());
    rewriter.replaceOpWithMultiple(op, ArrayRef<ValueRange>{ValueRange(components)});
    return success();
  }
};

struct DecomposeComponent : OpConversionPattern<ComponentOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(ComponentOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getSource().getType());
    for (auto [grid, value] : llvm::zip_equal(getComponentGrids(type, getBlockEncoding(type)), adaptor.getSource())) {
      if (grid.component.name != op.getName())
        continue;
      Value result = value;
      if (result.getType() != op.getType())
        result = tensor::CastOp::create(rewriter, op.getLoc(), op.getType(), result);
      rewriter.replaceOp(op, result);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no such component");
  }
};

struct DecomposeInsert : OpConversionPattern<InsertOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(InsertOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getDest().getType());
    BlockAttr encoding = getBlockEncoding(type);
    Location loc = op.getLoc();
    ValueRange pieces = encode(rewriter, loc, adaptor.getSource().front(), {}, encoding, op.getEncoderAttr());
    SmallVector<Value> results;
    SmallVector<OpFoldResult> ones(type.getRank(), rewriter.getIndexAttr(1));
    for (auto [grid, piece, whole] :
         llvm::zip_equal(getComponentGrids(type, encoding), pieces, adaptor.getDest())) {
      SmallVector<OpFoldResult> offsets = divideByGrid(rewriter, loc, op.getMixedOffsets(), grid.block, false);
      SmallVector<OpFoldResult> sizes = divideByGrid(rewriter, loc, op.getMixedSizes(), grid.block, true);
      results.push_back(tensor::InsertSliceOp::create(rewriter, loc, piece, whole, offsets, sizes, ones));
    }
    rewriter.replaceOpWithMultiple(op, ArrayRef<ValueRange>{ValueRange(results)});
    return success();
  }
};

struct DecomposeEncodings : mlir::qtensor::impl::DecomposeEncodingsBase<DecomposeEncodings> {
  void runOnOperation() override {
    inlineRules();
    TypeConverter converter;
    converter.addConversion([](Type type) { return type; });
    converter.addConversion([](RankedTensorType type, SmallVectorImpl<Type> &types) -> std::optional<LogicalResult> {
      BlockAttr encoding = getBlockEncoding(type);
      if (!encoding)
        return std::nullopt;
      for (const ComponentGrid &grid : getComponentGrids(type, encoding))
        types.push_back(grid.component.type);
      return success();
    });
    RewritePatternSet patterns(&getContext());
    ConversionTarget target(getContext());
    target.markUnknownOpDynamicallyLegal([&](Operation *op) { return converter.isLegal(op); });
    populateFunctionDecomposition(converter, patterns, target);
    populateEncodingDecomposition(converter, patterns);
    populateTensorDecomposition(converter, patterns);
    populateReaderDecomposition(converter, patterns);
    scf::populateSCFStructuralTypeConversionsAndLegality(converter, patterns, target);
    if (failed(applyPartialConversion(getOperation(), target, std::move(patterns))))
      signalPassFailure();
  }

private:
  /// No later phase knows integer rules yet, so the body of a qtensor.as is what it means.
  void inlineRules() {
    SmallVector<AsOp> ops;
    getOperation().walk([&](AsOp op) { ops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (AsOp op : ops) {
      Block *body = &op.getBody().front();
      Operation *yield = body->getTerminator();
      rewriter.inlineBlockBefore(body, op, op.getInputs());
      rewriter.replaceOp(op, yield->getOperands());
      rewriter.eraseOp(yield);
    }
  }
};
} // namespace

void qtensor::populateEncodingDecomposition(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<DecomposeQuantize, DecomposeAssemble, DecomposeComponent, DecomposeInsert>(converter,
                                                                                          patterns.getContext());
}
