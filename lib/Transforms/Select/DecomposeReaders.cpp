// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Readers that are no contractions get a decoded tensor, and the decode says why.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Select/Contraction.h"
#include "lib/Transforms/Select/Decompose.h"
#include "lib/Transforms/Select/Passes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::qtensor;

static Value decode(OpBuilder &builder, Location loc, ValueRange components, RankedTensorType type,
                    const llvm::Twine &reason) {
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, components.front());
  Value empty = tensor::EmptyOp::create(builder, loc, sizes, type.getElementType());
  auto op = DecodeOp::create(builder, loc, empty.getType(), components, empty, getBlockEncoding(type));
  op->setAttr(kReasonAttr, builder.getStringAttr(reason));
  Value result = op.getResult();
  RankedTensorType plain = stripEncoding(type);
  return result.getType() == plain ? result : tensor::CastOp::create(builder, loc, plain, result).getResult();
}

/// Why `reader` does not take codes.
static std::string explain(Operation *reader) {
  std::string name = ("'" + reader->getName().getStringRef() + "' reads it: ").str();
  if (!isa<linalg::LinalgOp>(reader))
    return name + "only contractions decode in registers";
  std::string why;
  if (succeeded(matchContraction(reader, &why)))
    return name + "it was not selected";
  return name + why;
}

namespace {
struct DecomposeDequantize : OpConversionPattern<DequantizeOp> {
  using OpConversionPattern::OpConversionPattern;

  LogicalResult matchAndRewrite(DequantizeOp op, OneToNOpAdaptor adaptor,
                                ConversionPatternRewriter &rewriter) const override {
    auto type = cast<RankedTensorType>(op.getSource().getType());
    auto reason = op->getAttrOfType<StringAttr>(kReasonAttr);
    Value value = decode(rewriter, op.getLoc(), adaptor.getSource(), type,
                         reason ? reason.getValue() : "the model decodes it itself");
    if (value.getType() != op.getType())
      value = tensor::CastOp::create(rewriter, op.getLoc(), op.getType(), value);
    rewriter.replaceOp(op, value);
    return success();
  }
};

/// Any op with encoded operands and plain results.
struct DecomposeReader : ConversionPattern {
  DecomposeReader(const TypeConverter &converter, MLIRContext *context)
      : ConversionPattern(converter, MatchAnyOpTypeTag(), /*benefit=*/0, context) {}

  LogicalResult matchAndRewrite(Operation *op, ArrayRef<ValueRange> operands,
                                ConversionPatternRewriter &rewriter) const override {
    if (isa_and_nonnull<QTensorDialect>(op->getDialect()))
      return rewriter.notifyMatchFailure(op, "qtensor ops have patterns of their own");
    for (Type type : op->getResultTypes())
      if (getEncoding(type))
        return op->emitOpError("makes an encoded tensor, which only qtensor ops may (clause C2.2)");
    // A reader in the body of a structured op decodes in front of it, not once for every element.
    Operation *place = op;
    while (isa_and_nonnull<linalg::LinalgOp, tensor::GenerateOp>(place->getParentOp()))
      place = place->getParentOp();
    rewriter.setInsertionPoint(place);
    SmallVector<Value> plain;
    for (auto [operand, components] : llvm::zip_equal(op->getOperands(), operands)) {
      bool encoded = bool(getEncoding(operand.getType()));
      plain.push_back(
          encoded ? decode(rewriter, op->getLoc(), components, cast<RankedTensorType>(operand.getType()), explain(op))
                  : components.front());
    }
    rewriter.modifyOpInPlace(op, [&] { op->setOperands(plain); });
    return success();
  }
};
} // namespace

void qtensor::populateReaderDecomposition(const TypeConverter &converter, RewritePatternSet &patterns) {
  patterns.add<DecomposeDequantize, DecomposeReader>(converter, patterns.getContext());
}
