// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Models that come quantized decode in front of every op. Contractions read the encoded tensors themselves; what stands
// between a rounding and a contraction moves in front of the rounding.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Quantize/ConstantData.h"
#include "lib/Quantize/Passes.h"
#include "lib/Transforms/RewriteGreedily.h"
#include "lib/Transforms/Select/Components.h"
#include "lib/Transforms/Select/Contraction.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"
#include "mlir/IR/Matchers.h"
#include "qtensor/Codec.h"
#include "qtensor/Encode.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_FOLDDECODES
#include "lib/Quantize/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

/// True when 0.0 has a code of its own and a whole tensor shares all parameters, so that rounding commutes with
/// padding.
static bool keepsZero(BlockAttr encoding) {
  if (!encoding.isStatic() || encoding.getOffset() || encoding.getCodec().getKind() != CodecKind::Int ||
      !llvm::all_of(encoding.getBlock(), ShapedType::isDynamic))
    return false;
  double zero = encoding.getZero() ? *encoding.getZero().getScalar() : 0;
  CodecRange range = getCodecRange(encoding.getCodec());
  return zero == std::trunc(zero) && zero >= range.lowest && zero <= range.highest;
}

/// `encoding` on dimensions split or merged by a reshape from `from` to `to`, or null.
static BlockAttr reshapeEncoding(BlockAttr encoding, RankedTensorType from, RankedTensorType to,
                                 ArrayRef<ReassociationIndices> groups) {
  if (from.getRank() > to.getRank()) // collapse
    return collapseEncoding(encoding, from.getShape(), groups);
  if (!encoding.isStatic() || !llvm::all_of(encoding.getBlock(), ShapedType::isDynamic))
    return {};
  return BlockAttr::get(encoding.getContext(), encoding.getCodec(),
                        SmallVector<int64_t>(to.getRank(), ShapedType::kDynamic), encoding.getScale(),
                        encoding.getZero(), encoding.getOffset());
}

static RankedTensorType withEncoding(RankedTensorType type, Attribute encoding) {
  return RankedTensorType::get(type.getShape(), type.getElementType(), encoding);
}

namespace {
/// contraction(dequantize(q)) reads q.
struct ReadEncoded : OpInterfaceRewritePattern<linalg::LinalgOp> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(linalg::LinalgOp op, PatternRewriter &rewriter) const override {
    if (failed(matchContraction(op)))
      return rewriter.notifyMatchFailure(op, "it is no contraction");
    bool changed = false;
    for (OpOperand *operand : op.getDpsInputOperands()) {
      auto dequantize = operand->get().getDefiningOp<DequantizeOp>();
      if (!dequantize || dequantize.getSource().getType().getShape() != dequantize.getType().getShape())
        continue;
      rewriter.modifyOpInPlace(op, [&] { operand->set(dequantize.getSource()); });
      changed = true;
    }
    return success(changed);
  }
};

/// pad(dequantize(quantize(x))) rounds what is padded, where padding is exact.
struct PadBeforeRounding : OpRewritePattern<tensor::PadOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::PadOp pad, PatternRewriter &rewriter) const override {
    auto dequantize = pad.getSource().getDefiningOp<DequantizeOp>();
    auto quantize = dequantize ? dequantize.getSource().getDefiningOp<QuantizeOp>() : QuantizeOp();
    Value padding = pad.getConstantPaddingValue();
    if (!quantize || !quantize.getParams().empty() || !keepsZero(getBlockEncoding(quantize.getType())) || !padding ||
        !matchPattern(padding, m_AnyZeroFloat()))
      return rewriter.notifyMatchFailure(pad, "it does not pad a statically encoded tensor with 0.0");
    IRMapping mapping;
    mapping.map(pad.getSource(), quantize.getSource());
    auto wide = cast<tensor::PadOp>(rewriter.clone(*pad, mapping));
    auto type = withEncoding(wide.getResultType(), getBlockEncoding(quantize.getType()));
    auto rounded = QuantizeOp::create(rewriter, quantize.getLoc(), type, wide, ValueRange(), ValueRange(),
                                      quantize.getEncoderAttr());
    rewriter.replaceOpWithNewOp<DequantizeOp>(pad, pad.getResultType(), rounded);
    return success();
  }
};

/// pad(dequantize(assemble(codes))) pads the codes with the code of 0.0.
struct PadCodes : OpRewritePattern<tensor::PadOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::PadOp pad, PatternRewriter &rewriter) const override {
    auto dequantize = pad.getSource().getDefiningOp<DequantizeOp>();
    auto assemble = dequantize ? dequantize.getSource().getDefiningOp<AssembleOp>() : AssembleOp();
    Value padding = pad.getConstantPaddingValue();
    if (!assemble || !keepsZero(getBlockEncoding(assemble.getType())) || !padding ||
        !matchPattern(padding, m_AnyZeroFloat()))
      return rewriter.notifyMatchFailure(pad, "it does not pad statically encoded codes with 0.0");
    BlockAttr encoding = getBlockEncoding(assemble.getType());
    Value codes = assemble.getComponents().front();
    auto container = dyn_cast<IntegerType>(getElementTypeOrSelf(codes.getType()));
    std::optional<uint32_t> zero = findZeroCode(encoding);
    if (!zero || !container || container.getWidth() != encoding.getCodec().getBits())
      return rewriter.notifyMatchFailure(pad, "the code of 0.0 does not fill its container");
    Value code = arith::ConstantOp::create(rewriter, pad.getLoc(),
                                           rewriter.getIntegerAttr(container, APInt(container.getWidth(), *zero)));
    auto type = RankedTensorType::get(pad.getResultType().getShape(), container);
    Value padded = tensor::PadOp::create(rewriter, pad.getLoc(), type, codes, pad.getMixedLowPad(),
                                         pad.getMixedHighPad(), code, pad.getNofold());
    Value whole = AssembleOp::create(rewriter, assemble.getLoc(), withEncoding(pad.getResultType(), encoding), padded);
    rewriter.replaceOpWithNewOp<DequantizeOp>(pad, pad.getResultType(), whole);
    return success();
  }

private:
  static std::optional<uint32_t> findZeroCode(BlockAttr encoding) {
    double zero = encoding.getZero() ? *encoding.getZero().getScalar() : 0;
    for (uint32_t code = 0; encoding.getCodec().getBits() <= 16 && code < encoding.getCodec().getNumCodes(); ++code)
      if (decodeCode(encoding.getCodec(), code) == zero)
        return code;
    return std::nullopt;
  }
};

/// transpose(dequantize(q)) decodes transposed codes, or what is transposed in front of a rounding, where all of q
/// shares its parameters.
struct TransposeEncoded : OpRewritePattern<linalg::TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::TransposeOp op, PatternRewriter &rewriter) const override {
    auto dequantize = op.getInput().getDefiningOp<DequantizeOp>();
    BlockAttr encoding = dequantize ? getBlockEncoding(dequantize.getSource().getType()) : BlockAttr();
    if (!encoding || !encoding.isStatic() || !llvm::all_of(encoding.getBlock(), ShapedType::isDynamic) ||
        !cast<RankedTensorType>(op.getInit().getType()).hasStaticShape())
      return rewriter.notifyMatchFailure(op, "it does not transpose a statically encoded tensor");
    Location loc = op.getLoc();
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    RankedTensorType encoded = withEncoding(type, encoding);
    Value source = dequantize.getSource(), moved;
    if (auto quantize = source.getDefiningOp<QuantizeOp>(); quantize && quantize.getParams().empty()) {
      Value real = transpose(rewriter, loc, quantize.getSource(), op.getPermutation());
      moved = QuantizeOp::create(rewriter, quantize.getLoc(), encoded, real, ValueRange(), ValueRange(),
                                 quantize.getEncoderAttr());
    } else {
      Value codes = ComponentOp::create(rewriter, loc, source, "codes");
      moved = AssembleOp::create(rewriter, loc, encoded, transpose(rewriter, loc, codes, op.getPermutation()));
    }
    rewriter.replaceOpWithNewOp<DequantizeOp>(op, type, moved);
    return success();
  }

private:
  static Value transpose(OpBuilder &b, Location loc, Value value, ArrayRef<int64_t> order) {
    auto type = cast<RankedTensorType>(value.getType());
    Value empty = tensor::EmptyOp::create(b, loc, applyPermutation(type.getShape(), order), type.getElementType());
    return linalg::TransposeOp::create(b, loc, value, empty, order)->getResult(0);
  }
};

/// reshape(dequantize(q)) decodes the reshaped q, where blocks stay whole.
template <typename ReshapeOp> struct ReshapeEncoded : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern<ReshapeOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    auto dequantize = op.getSrc().template getDefiningOp<DequantizeOp>();
    BlockAttr encoding = dequantize ? getBlockEncoding(dequantize.getSource().getType()) : BlockAttr();
    if (!encoding)
      return rewriter.notifyMatchFailure(op, "its source is not decoded");
    BlockAttr reshaped = reshapeEncoding(encoding, op.getSrcType(), op.getResultType(), op.getReassociationIndices());
    if (!reshaped)
      return rewriter.notifyMatchFailure(op, "it splits blocks");
    IRMapping mapping;
    mapping.map(op.getSrc(), dequantize.getSource());
    Operation *clone = rewriter.clone(*op, mapping);
    clone->getResult(0).setType(withEncoding(op.getResultType(), reshaped));
    rewriter.replaceOpWithNewOp<DequantizeOp>(op, op.getResultType(), clone->getResult(0));
    return success();
  }
};

/// reshape(assemble(constants)) assembles reshaped constants: the same bytes under another shape.
template <typename ReshapeOp> struct ReshapeConstant : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern<ReshapeOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    auto assemble = op.getSrc().template getDefiningOp<AssembleOp>();
    BlockAttr encoding = getBlockEncoding(op.getResultType());
    if (!assemble || !encoding)
      return rewriter.notifyMatchFailure(op, "it does not reshape an assembly");
    SmallVector<Component> components;
    encoding.getComponents(op.getResultType().getShape(), op.getContext(), components);
    SmallVector<TypedAttr> values;
    for (auto [operand, component] : llvm::zip_equal(assemble.getComponents(), components)) {
      ElementsAttr value;
      if (!matchPattern(operand, m_Constant(&value)) || !component.type.hasStaticShape())
        return rewriter.notifyMatchFailure(op, "a component is no constant");
      if (auto dense = dyn_cast<DenseElementsAttr>(value))
        values.push_back(dense.reshape(component.type));
      else if (auto resource = dyn_cast<DenseResourceElementsAttr>(value))
        values.push_back(DenseResourceElementsAttr::get(component.type, resource.getRawHandle()));
      else
        return rewriter.notifyMatchFailure(op, "a component is of an unknown kind");
    }
    SmallVector<Value> constants;
    for (TypedAttr value : values)
      constants.push_back(arith::ConstantOp::create(rewriter, assemble.getLoc(), value));
    rewriter.replaceOpWithNewOp<AssembleOp>(op, op.getResultType(), constants);
    return success();
  }
};

/// dequantize(assemble(constants)) that no contraction reads (a bias) is a constant.
struct DecodeConstant : OpRewritePattern<DequantizeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(DequantizeOp op, PatternRewriter &rewriter) const override {
    constexpr int64_t kMaxElements = int64_t(1) << 14; // larger tables stay encoded
    auto assemble = op.getSource().getDefiningOp<AssembleOp>();
    auto type = cast<RankedTensorType>(op.getType());
    bool contracted = llvm::any_of(op->getUsers(), [](Operation *user) { return succeeded(matchContraction(user)); });
    if (!assemble || contracted || !type.getElementType().isF32() || !type.hasStaticShape() ||
        type.getNumElements() > kMaxElements)
      return rewriter.notifyMatchFailure(op, "it is no small constant outside of contractions");
    SmallVector<std::vector<char>> components;
    for (Value component : assemble.getComponents()) {
      ElementsAttr value;
      if (!matchPattern(component, m_Constant(&value)))
        return rewriter.notifyMatchFailure(op, "a component is no constant");
      components.push_back(readBytes(value));
    }
    std::vector<float> values(type.getNumElements());
    if (failed(decodeTensor(llvm::to_vector_of<ArrayRef<char>>(components), type.getShape(),
                            getBlockEncoding(assemble.getType()), values, [&] { return op.emitError(); })))
      return failure();
    const char *bytes = reinterpret_cast<const char *>(values.data());
    std::vector<char> copy(bytes, bytes + values.size() * sizeof(float));
    rewriter.replaceOp(op, makeConstant(rewriter, op.getLoc(), type, std::move(copy), "decoded"));
    return success();
  }
};

struct FoldDecodes : mlir::qtensor::impl::FoldDecodesBase<FoldDecodes> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ReadEncoded, PadBeforeRounding, PadCodes, DecodeConstant, TransposeEncoded,
                 ReshapeEncoded<tensor::CollapseShapeOp>, ReshapeEncoded<tensor::ExpandShapeOp>,
                 ReshapeConstant<tensor::CollapseShapeOp>, ReshapeConstant<tensor::ExpandShapeOp>>(&getContext());
    if (failed(rewriteGreedily(*this, getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
