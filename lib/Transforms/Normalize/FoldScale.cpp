// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// y = contraction(x, w); z = y * s + t, with s and t constant along everything but the channels of w, is
// contraction(x, w * s) + t; also where dimensions of y were collapsed in between, as those of a grouped convolution
// are.
#include "lib/Transforms/Normalize/Passes.h"
#include "lib/Transforms/Normalize/Support.h"
#include "lib/Transforms/RewriteGreedily.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_FOLDSCALE
#include "lib/Transforms/Normalize/Passes.h.inc"

using namespace normalize;

namespace {
/// A payload value as scale * y + shift; null where they are 1 or 0 or, for both, where y does not occur.
struct Affine {
  bool usesY = false;
  Value scale, shift;
};

/// Writes the scale and the shift of an elementwise payload as two payloads without y.
class AffinePayload {
public:
  AffinePayload(OpBuilder &builder, Block &body, unsigned y, ArrayRef<Value> constants) : builder(builder), body(body) {
    for (auto [argument, constant] : llvm::zip(body.getArguments(), constants))
      values[argument].shift = constant;
    values[body.getArgument(y)] = {/*usesY=*/true, {}, {}};
  }

  /// The result; nothing if it is not affine in y.
  std::optional<Affine> get() {
    for (Operation &op : body.without_terminator())
      if (op.getNumResults() != 1 || isa<linalg::IndexOp>(op) || !isMemoryEffectFree(&op) || !visit(op))
        return std::nullopt;
    auto yield = cast<linalg::YieldOp>(body.getTerminator());
    return lookup(yield.getOperand(0));
  }

private:
  std::optional<Affine> lookup(Value value) {
    auto found = values.find(value);
    if (found != values.end())
      return found->second.usesY || found->second.shift ? std::optional<Affine>(found->second) : std::nullopt;
    // A constant from outside of the payload.
    Operation *op = value.getDefiningOp();
    return isa_and_nonnull<arith::ConstantOp>(op) ? std::optional<Affine>(Affine{false, {}, value}) : std::nullopt;
  }

  template <typename OpT> Value make(Location loc, Value a, Value b) { return OpT::create(builder, loc, a, b); }

  bool visit(Operation &op) {
    SmallVector<Affine> in;
    for (Value operand : op.getOperands()) {
      std::optional<Affine> value = lookup(operand);
      if (!value)
        return false;
      in.push_back(*value);
    }
    Affine &out = values[op.getResult(0)];
    if (llvm::none_of(in, [](const Affine &value) { return value.usesY; })) {
      IRMapping mapping;
      for (auto [operand, value] : llvm::zip(op.getOperands(), in))
        mapping.map(operand, value.shift);
      out.shift = builder.clone(op, mapping)->getResult(0);
      return true;
    }
    out.usesY = true;
    if (isa<arith::AddFOp>(op))
      return add(op.getLoc(), in[0], in[1], out);
    if (isa<arith::SubFOp>(op))
      return subtract(op.getLoc(), in[0], in[1], out);
    if (isa<arith::MulFOp>(op))
      return scale<arith::MulFOp>(op.getLoc(), in[in[0].usesY ? 0 : 1], in[in[0].usesY ? 1 : 0], out);
    return isa<arith::DivFOp>(op) && in[0].usesY && scale<arith::DivFOp>(op.getLoc(), in[0], in[1], out);
  }

  bool add(Location loc, Affine a, Affine b, Affine &out) {
    if (!a.usesY)
      std::swap(a, b);
    out.scale = a.scale;
    out.shift = a.shift ? make<arith::AddFOp>(loc, a.shift, b.shift) : b.shift;
    return !b.usesY;
  }

  bool subtract(Location loc, const Affine &a, const Affine &b, Affine &out) {
    if (b.usesY)
      return false;
    out.scale = a.scale;
    out.shift = a.shift ? make<arith::SubFOp>(loc, a.shift, b.shift) : arith::NegFOp::create(builder, loc, b.shift);
    return true;
  }

  /// (scale * y + shift) op factor.
  template <typename OpT> bool scale(Location loc, const Affine &a, const Affine &factor, Affine &out) {
    if (factor.usesY)
      return false;
    Value one = a.scale;
    if (!one)
      one = arith::ConstantOp::create(builder, loc, builder.getFloatAttr(factor.shift.getType(), 1.0));
    out.scale = make<OpT>(loc, one, factor.shift);
    out.shift = a.shift ? make<OpT>(loc, a.shift, factor.shift) : Value();
    return true;
  }

  OpBuilder &builder;
  Block &body;
  llvm::DenseMap<Value, Affine> values;
};

/// An op that multiplies a first operand with constant weights and adds up, from zero.
struct Scaled {
  linalg::LinalgOp op;
  unsigned weights;
  AffineMap weightsMap;
  AffineMap resultMap; // from the loops to what is scaled: the result, or that collapsed
};

/// How a result that is indexed by `map` is indexed once it is collapsed; nothing where extents are not known.
std::optional<AffineMap> collapseMap(tensor::CollapseShapeOp collapse, AffineMap map) {
  RankedTensorType type = collapse.getSrcType();
  SmallVector<AffineExpr> results;
  for (const ReassociationIndices &group : collapse.getReassociationIndices()) {
    AffineExpr flat = map.getResult(group.front());
    for (int64_t dim : ArrayRef(group).drop_front()) {
      if (type.isDynamicDim(dim))
        return std::nullopt;
      flat = flat * type.getDimSize(dim) + map.getResult(dim);
    }
    results.push_back(flat);
  }
  return AffineMap::get(map.getNumDims(), 0, results, map.getContext());
}

std::optional<Scaled> matchProducer(Value y) {
  auto collapse = y.getDefiningOp<tensor::CollapseShapeOp>();
  if (collapse && collapse->hasOneUse())
    y = collapse.getSrc();
  auto op = y.getDefiningOp<linalg::LinalgOp>();
  if (!op || !op->hasOneUse() || !op.hasPureTensorSemantics() || op.getNumDpsInputs() != 2 ||
      !isa<FloatType>(getElementTypeOrSelf(y.getType())) || !isZeroFilled(op.getDpsInits()[0]))
    return std::nullopt;
  // Sums of products: a pooling has maps like a convolution.
  Block &body = op->getRegion(0).front();
  if (!llvm::hasNItems(body.getOperations(), 3) || !isa<arith::MulFOp>(body.front()) ||
      !isa<arith::AddFOp>(*std::next(body.begin())))
    return std::nullopt;
  for (unsigned weights : {1u, 0u}) {
    AffineMap map = op.getIndexingMapsArray()[weights], result = op.getIndexingMapsArray().back();
    if (!isConstant(op.getDpsInputs()[weights]) || !map.isProjectedPermutation() || !result.isProjectedPermutation())
      continue;
    std::optional<AffineMap> collapsed = collapse ? collapseMap(collapse, result) : result;
    if (collapsed)
      return Scaled{op, weights, map, *collapsed};
  }
  return std::nullopt;
}

/// An elementwise op on the result y of a contraction, all other inputs constant along all but the channels of the
/// weights.
struct Step {
  Scaled producer;
  unsigned y;                    // operand number
  SmallVector<AffineMap> inputs; // of the op's inputs, over the dimensions of y
};

/// Maps of the inputs of `op` over the dimensions of y; nothing if one is no constant, or varies along something else
/// than the channels of the weights.
std::optional<SmallVector<AffineMap>> mapInputs(linalg::GenericOp op, unsigned y, const Scaled &producer) {
  SmallVector<AffineMap> maps = op.getIndexingMapsArray(), result;
  AffineMap fromLoops = inversePermutation(maps[y]); // y's dimensions -> loops of op
  for (auto [number, input] : llvm::enumerate(op.getInputs())) {
    AffineMap ofResult = maps[number].compose(fromLoops), map = ofResult.compose(producer.resultMap);
    for (unsigned loop = 0; loop < map.getNumDims() && number != y; ++loop)
      if (map.isFunctionOfDim(loop) && !producer.weightsMap.isFunctionOfDim(loop))
        return std::nullopt;
    if (number != y && !isConstant(input))
      return std::nullopt;
    result.push_back(ofResult);
  }
  return result;
}

std::optional<Step> matchStep(linalg::GenericOp op) {
  if (!op || !op.hasPureTensorSemantics() || op.getNumResults() != 1 || op.getNumParallelLoops() != op.getNumLoops())
    return std::nullopt;
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  for (auto [y, input] : llvm::enumerate(op.getInputs())) {
    std::optional<Scaled> producer = matchProducer(input);
    if (!producer || !maps[y].isPermutation() || maps[y] != maps.back())
      continue;
    if (auto inputs = mapInputs(op, y, *producer))
      return Step{*producer, static_cast<unsigned>(y), *inputs};
  }
  return std::nullopt;
}

/// The payload of `op` as an affine function of input y. Only says whether there is a scale and a shift: the values are
/// in a block that is thrown away.
std::optional<Affine> analyse(linalg::GenericOp op, unsigned y) {
  Block scratch;
  OpBuilder builder(op.getContext());
  builder.setInsertionPointToStart(&scratch);
  SmallVector<Value> constants;
  for (Value input : op.getInputs())
    constants.push_back(scratch.addArgument(getElementTypeOrSelf(input.getType()), op.getLoc()));
  std::optional<Affine> affine = AffinePayload(builder, *op.getBody(), y, constants).get();
  scratch.clear();
  return affine && affine->usesY ? affine : std::nullopt;
}

class FoldIntoWeights : public OpRewritePattern<linalg::GenericOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    std::optional<Step> step = matchStep(op);
    std::optional<Affine> affine = step ? analyse(op, step->y) : std::nullopt;
    if (!affine || !affine->scale)
      return rewriter.notifyMatchFailure(op, "it does not scale a contraction with constant weights per channel");
    linalg::LinalgOp producer = step->producer.op;
    Value weights = scaleWeights(rewriter, op, *step);
    Value shift = affine->shift ? makeShift(rewriter, op, *step) : Value();
    rewriter.modifyOpInPlace(producer, [&] {
      producer->setOperand(step->producer.weights, weights);
      producer->setLoc(fuse(producer->getLoc(), op.getLoc()));
    });
    rewriter.moveOpBefore(producer, op); // behind the new weights
    Value y = op.getInputs()[step->y];
    if (Operation *collapse = y.getDefiningOp(); collapse != producer)
      rewriter.moveOpBefore(collapse, op);
    rewriter.replaceOp(op, shift ? addShift(rewriter, op, *step, shift) : y);
    return success();
  }

private:
  using Body = llvm::function_ref<Value(OpBuilder &, Location, const Affine &, ValueRange)>;

  /// An elementwise op on constants, of which `from` says how the op's inputs are indexed, over some dimensions of
  /// theirs. `first`, if given, is an input over all of them.
  static Value makeConstant(PatternRewriter &rewriter, Location loc, linalg::GenericOp op, Step &step,
                            ArrayRef<AffineMap> from, ArrayRef<unsigned> over, RankedTensorType type, Value first,
                            Body body) {
    SmallVector<AffineExpr> dims(from.front().getNumDims(), rewriter.getAffineConstantExpr(0));
    for (auto [dim, position] : llvm::enumerate(over))
      dims[position] = rewriter.getAffineDimExpr(dim);
    SmallVector<Value> inputs;
    SmallVector<AffineMap> maps;
    for (auto [number, input] : llvm::enumerate(op.getInputs())) {
      if (number == step.y)
        continue;
      inputs.push_back(input);
      maps.push_back(from[number].replaceDimsAndSymbols(dims, {}, over.size(), 0));
    }
    AffineMap identity = rewriter.getMultiDimIdentityMap(over.size());
    if (first) {
      inputs.push_back(first);
      maps.push_back(identity);
    }
    maps.push_back(identity);
    Value init = tensor::EmptyOp::create(rewriter, loc, type.getShape(), type.getElementType());
    SmallVector<utils::IteratorType> iterators(over.size(), utils::IteratorType::parallel);
    auto build = [&](OpBuilder &builder, Location where, ValueRange in) {
      SmallVector<Value> constants = llvm::to_vector(in.take_front(op.getNumDpsInputs() - 1));
      constants.insert(constants.begin() + step.y, Value());
      Affine affine = *AffinePayload(builder, *op.getBody(), step.y, constants).get();
      linalg::YieldOp::create(builder, where, body(builder, where, affine, in));
    };
    return linalg::GenericOp::create(rewriter, loc, type, inputs, init, maps, iterators, build).getResult(0);
  }

  static SmallVector<unsigned> getLoops(AffineMap map) {
    return llvm::map_to_vector(map.getResults(),
                               [](AffineExpr expr) { return cast<AffineDimExpr>(expr).getPosition(); });
  }

  /// The weights times the scale, with the name of the weights first.
  static Value scaleWeights(PatternRewriter &rewriter, linalg::GenericOp op, Step &step) {
    Value weights = step.producer.op.getDpsInputs()[step.producer.weights];
    auto overLoops =
        llvm::map_to_vector(step.inputs, [&](AffineMap map) { return map.compose(step.producer.resultMap); });
    return makeConstant(rewriter, fuse(weights.getLoc(), op.getLoc()), op, step, overLoops,
                        getLoops(step.producer.weightsMap), cast<RankedTensorType>(weights.getType()), weights,
                        [](OpBuilder &builder, Location loc, const Affine &affine, ValueRange in) -> Value {
                          return arith::MulFOp::create(builder, loc, in.drop_back().back(), affine.scale);
                        });
  }

  /// Positions in y of the channels of the weights.
  static SmallVector<unsigned> getChannels(Step &step) {
    SmallVector<unsigned> channels;
    for (auto [position, expr] : llvm::enumerate(step.producer.resultMap.getResults()))
      for (unsigned loop : getLoops(step.producer.weightsMap))
        if (expr.isFunctionOfDim(loop)) {
          channels.push_back(position);
          break;
        }
    return channels;
  }

  static Value makeShift(PatternRewriter &rewriter, linalg::GenericOp op, Step &step) {
    auto type = cast<RankedTensorType>(op.getInputs()[step.y].getType());
    SmallVector<unsigned> channels = getChannels(step);
    auto shape = llvm::map_to_vector(channels, [&](unsigned position) { return type.getDimSize(position); });
    return makeConstant(rewriter, op.getLoc(), op, step, step.inputs, channels, type.clone(shape), Value(),
                        [](OpBuilder &, Location, const Affine &affine, ValueRange) { return affine.shift; });
  }

  static Value addShift(PatternRewriter &rewriter, linalg::GenericOp op, Step &step, Value shift) {
    AffineMap y = op.getIndexingMapsArray()[step.y];
    SmallVector<AffineExpr> channels =
        llvm::map_to_vector(getChannels(step), [&](unsigned position) { return y.getResult(position); });
    AffineMap maps[] = {y, AffineMap::get(y.getNumDims(), 0, channels, y.getContext()), y};
    Value inputs[] = {op.getInputs()[step.y], shift};
    auto sum =
        linalg::GenericOp::create(rewriter, op.getLoc(), op.getResultTypes(), inputs, op.getOutputs(), maps,
                                  op.getIteratorTypesArray(), [](OpBuilder &builder, Location loc, ValueRange in) {
                                    Value sum = arith::AddFOp::create(builder, loc, in[0], in[1]);
                                    linalg::YieldOp::create(builder, loc, sum);
                                  });
    copyAttributes(op, sum);
    return sum.getResult(0);
  }
};

/// A step that only shifts stands between a contraction and a step that scales (a bias before a batch normalisation):
/// the two become one step, so that the scale meets the weights.
class MergeSteps : public OpRewritePattern<linalg::GenericOp> {
public:
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp op, PatternRewriter &rewriter) const override {
    for (OpOperand *operand : op.getDpsInputOperands()) {
      auto shift = operand->get().getDefiningOp<linalg::GenericOp>();
      std::optional<Step> step = shift && shift->hasOneUse() ? matchStep(shift) : std::nullopt;
      std::optional<Affine> scale = step ? analyse(op, operand->getOperandNumber()) : std::nullopt;
      bool othersConstant =
          llvm::all_of(op.getInputs(), [&](Value input) { return input == operand->get() || isConstant(input); });
      if (!scale || !scale->scale || !othersConstant || !analyse(shift, step->y) ||
          !linalg::areElementwiseOpsFusable(operand))
        continue;
      FailureOr<linalg::ElementwiseOpFusionResult> merged = linalg::fuseElementwiseOps(rewriter, operand);
      if (failed(merged))
        continue;
      merged->fusedOp->setLoc(fuse(shift.getLoc(), op.getLoc()));
      rewriter.replaceOp(op, merged->fusedOp->getResults().take_back(1));
      return success();
    }
    return rewriter.notifyMatchFailure(op, "it does not scale what was shifted behind a contraction");
  }
};

struct FoldScale : impl::FoldScaleBase<FoldScale> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FoldIntoWeights, MergeSteps>(&getContext());
    if (failed(qtensor::rewriteGreedily(*this, getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
} // namespace mlir::qtensor
