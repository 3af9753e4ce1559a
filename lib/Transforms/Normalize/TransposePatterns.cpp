// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Normalize/TransposePatterns.h"
#include "lib/Transforms/Normalize/Support.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::normalize {
namespace {
using Sizes = SmallVector<OpFoldResult>;

/// pad(transpose(x)) => transpose(pad(x))
class SinkThroughPad : public OpRewritePattern<tensor::PadOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::PadOp op, PatternRewriter &rewriter) const override {
    linalg::TransposeOp moved = getTranspose(op.getSource());
    Value padding = op.getConstantPaddingValue();
    if (!moved || !padding)
      return rewriter.notifyMatchFailure(op, "no transposed source padded with one value");
    Permutation back = invert(moved.getPermutation());
    Sizes low = permute<OpFoldResult>(op.getMixedLowPad(), back),
          high = permute<OpFoldResult>(op.getMixedHighPad(), back);
    RankedTensorType type = permute(op.getResultType(), back);
    auto made =
        tensor::PadOp::create(rewriter, op.getLoc(), type, moved.getInput(), low, high, padding, op.getNofold());
    rewriter.replaceOp(op, transpose(rewriter, op.getLoc(), made, moved.getPermutation()));
    return success();
  }
};

/// extract_slice(transpose(x)) => transpose(extract_slice(x))
class SinkThroughSlice : public OpRewritePattern<tensor::ExtractSliceOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ExtractSliceOp op, PatternRewriter &rewriter) const override {
    linalg::TransposeOp moved = getTranspose(op.getSource());
    if (!moved || op.getSourceType().getRank() != op.getResultType().getRank())
      return rewriter.notifyMatchFailure(op, "no transposed source of the same rank");
    Permutation back = invert(moved.getPermutation());
    Sizes offsets = permute<OpFoldResult>(op.getMixedOffsets(), back);
    Sizes sizes = permute<OpFoldResult>(op.getMixedSizes(), back);
    Sizes strides = permute<OpFoldResult>(op.getMixedStrides(), back);
    Value made = tensor::ExtractSliceOp::create(rewriter, op.getLoc(), permute(op.getResultType(), back),
                                                moved.getInput(), offsets, sizes, strides);
    rewriter.replaceOp(op, transpose(rewriter, op.getLoc(), made, moved.getPermutation()));
    return success();
  }
};

/// insert_slice(transpose(a) into insert_slice(transpose(b) into empty)) => transpose(insert_slice(a into ...)), for a
/// concatenation whose parts are all transposed in one way; constant parts may be plain.
class SinkThroughConcat : public OpRewritePattern<tensor::InsertSliceOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::InsertSliceOp op, PatternRewriter &rewriter) const override {
    if (llvm::any_of(op->getUsers(), [&](Operation *user) { return isPart(user, op); }))
      return rewriter.notifyMatchFailure(op, "it is not the end of its chain");
    SmallVector<tensor::InsertSliceOp> chain;
    linalg::TransposeOp first;
    for (tensor::InsertSliceOp part = op; part; part = part.getDest().getDefiningOp<tensor::InsertSliceOp>()) {
      linalg::TransposeOp moved = getTranspose(part.getSource());
      bool sameOrder = moved && (!first || first.getPermutation() == moved.getPermutation());
      if ((!sameOrder && !isConstant(part.getSource())) || (part != op && !part->hasOneUse()) ||
          part.getSourceType().getRank() != part.getType().getRank())
        return rewriter.notifyMatchFailure(op, "its parts are not transposed in one way");
      first = first ? first : moved;
      chain.push_back(part);
    }
    Value whole = chain.back().getDest();
    if (!first || !whole.getDefiningOp<tensor::EmptyOp>())
      return rewriter.notifyMatchFailure(op, "no concatenation of transposed parts");
    Permutation back = invert(first.getPermutation());
    whole = permuteInit(rewriter, op.getLoc(), whole, back);
    for (tensor::InsertSliceOp part : llvm::reverse(chain))
      whole = tensor::InsertSliceOp::create(
          rewriter, part.getLoc(), transpose(rewriter, part.getLoc(), part.getSource(), back), whole,
          permute<OpFoldResult>(part.getMixedOffsets(), back), permute<OpFoldResult>(part.getMixedSizes(), back),
          permute<OpFoldResult>(part.getMixedStrides(), back));
    rewriter.replaceOp(op, transpose(rewriter, op.getLoc(), whole, first.getPermutation()));
    return success();
  }

private:
  static bool isPart(Operation *user, tensor::InsertSliceOp op) {
    auto next = dyn_cast<tensor::InsertSliceOp>(user);
    return next && next.getDest() == op.getResult();
  }
};

/// expand_shape(transpose(x)) => transpose(expand_shape(x)): every dimension is split where it stands, but for extents
/// of 1 in front of all others, which stay there (a batch of one image).
class SinkThroughExpand : public OpRewritePattern<tensor::ExpandShapeOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::ExpandShapeOp op, PatternRewriter &rewriter) const override {
    linalg::TransposeOp moved = getTranspose(op.getSrc());
    if (!moved)
      return rewriter.notifyMatchFailure(op, "its source is not transposed");
    SmallVector<ReassociationIndices> groups = op.getReassociationIndices();
    Sizes sizes = getMixedValues(op.getStaticOutputShape(), op.getOutputShape(), rewriter);
    // Those extents of 1, as far as they leave something of their dimension.
    ReassociationIndices front;
    while (front.size() + 1 < groups[0].size() && op.getResultType().getDimSize(front.size()) == 1)
      front.push_back(front.size());
    groups[0].erase(groups[0].begin(), groups[0].begin() + front.size());
    ReassociationIndices &first = groups[invert(moved.getPermutation())[0]];
    first.insert(first.begin(), front.begin(), front.end());
    // Result dimensions of `op` in the order of the new expand_shape's result.
    Permutation taken;
    SmallVector<ReassociationIndices> newGroups;
    for (int64_t dim : invert(moved.getPermutation())) {
      ReassociationIndices &group = newGroups.emplace_back();
      for (int64_t part : groups[dim]) {
        group.push_back(taken.size());
        taken.push_back(part);
      }
    }
    Value made = tensor::ExpandShapeOp::create(rewriter, op.getLoc(), permute(op.getResultType(), taken),
                                               moved.getInput(), newGroups, permute<OpFoldResult>(sizes, taken));
    rewriter.replaceOp(op, transpose(rewriter, op.getLoc(), made, invert(taken)));
    return success();
  }
};

/// collapse_shape(transpose(x)) => transpose(collapse_shape(x)) if the dimensions of each group are neighbours in x
/// too. Dimensions of extent 1 are neighbours of everything; groups of nothing else are added behind the transposition.
class SinkThroughCollapse : public OpRewritePattern<tensor::CollapseShapeOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(tensor::CollapseShapeOp op, PatternRewriter &rewriter) const override {
    linalg::TransposeOp moved = getTranspose(op.getSrc());
    if (!moved)
      return rewriter.notifyMatchFailure(op, "its source is not transposed");
    std::optional<SmallVector<Run>> runs = getRuns(op, moved);
    if (!runs || runs->empty())
      return rewriter.notifyMatchFailure(op, "it merges dimensions that are not neighbours in the source");
    // The runs in the order of the result.
    Permutation order = llvm::to_vector(llvm::seq<int64_t>(0, runs->size()));
    llvm::sort(order, [&](int64_t a, int64_t b) { return (*runs)[a].group < (*runs)[b].group; });
    SmallVector<ReassociationIndices> groups =
        llvm::map_to_vector(*runs, [](const Run &run) { return ReassociationIndices(run.dims); });
    RankedTensorType type = op.getResultType();
    SmallVector<int64_t> shape = llvm::map_to_vector(*runs, [&](const Run &run) { return type.getDimSize(run.group); });
    Value made = tensor::CollapseShapeOp::create(rewriter, op.getLoc(), type.clone(shape), moved.getInput(), groups);
    Value result = transpose(rewriter, op.getLoc(), made, order);
    rewriter.replaceOp(op, addUnits(rewriter, op, result, *runs, order));
    return success();
  }

private:
  /// Neighbours in the source that make up one dimension of the result.
  struct Run {
    int64_t group;
    ReassociationIndices dims;
  };

  /// In the order of the source; nothing if a group is no run.
  static std::optional<SmallVector<Run>> getRuns(tensor::CollapseShapeOp op, linalg::TransposeOp moved) {
    auto source = cast<RankedTensorType>(moved.getInput().getType());
    SmallVector<std::pair<int64_t, int64_t>> places(source.getRank()); // group, position in it
    for (auto [group, dims] : llvm::enumerate(op.getReassociationIndices()))
      for (auto [position, dim] : llvm::enumerate(dims))
        places[moved.getPermutation()[dim]] = {group, position};
    SmallVector<Run> runs;
    ReassociationIndices leading;
    llvm::SmallDenseSet<int64_t> seen;
    int64_t last = -1;
    for (auto [dim, place] : llvm::enumerate(places)) {
      if (source.getDimSize(dim) != 1) {
        bool continues = !runs.empty() && runs.back().group == place.first;
        if (continues ? place.second < last : !seen.insert(place.first).second)
          return std::nullopt;
        if (!continues)
          runs.push_back({place.first, std::exchange(leading, {})});
        last = place.second;
      }
      (runs.empty() ? leading : runs.back().dims).push_back(dim);
    }
    return runs;
  }

  /// Adds the dimensions of the result that no run makes up: each joins the run before it, or the first.
  static Value addUnits(OpBuilder &builder, tensor::CollapseShapeOp op, Value value, ArrayRef<Run> runs,
                        ArrayRef<int64_t> order) {
    RankedTensorType type = op.getResultType();
    if (static_cast<int64_t>(runs.size()) == type.getRank())
      return value;
    SmallVector<OpFoldResult> known = tensor::getMixedSizes(builder, op.getLoc(), value);
    SmallVector<OpFoldResult> sizes(type.getRank(), builder.getIndexAttr(1));
    SmallVector<ReassociationIndices> groups(runs.size());
    int64_t run = 0, count = runs.size();
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      bool starts = run < count && runs[order[run]].group == dim;
      if (starts)
        sizes[dim] = known[run++];
      groups[std::max<int64_t>(run - 1, 0)].push_back(dim);
    }
    return tensor::ExpandShapeOp::create(builder, op.getLoc(), type, value, groups, sizes);
  }
};

/// A transposition inside the flattened sum of a contraction with constant weights is done to the weights:
/// collapse_shape(transpose(x)) . w => collapse_shape(x) . w'. So the classifier of a network with channels last reads
/// the image as it lies.
class SinkIntoWeights : public OpInterfaceRewritePattern<linalg::LinalgOp> {
public:
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(linalg::LinalgOp op, PatternRewriter &rewriter) const override {
    if (!op.hasPureTensorSemantics() || !linalg::isaContractionOpInterface(op) || !isConstant(op.getDpsInputs()[1]))
      return rewriter.notifyMatchFailure(op, "no contraction with constant weights on the right");
    auto flat = op.getDpsInputs()[0].getDefiningOp<tensor::CollapseShapeOp>();
    linalg::TransposeOp moved = flat ? getTranspose(flat.getSrc()) : nullptr;
    AffineMap rows = op.getIndexingMapsArray()[0], columns = op.getIndexingMapsArray()[1];
    if (!moved || rows.getNumResults() == 0)
      return rewriter.notifyMatchFailure(op, "its left factor is not a flattened transposition");
    // The transposition must act inside the last group, which must be the sum.
    ReassociationIndices group = flat.getReassociationIndices().back();
    ArrayRef<int64_t> permutation = moved.getPermutation();
    std::optional<unsigned> position = columns.getResultPosition(rows.getResults().back());
    if (!position || op.getMatchingIndexingMap(op.getDpsInitOperand(0)).getResultPosition(rows.getResults().back()) ||
        !isIdentity(permutation.take_front(group.front())))
      return rewriter.notifyMatchFailure(op, "the transposition is not inside the sum");
    Permutation inside =
        llvm::map_to_vector(permutation.drop_front(group.front()), [&](int64_t dim) { return dim - group.front(); });
    auto type = cast<RankedTensorType>(moved.getInput().getType());
    ArrayRef<int64_t> extents = cast<RankedTensorType>(flat.getSrcType()).getShape().drop_front(group.front());
    if (ShapedType::isDynamicShape(extents))
      return rewriter.notifyMatchFailure(op, "the flattened extents are dynamic");
    Value x = tensor::CollapseShapeOp::create(rewriter, flat.getLoc(), collapsedType(flat, type), moved.getInput(),
                                              flat.getReassociationIndices());
    Value weights = reorder(rewriter, op.getLoc(), op.getDpsInputs()[1], *position, extents, invert(inside));
    rewriter.modifyOpInPlace(op, [&] {
      op->setOperand(0, x);
      op->setOperand(1, weights);
    });
    return success();
  }

private:
  static RankedTensorType collapsedType(tensor::CollapseShapeOp flat, RankedTensorType source) {
    return tensor::CollapseShapeOp::inferCollapsedType(source, flat.getReassociationMaps());
  }

  /// Splits one dimension of the weights into `extents`, permutes those, and joins them again.
  static Value reorder(PatternRewriter &rewriter, Location loc, Value weights, unsigned dim, ArrayRef<int64_t> extents,
                       ArrayRef<int64_t> permutation) {
    auto type = cast<RankedTensorType>(weights.getType());
    SmallVector<int64_t> shape;
    SmallVector<ReassociationIndices> groups;
    Permutation order;
    for (int64_t i = 0; i < type.getRank(); ++i) {
      ReassociationIndices &group = groups.emplace_back();
      int64_t begin = shape.size();
      shape.append(i == dim ? SmallVector<int64_t>(extents) : SmallVector<int64_t>{type.getDimSize(i)});
      for (int64_t part = begin; part < static_cast<int64_t>(shape.size()); ++part) {
        group.push_back(part);
        order.push_back(i == dim ? begin + permutation[part - begin] : part);
      }
    }
    loc = fuse(weights.getLoc(), loc);
    Value split = tensor::ExpandShapeOp::create(rewriter, loc, type.clone(shape), weights, groups);
    return tensor::CollapseShapeOp::create(rewriter, loc, type, transpose(rewriter, loc, split, order), groups);
  }
};
} // namespace

void populateSinkTransposePatterns(RewritePatternSet &patterns) {
  patterns.add<SinkThroughPad, SinkThroughSlice, SinkThroughConcat, SinkThroughExpand, SinkThroughCollapse,
               SinkIntoWeights>(patterns.getContext());
}

} // namespace mlir::qtensor::normalize
