// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Models that come quantized round and decode between a convolution and its neighbours: transpositions pass there too.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Normalize/Support.h"
#include "lib/Transforms/Normalize/TransposePatterns.h"

namespace mlir::qtensor::normalize {
namespace {
/// `encoding` of a tensor whose dimensions were permuted, or null where a parameter has blocks of its own.
BlockAttr permuteEncoding(BlockAttr encoding, ArrayRef<int64_t> permutation) {
  for (ParamAttr param : {encoding.getScale(), encoding.getZero(), encoding.getOffset()})
    if (param && param.isData() && (!param.getOwnBlock().empty() || isa<BlockAttr>(param.getValue())))
      return {};
  return BlockAttr::get(encoding.getContext(), encoding.getCodec(), permute<int64_t>(encoding.getBlock(), permutation),
                        encoding.getScale(), encoding.getZero(), encoding.getOffset());
}

/// quantize(transpose(x)), of which only values or codes are read => transpose(... quantize(x)): every element is
/// rounded with the same parameters as before.
class SinkThroughRounding : public OpRewritePattern<QuantizeOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(QuantizeOp op, PatternRewriter &rewriter) const override {
    linalg::TransposeOp moved = getTranspose(op.getSource());
    auto encoding = dyn_cast<BlockAttr>(cast<RankedTensorType>(op.getType()).getEncoding());
    if (!moved || !encoding || !op.getStatistics().empty())
      return rewriter.notifyMatchFailure(op, "it does not round what was transposed");
    if (op->use_empty() || !llvm::all_of(op->getUsers(), readsElements))
      return rewriter.notifyMatchFailure(op, "its codes are read in this order");
    Permutation back = invert(moved.getPermutation());
    BlockAttr permuted = permuteEncoding(encoding, back);
    if (!permuted)
      return rewriter.notifyMatchFailure(op, "a parameter has blocks of its own");
    SmallVector<Value> params =
        llvm::map_to_vector(op.getParams(), [&](Value param) { return transpose(rewriter, op.getLoc(), param, back); });
    auto plain = cast<RankedTensorType>(moved.getInput().getType());
    auto rounded = QuantizeOp::create(rewriter, op.getLoc(), plain.cloneWithEncoding(permuted), moved.getInput(),
                                      params, ValueRange(), op.getEncoderAttr());
    for (Operation *user : llvm::make_early_inc_range(op->getUsers())) {
      rewriter.setInsertionPoint(user);
      IRMapping mapping;
      mapping.map(op.getResult(), rounded.getResult());
      Operation *read = rewriter.clone(*user, mapping);
      read->getResult(0).setType(permute(cast<RankedTensorType>(user->getResult(0).getType()), back));
      rewriter.replaceOp(user, transpose(rewriter, user->getLoc(), read->getResult(0), moved.getPermutation()));
    }
    rewriter.eraseOp(op);
    return success();
  }

private:
  static bool readsElements(Operation *user) {
    auto component = dyn_cast<ComponentOp>(user);
    return isa<DequantizeOp>(user) || (component && component.getName() == "codes");
  }
};

/// dequantize(assemble(transpose(codes))) => transpose(dequantize(assemble(codes)))
class SinkThroughAssembly : public OpRewritePattern<DequantizeOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(DequantizeOp op, PatternRewriter &rewriter) const override {
    auto assemble = op.getSource().getDefiningOp<AssembleOp>();
    linalg::TransposeOp moved = assemble ? getTranspose(assemble.getComponents().front()) : nullptr;
    auto encoding = dyn_cast<BlockAttr>(cast<RankedTensorType>(op.getSource().getType()).getEncoding());
    BlockAttr permuted = moved && encoding ? permuteEncoding(encoding, invert(moved.getPermutation())) : BlockAttr();
    if (!permuted)
      return rewriter.notifyMatchFailure(op, "its codes are not transposed, or a parameter has blocks of its own");
    Permutation back = invert(moved.getPermutation());
    SmallVector<Value> components = llvm::map_to_vector(assemble.getComponents(), [&](Value component) {
      return transpose(rewriter, assemble.getLoc(), component, back);
    });
    RankedTensorType plain = permute(cast<RankedTensorType>(op.getType()), back);
    auto whole = AssembleOp::create(rewriter, assemble.getLoc(), plain.cloneWithEncoding(permuted), components);
    Value decoded = DequantizeOp::create(rewriter, op.getLoc(), plain, whole);
    rewriter.replaceOp(op, transpose(rewriter, op.getLoc(), decoded, moved.getPermutation()));
    return success();
  }
};

} // namespace

void populateSinkRoundingPatterns(RewritePatternSet &patterns) {
  patterns.add<SinkThroughRounding, SinkThroughAssembly>(patterns.getContext());
}

} // namespace mlir::qtensor::normalize
