// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Contractions on encoded tensors become qtensor.contract.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Select/Contraction.h"
#include "lib/Transforms/Select/Passes.h"
#include "lib/Transforms/Select/Strategy.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_SELECTCONTRACTIONS
#include "lib/Transforms/Select/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

/// A side of the contract: the value itself, or the components of its encoding.
static SmallVector<Value> readSide(OpBuilder &builder, Location loc, Value value) {
  BlockAttr encoding = getBlockEncoding(value.getType());
  if (!encoding)
    return {value};
  SmallVector<Component> components;
  encoding.getComponents(cast<ShapedType>(value.getType()).getShape(), builder.getContext(), components);
  SmallVector<Value> values;
  for (Component &component : components)
    values.push_back(ComponentOp::create(builder, loc, component.type, value, builder.getStringAttr(component.name)));
  return values;
}

/// The overruling strategy: the op's attribute, else the pass option; null when both leave the choice open.
static FailureOr<StrategyAttr> readOverride(Operation *op, StringRef option) {
  Attribute attribute = op->getAttr(kStrategyAttr);
  if (!attribute && option == "float")
    return StrategyAttr::get(op->getContext(), StrategyKind::Float, 0);
  if (!attribute)
    return StrategyAttr();
  if (auto strategy = dyn_cast<StrategyAttr>(attribute))
    return strategy;
  return op->emitError() << "'" << kStrategyAttr << "' is #qtensor.strategy<float> or #qtensor.strategy<integer<limbs>>, "
                         << "got " << attribute;
}

/// The chosen strategy, or an error when an override asks for what cannot be.
static FailureOr<StrategyChoice> decide(Contraction contraction, StringRef option) {
  StrategyChoice choice = chooseStrategy(contraction);
  FailureOr<StrategyAttr> wanted = readOverride(contraction.op, option);
  if (failed(wanted))
    return failure();
  bool wantsInteger = *wanted ? (*wanted).getKind() == StrategyKind::Integer : option == "integer";
  if (wantsInteger && !choice.integer)
    return contraction.op.emitError() << "the integer strategy was asked for, but " << choice.reason
                                      << "; leave the choice to the compiler or change the encodings";
  if (wantsInteger && *wanted && *wanted != choice.integer)
    return contraction.op.emitError() << "the strategy " << *wanted << " was asked for, but the weight's codec needs "
                                      << choice.integer.getLimbs() << " limb(s)";
  if (wantsInteger) {
    choice.strategy = choice.integer;
    choice.reason.clear();
  } else if (*wanted) {
    choice.strategy = *wanted;
    choice.reason = "float was asked for";
  }
  return choice;
}

/// The epilogue: the accumulator, plus the init if there is one, in the element type of the output.
static void buildEpilogue(OpBuilder &builder, ContractOp contract, Value extra) {
  Location loc = contract.getLoc();
  Block *body = builder.createBlock(&contract.getEpilogue());
  Type f32 = builder.getF32Type();
  Value result = body->addArgument(f32, loc);
  Type type = cast<ShapedType>(contract.getOutput().getType()).getElementType();
  auto toOutput = [&](Value value) -> Value {
    return type == f32 ? value : arith::TruncFOp::create(builder, loc, type, value).getResult();
  };
  if (extra)
    result = arith::AddFOp::create(builder, loc, toOutput(result), body->addArgument(type, loc));
  else
    result = toOutput(result);
  YieldOp::create(builder, loc, result);
}

/// Ends a run whose open extents make blocks of more products than an i32 sum holds.
static void checkOpenBlock(IRRewriter &rewriter, Contraction c, const StrategyChoice &choice) {
  Location loc = c.op->getLoc();
  auto extentOf = [&](unsigned dim) -> Value {
    for (auto [side, map] : {std::pair(c.lhs, c.lhsMap), std::pair(c.rhs, c.rhsMap)})
      for (auto [position, expr] : llvm::enumerate(map.getResults()))
        if (expr == rewriter.getAffineDimExpr(dim))
          return tensor::DimOp::create(rewriter, loc, side->get(), position);
    return {};
  };
  Value products;
  for (unsigned dim : choice.open)
    if (Value extent = extentOf(dim))
      products = products ? arith::MulIOp::create(rewriter, loc, products, extent).getResult() : extent;
  if (!products)
    return;
  Value most = arith::ConstantIndexOp::create(rewriter, loc, choice.most);
  Value fits = arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::sle, products, most);
  cf::AssertOp::create(
      rewriter, loc, fits,
      ("a block of codes has more products than a sum of 32 bits holds: the extents that it goes along "
       "may make up " +
       Twine(choice.most) +
       "; give the encodings smaller blocks, or take the float "
       "strategy")
          .str());
}

static LogicalResult select(IRRewriter &rewriter, Contraction c, StringRef option) {
  FailureOr<StrategyChoice> choice = decide(c, option);
  if (failed(choice))
    return failure();
  Operation *op = c.op;
  Location loc = op->getLoc();
  rewriter.setInsertionPoint(op);
  if (choice->strategy.getKind() == StrategyKind::Integer)
    checkOpenBlock(rewriter, c, *choice);
  Value outs = c.op.getDpsInits()[0];
  Init init = readInit(outs);
  if (!init.empty) {
    auto type = cast<RankedTensorType>(outs.getType());
    init.empty = tensor::EmptyOp::create(rewriter, loc, tensor::getMixedSizes(rewriter, loc, outs), type.getElementType());
  }
  SmallVector<Attribute> iterators;
  for (utils::IteratorType type : c.op.getIteratorTypesArray())
    iterators.push_back(rewriter.getStringAttr(utils::stringifyIteratorType(type)));
  SmallVector<Value> extra;
  SmallVector<AffineMap> extraMaps;
  if (init.extra) {
    extra.push_back(init.extra);
    extraMaps.push_back(init.extraMap);
  }
  auto contract = ContractOp::create(
      rewriter, loc, op->getResult(0).getType(), choice->strategy,
      rewriter.getAffineMapArrayAttr({c.lhsMap, c.rhsMap, c.outputMap}), rewriter.getArrayAttr(iterators),
      readSide(rewriter, loc, c.lhs->get()), getBlockEncoding(c.lhs->get().getType()), /*lhs_sums=*/false,
      readSide(rewriter, loc, c.rhs->get()), getBlockEncoding(c.rhs->get().getType()), /*rhs_layout=*/Attribute(), extra,
      rewriter.getAffineMapArrayAttr(extraMaps), init.empty, /*scratch=*/Value());
  if (!choice->reason.empty())
    contract->setAttr(kReasonAttr, rewriter.getStringAttr(choice->reason));
  buildEpilogue(rewriter, contract, init.extra);
  rewriter.replaceOp(op, contract);
  return success();
}

namespace {
struct SelectContractions : mlir::qtensor::impl::SelectContractionsBase<SelectContractions> {
  using SelectContractionsBase::SelectContractionsBase;

  void runOnOperation() override {
    if (!isStrategyOption(strategy)) {
      getOperation().emitError() << "strategy is auto, float or integer, got '" << strategy << "'";
      return signalPassFailure();
    }
    SmallVector<Contraction> contractions;
    getOperation().walk([&](linalg::LinalgOp op) {
      FailureOr<Contraction> contraction = matchContraction(op);
      if (failed(contraction))
        return;
      bool encoded = llvm::any_of(op->getOperandTypes(), [](Type type) { return bool(getEncoding(type)); });
      if (encoded || (plainWeights && isWeight(contraction->rhs->get())))
        contractions.push_back(*contraction);
    });
    if (strategy != "auto" && llvm::all_of(contractions, [](Contraction c) { return c.op->hasAttr(kStrategyAttr); }))
      getOperation().emitWarning() << "strategy=" << strategy << " has no effect: "
                                   << (contractions.empty() ? "no contraction has an encoded operand"
                                                            : "the strategies of all layers are given");
    IRRewriter rewriter(&getContext());
    for (const Contraction &contraction : contractions)
      if (failed(select(rewriter, contraction, strategy)))
        return signalPassFailure();
  }
};
} // namespace
