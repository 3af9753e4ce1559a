// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Encodes the caches that a model keeps between calls.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Quantize/Passes.h"
#include "lib/Quantize/Plan.h"
#include "lib/Transforms/Plan/Passes.h"
#include "qtensor/Format.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/PatternMatch.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_QUANTIZESTATES
#include "lib/Quantize/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

static constexpr StringLiteral kNone = "none";

namespace {
/// One state: an argument, and the returned operand that takes its place in the next call.
struct State {
  BlockArgument argument;
  OpOperand *result;
  StringRef name;
};

struct QuantizeStates : mlir::qtensor::impl::QuantizeStatesBase<QuantizeStates> {
  using QuantizeStatesBase::QuantizeStatesBase;

  void runOnOperation() override;
};
} // namespace

/// Only rows are written: the result is the argument with slices inserted. Null if it is.
static Operation *findOtherWriter(const State &state) {
  Value value = state.result->get();
  while (auto insert = value.getDefiningOp<tensor::InsertSliceOp>())
    value = insert.getDest();
  return value == state.argument ? nullptr : value.getDefiningOp() ? value.getDefiningOp() : state.argument.getOwner()->getParentOp();
}

/// A reader that would itself have an encoded result reads the decoded values.
static void decodeFor(IRRewriter &rewriter, OpOperand &use, RankedTensorType plain) {
  rewriter.setInsertionPoint(use.getOwner());
  Value decoded = DequantizeOp::create(rewriter, use.getOwner()->getLoc(), plain, use.get());
  use.set(decoded);
}

/// Gives `value` the encoded type, and what follows from it to its users.
static void retype(IRRewriter &rewriter, Value value, RankedTensorType encoded) {
  auto plain = stripEncoding(encoded);
  value.setType(encoded);
  for (OpOperand &use : llvm::make_early_inc_range(value.getUses())) {
    Operation *user = use.getOwner();
    if (auto insert = dyn_cast<tensor::InsertSliceOp>(user); insert && use.get() == insert.getDest()) {
      rewriter.setInsertionPoint(insert);
      auto made = InsertOp::create(rewriter, insert.getLoc(), encoded, insert.getSource(), value, insert.getOffsets(), insert.getSizes(),
                                   insert.getStrides(), insert.getStaticOffsets(), insert.getStaticSizes(), insert.getStaticStrides(),
                                   /*encoder=*/StringAttr());
      rewriter.replaceAllUsesWith(insert.getResult(), made.getResult());
      rewriter.eraseOp(insert);
      retype(rewriter, made.getResult(), encoded);
    } else if (!isa<func::ReturnOp, InsertOp>(user) && !isa<linalg::LinalgOp>(user) && !isa<tensor::DimOp>(user)) {
      decodeFor(rewriter, use, plain);
    }
  }
}

static FailureOr<BlockAttr> readFormat(const State &state, StringRef spelling, func::FuncOp main) {
  auto type = cast<RankedTensorType>(state.argument.getType());
  auto emitError = [&] { return main.emitError() << "state '" << state.name << "': "; };
  FailureOr<FormatChoice> choice = parseFormatSpelling(main.getContext(), spelling, type.getRank(), {type.getRank() - 1}, emitError);
  if (failed(choice))
    return failure();
  auto block = dyn_cast<BlockAttr>(choice->encoding);
  bool rows = block && llvm::all_of(block.getBlock().drop_back(), [](int64_t size) { return size == 1; });
  if (!rows)
    return emitError() << "format '" << spelling << "' has blocks over several tokens, which cannot be written one by one; "
                       << "use /token or a number";
  return block;
}

/// A state is written in place, as a slice of whole rows: blocks never straddle what is written.
static LogicalResult encodeState(State &state, StringRef spelling, func::FuncOp main) {
  auto type = cast<RankedTensorType>(state.argument.getType());
  FailureOr<BlockAttr> encoding = readFormat(state, spelling, main);
  if (failed(encoding))
    return failure();
  if (Operation *other = findOtherWriter(state))
    return other->emitError() << "state '" << state.name << "' is not only written by tensor.insert_slice, so it cannot be "
                              << "stored as '" << spelling << "'; leave it as it is with a plan line 'caches=none'";
  for (Value value = state.result->get(); auto insert = value.getDefiningOp<tensor::InsertSliceOp>(); value = insert.getDest()) {
    OpFoldResult offset = insert.getMixedOffsets().back(), size = insert.getMixedSizes().back();
    if (getConstantIntValue(offset) != 0 || getConstantIntValue(size) != type.getShape().back() ||
        insert.getSourceType().getRank() != type.getRank())
      return insert.emitError() << "state '" << state.name << "' is stored as '" << spelling << "', but this writes part of a row";
  }
  IRRewriter rewriter(main.getContext());
  retype(rewriter, state.argument, type.cloneWithEncoding(*encoding));
  return success();
}

static SmallVector<State> findStates(func::FuncOp main) {
  SmallVector<State> states;
  Operation *ret = main.front().getTerminator();
  for (unsigned i = 0; i < main.getNumArguments(); ++i)
    for (unsigned r = 0; r < main.getNumResults(); ++r) {
      auto name = main.getArgAttrOfType<StringAttr>(i, kStateAttr);
      auto type = dyn_cast<RankedTensorType>(main.getArgumentTypes()[i]);
      if (name && name == main.getResultAttr(r, kStateAttr) && type && type.getRank() >= 2 && !type.getEncoding() &&
          isa<FloatType>(type.getElementType()))
        states.push_back({main.getArgument(i), &ret->getOpOperand(r), name.getValue()});
    }
  return states;
}

void QuantizeStates::runOnOperation() {
  FailureOr<Plan> rules = Plan::load(&getContext(), planFile);
  if (failed(rules))
    return signalPassFailure();
  auto main = getOperation().lookupSymbol<func::FuncOp>("main");
  if (!main || main.isExternal())
    return;
  for (State &state : findStates(main)) {
    std::string spelling = rules->decide({state.name}, PlanKey::Caches, caches);
    if (spelling != kNone && failed(encodeState(state, spelling, main)))
      return signalPassFailure();
  }
  main.setType(FunctionType::get(&getContext(), main.front().getArgumentTypes(), main.front().getTerminator()->getOperandTypes()));
  rules->warnUnmatched({PlanKey::Caches});
  rules->warnUnused(getOperation().getLoc(), PlanKey::Caches, caches,
                    "the model keeps no state of floats with two axes or more");
}
