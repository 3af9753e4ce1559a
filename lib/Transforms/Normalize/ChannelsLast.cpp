// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions and poolings to channels-last, by what their indexing maps mean and not by their names.
#include "lib/Transforms/Normalize/Passes.h"
#include "lib/Transforms/Normalize/Support.h"
#include "lib/Transforms/RewriteGreedily.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_CHANNELSLAST
#include "lib/Transforms/Normalize/Passes.h.inc"

using namespace normalize;

namespace {
/// What is done to each operand, and the order of the new loops.
struct Layout {
  Permutation input, filter, output, loops;

  bool isChange() const { return !isIdentity(input) || !isIdentity(filter) || !isIdentity(output); }
};

/// Collects the dimensions of an operand by where they go.
class Order {
public:
  enum Rank { First, Image, Rest, Last };
  void add(Rank rank, int64_t dim) { ranks[rank].push_back(dim); }
  Permutation get() const {
    Permutation all;
    for (const Permutation &part : ranks)
      all.append(part);
    return all;
  }

private:
  Permutation ranks[Last + 1];
};

bool usesAny(AffineExpr expr, ArrayRef<unsigned> loops) {
  return llvm::any_of(loops, [&](unsigned loop) { return expr.isFunctionOfDim(loop); });
}

/// Batch (the leading dimension, if no filter varies along it), image, then channels.
Permutation getImageOrder(AffineMap map, AffineMap filter, const linalg::ConvolutionDimensions &dims) {
  Order order;
  for (auto [position, expr] : llvm::enumerate(map.getResults())) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    bool isBatch =
        position == 0 && loop && !usesAny(expr, dims.outputImage) && !filter.isFunctionOfDim(loop.getPosition());
    order.add(isBatch ? Order::First : usesAny(expr, dims.outputImage) ? Order::Image : Order::Rest, position);
  }
  return order.get();
}

/// Groups and filters, window, channels to sum over; without such channels (depthwise) the window comes first.
Permutation getFilterOrder(AffineMap map, const linalg::ConvolutionDimensions &dims) {
  Order order;
  for (auto [position, expr] : llvm::enumerate(map.getResults())) {
    bool isWindow = usesAny(expr, dims.filterLoop), isSummed = usesAny(expr, dims.inputChannel);
    Order::Rank other = dims.inputChannel.empty() ? Order::Rest : Order::First;
    order.add(isWindow ? Order::Image : isSummed ? Order::Last : other, position);
  }
  return order.get();
}

/// Loops over the output in its order, over the window, then over the channels.
Permutation getLoopOrder(AffineMap output, const linalg::ConvolutionDimensions &dims) {
  Permutation loops;
  for (AffineExpr expr : output.getResults())
    loops.push_back(cast<AffineDimExpr>(expr).getPosition());
  loops.append(dims.filterLoop.begin(), dims.filterLoop.end());
  loops.append(dims.inputChannel.begin(), dims.inputChannel.end());
  return loops;
}

std::optional<Layout> getLayout(linalg::LinalgOp op) {
  if (!op.hasPureTensorSemantics() || op.getNumDpsInputs() < 2 || op.getNumDpsInits() != 1)
    return std::nullopt;
  FailureOr<linalg::ConvolutionDimensions> dims = linalg::inferConvolutionDims(op);
  if (failed(dims))
    return std::nullopt;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  if (!maps.back().isProjectedPermutation())
    return std::nullopt;
  Layout layout;
  layout.input = getImageOrder(maps[0], maps[1], *dims);
  layout.output = getImageOrder(maps.back(), maps[1], *dims);
  // A filter that is not evaluated now would be moved in every run; its map may as well be read as it is.
  Value filter = op.getDpsInputs()[1];
  layout.filter = isConstant(filter) ? getFilterOrder(maps[1], *dims)
                                     : llvm::to_vector(llvm::seq<int64_t>(0, maps[1].getNumResults()));
  layout.loops = getLoopOrder(permuteResults(maps.back(), layout.output), *dims);
  bool encoded = llvm::any_of(op->getOperands(), [](Value operand) {
    auto type = dyn_cast<RankedTensorType>(operand.getType());
    return type && type.getEncoding();
  });
  if (layout.loops.size() != op.getNumLoops() || encoded)
    return std::nullopt;
  return layout;
}

/// The named op for a generic convolution if it is exactly that op.
template <typename OpTy> bool rename(RewriterBase &rewriter, linalg::GenericOp &op, linalg::LinalgOp &named) {
  SmallVector<int64_t> dilations, strides;
  if (!linalg::isaConvolutionOpOfType<OpTy>(op, &dilations, &strides))
    return false;
  named = OpTy::create(rewriter, op.getLoc(), op.getResultTypes(), op.getInputs(), op.getOutputs(),
                       rewriter.getI64VectorAttr(strides), rewriter.getI64VectorAttr(dilations));
  return true;
}

template <typename... OpTys> linalg::LinalgOp renameAny(RewriterBase &rewriter, linalg::GenericOp op) {
  linalg::LinalgOp named;
  if (!(rename<OpTys>(rewriter, op, named) || ...))
    return op;
  copyAttributes(op, named);
  rewriter.eraseOp(op);
  return named;
}

class MakeChannelsLast : public OpInterfaceRewritePattern<linalg::LinalgOp> {
public:
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(linalg::LinalgOp op, PatternRewriter &rewriter) const override {
    std::optional<Layout> layout = getLayout(op);
    if (!layout)
      return rewriter.notifyMatchFailure(op, "no convolution or pooling on plain tensors");
    if (!layout->isChange())
      return rewriter.notifyMatchFailure(op, "channels are last already");
    Location loc = op.getLoc();
    SmallVector<Value> inputs = op.getDpsInputs();
    // The filter keeps the name it has in the source, beside that of the op which moves it.
    inputs[0] = transpose(rewriter, loc, inputs[0], layout->input);
    inputs[1] = transpose(rewriter, fuse(inputs[1].getLoc(), loc), inputs[1], layout->filter);
    Value init = permuteInit(rewriter, loc, op.getDpsInits()[0], layout->output);
    SmallVector<AffineMap> maps = op.getIndexingMapsArray();
    maps[0] = permuteResults(maps[0], layout->input);
    maps[1] = permuteResults(maps[1], layout->filter);
    maps.back() = permuteResults(maps.back(), layout->output);
    for (AffineMap &map : maps)
      map = permuteLoops(map, layout->loops);
    linalg::LinalgOp made = withOperands(rewriter, loc, op, layout->loops, inputs, init, maps);
    if (!isa<linalg::GenericOp>(op.getOperation()))
      made = renameAny<linalg::Conv2DNhwcFhwcOp, linalg::Conv2DNhwgcGfhwcOp, linalg::DepthwiseConv1DNwcWcOp,
                       linalg::DepthwiseConv2DNhwcHwcOp, linalg::DepthwiseConv2DNhwcHwcmOp, linalg::PoolingNwcMaxOp,
                       linalg::PoolingNwcSumOp, linalg::PoolingNhwcMaxOp, linalg::PoolingNhwcSumOp>(
          rewriter, cast<linalg::GenericOp>(made.getOperation()));
    rewriter.replaceOp(op, transpose(rewriter, loc, made->getResult(0), invert(layout->output)));
    return success();
  }
};

struct ChannelsLast : impl::ChannelsLastBase<ChannelsLast> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<MakeChannelsLast>(&getContext());
    if (failed(qtensor::rewriteGreedily(*this, getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
} // namespace mlir::qtensor
