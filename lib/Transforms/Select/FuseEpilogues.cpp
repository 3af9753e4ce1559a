// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Elementwise work behind a contraction moves into its region.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/RewriteGreedily.h"
#include "lib/Transforms/Select/FuseElementwise.h"
#include "lib/Transforms/Select/Passes.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Tensor/Transforms/Transforms.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_FUSEEPILOGUES
#include "lib/Transforms/Select/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

/// True when every op of `body` is a pure scalar op and every value from outside is a constant.
static bool isScalarBody(Block &body) {
  for (Operation &op : body) {
    if (op.getNumRegions() || !isMemoryEffectFree(&op) || isa<linalg::IndexOp>(op))
      return false;
    for (Value operand : op.getOperands()) {
      Operation *def = operand.getDefiningOp();
      bool inside = operand.getParentBlock() == &body;
      if (isa<ShapedType>(operand.getType()) || (!inside && !(def && def->hasTrait<OpTrait::ConstantLike>())))
        return false;
    }
  }
  return true;
}

/// The contraction that `operand` of the elementwise op `generic` reads, when it can be fused into it.
static ContractOp getFusableProducer(linalg::GenericOp generic, OpOperand *operand) {
  auto contract = operand->get().getDefiningOp<ContractOp>();
  if (!contract || !operand->get().hasOneUse() || contract->getBlock() != generic->getBlock())
    return {};
  AffineMap map = generic.getMatchingIndexingMap(operand);
  AffineMap out = generic.getMatchingIndexingMap(generic.getDpsInitOperand(0));
  // The same index space on both sides, so that no element is read twice.
  return map.isPermutation() && map == out ? contract : ContractOp();
}

/// The values that become extra operands and their maps over the output's index space.
struct Extras {
  SmallVector<Value> values;
  SmallVector<AffineMap> maps;
};

static std::optional<Extras> collectExtras(linalg::GenericOp generic, OpOperand *fused) {
  AffineMap inverse = inversePermutation(generic.getMatchingIndexingMap(fused));
  Extras extras;
  for (OpOperand &operand : generic->getOpOperands()) {
    bool isInit = generic.isDpsInit(&operand);
    if (&operand == fused || (isInit && !generic.payloadUsesValueFromOperand(&operand)))
      continue;
    auto type = dyn_cast<RankedTensorType>(operand.get().getType());
    AffineMap map = generic.getMatchingIndexingMap(&operand).compose(inverse);
    if (!type || type.getEncoding() || !map.isProjectedPermutation(/*allowZeroInResults=*/true))
      return std::nullopt;
    extras.values.push_back(operand.get());
    extras.maps.push_back(map);
  }
  return extras;
}

/// Moves the body of `generic` behind the body of the old epilogue, all in `block` of the new contraction.
static void buildFusedBody(PatternRewriter &rewriter, ContractOp old, linalg::GenericOp generic, OpOperand *fused,
                           Block *block) {
  Location loc = generic.getLoc();
  IRMapping mapping;
  for (BlockArgument argument : old.getEpilogue().front().getArguments())
    mapping.map(argument, block->addArgument(argument.getType(), loc));
  rewriter.setInsertionPointToEnd(block);
  for (Operation &op : old.getEpilogue().front().without_terminator())
    rewriter.clone(op, mapping);
  Value sum = mapping.lookupOrDefault(old.getEpilogue().front().getTerminator()->getOperand(0));
  Block &body = generic.getRegion().front();
  for (OpOperand &operand : generic->getOpOperands()) {
    BlockArgument argument = body.getArgument(operand.getOperandNumber());
    if (&operand == fused)
      mapping.map(argument, sum);
    else if (!generic.isDpsInit(&operand) || !argument.use_empty())
      mapping.map(argument, block->addArgument(argument.getType(), loc));
  }
  for (Operation &op : body.without_terminator())
    rewriter.clone(op, mapping);
  YieldOp::create(rewriter, loc, mapping.lookupOrDefault(body.getTerminator()->getOperand(0)));
}

/// The destination: the init of the elementwise op when its values are not read, else a new empty tensor.
static Value makeDestination(PatternRewriter &rewriter, linalg::GenericOp generic) {
  OpOperand *init = generic.getDpsInitOperand(0);
  if (!generic.payloadUsesValueFromOperand(init))
    return init->get();
  auto type = cast<RankedTensorType>(init->get().getType());
  return tensor::EmptyOp::create(rewriter, generic.getLoc(),
                                 tensor::getMixedSizes(rewriter, generic.getLoc(), init->get()), type.getElementType());
}

namespace {
struct FuseIntoContract : OpRewritePattern<linalg::GenericOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(linalg::GenericOp generic, PatternRewriter &rewriter) const override {
    if (!generic.hasPureTensorSemantics() || generic.getNumReductionLoops() || generic.getNumDpsInits() != 1)
      return rewriter.notifyMatchFailure(generic, "it is not elementwise with one result");
    if (getEncoding(generic.getResult(0).getType()) || !isScalarBody(generic.getRegion().front()))
      return rewriter.notifyMatchFailure(generic, "its body is not made of scalar ops");
    for (OpOperand &operand : generic->getOpOperands()) {
      ContractOp contract = getFusableProducer(generic, &operand);
      if (!contract)
        continue;
      std::optional<Extras> extras = collectExtras(generic, &operand);
      if (!extras)
        return rewriter.notifyMatchFailure(generic, "an operand is encoded or indexed by more than a projection");
      fuse(rewriter, contract, generic, &operand, *extras);
      return success();
    }
    return rewriter.notifyMatchFailure(generic, "no operand is a contraction that only it reads");
  }

private:
  void fuse(PatternRewriter &rewriter, ContractOp old, linalg::GenericOp generic, OpOperand *fused,
            const Extras &more) const {
    SmallVector<Value> extra(old.getExtra());
    llvm::append_range(extra, more.values);
    SmallVector<Attribute> maps(old.getExtraMaps().getValue());
    for (AffineMap map : more.maps)
      maps.push_back(AffineMapAttr::get(map));
    Location loc = rewriter.getFusedLoc({old.getLoc(), generic.getLoc()});
    Value destination = makeDestination(rewriter, generic);
    auto contract = ContractOp::create(
        rewriter, loc, generic.getResult(0).getType(), old.getStrategy(), old.getIndexingMaps(), old.getIteratorTypes(),
        old.getLhs(), old.getLhsEncodingAttr(), old.getLhsSumsAttr(), old.getRhs(), old.getRhsEncodingAttr(),
        old.getRhsLayoutAttr(), extra, rewriter.getArrayAttr(maps), destination, /*scratch=*/Value());
    contract->setDiscardableAttrs(old->getDiscardableAttrDictionary());
    buildFusedBody(rewriter, old, generic, fused, rewriter.createBlock(&contract.getEpilogue()));
    rewriter.replaceOp(generic, contract);
    rewriter.eraseOp(old);
  }
};

/// Named elementwise ops are read in their generic form.
struct GeneralizeBehindContract : OpInterfaceRewritePattern<linalg::LinalgOp> {
  using OpInterfaceRewritePattern::OpInterfaceRewritePattern;

  LogicalResult matchAndRewrite(linalg::LinalgOp op, PatternRewriter &rewriter) const override {
    bool reads = llvm::any_of(op->getOperands(), [](Value v) { return v.hasOneUse() && v.getDefiningOp<ContractOp>(); });
    if (isa<linalg::GenericOp>(op) || !reads || !linalg::isElementwise(op))
      return rewriter.notifyMatchFailure(op, "it is no named elementwise op behind a contraction");
    return linalg::generalizeNamedOp(rewriter, op);
  }
};

/// An elementwise op behind expand_shape(contract) works on the collapsed rows instead.
static bool readsExpandedContract(OpOperand *operand) {
  auto expand = operand->get().getDefiningOp<tensor::ExpandShapeOp>();
  auto generic = dyn_cast<linalg::GenericOp>(operand->getOwner());
  return expand && generic && generic.getNumReductionLoops() == 0 && expand->hasOneUse() &&
         expand.getSrc().hasOneUse() && expand.getSrc().getDefiningOp<ContractOp>();
}

struct FuseEpilogues : mlir::qtensor::impl::FuseEpiloguesBase<FuseEpilogues> {
  void runOnOperation() override {
    // Whole chains first: once one op of a chain works on collapsed rows, the others do not meet it any more.
    RewritePatternSet chains(&getContext());
    populateElementwiseFusion(chains);
    if (failed(rewriteGreedily(*this, getOperation(), std::move(chains))))
      return signalPassFailure();
    RewritePatternSet patterns(&getContext());
    patterns.add<FuseIntoContract, GeneralizeBehindContract>(&getContext());
    populateElementwiseFusion(patterns);
    linalg::populateFoldReshapeOpsByCollapsingPatterns(patterns, readsExpandedContract);
    tensor::populateFoldTensorEmptyPatterns(patterns);
    tensor::CollapseShapeOp::getCanonicalizationPatterns(patterns, &getContext());
    tensor::ExpandShapeOp::getCanonicalizationPatterns(patterns, &getContext());
    if (failed(rewriteGreedily(*this, getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
