// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A tensor that a loop carries has one memory: what an iteration yields is written where its start was.
#include "lib/Transforms/Plan/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_KEEPLOOPVALUES
#include "lib/Transforms/Plan/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;

/// Whether `value` is `start` with other contents, through destinations.
static bool isWrittenInto(Value value, Value start) {
  while (value != start) {
    auto destination = value.getDefiningOp<DestinationStyleOpInterface>();
    if (!destination)
      return false;
    value = destination.getTiedOpOperand(cast<OpResult>(value))->get();
  }
  return true;
}

/// Whether the operand may lie in the memory of a tensor that is given.
static bool mayBeCarried(OpOperand &operand, Block::BlockArgListType given) {
  auto isGiven = [&](Value value) { return llvm::is_contained(given, value); };
  bufferization::BufferizationOptions options;
  bufferization::TraversalConfig config;
  config.alwaysIncludeLeaves = false;
  config.followUnknownOps = true;
  return !bufferization::AnalysisState(options).findValueInReverseUseDefChain(&operand, isGiven, config).empty();
}

/// `value` with a memory of its own, made before anything can overwrite it.
static Value copied(OpBuilder &b, Location loc, Value value) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfterValue(value);
  auto type = cast<RankedTensorType>(value.getType());
  return bufferization::AllocTensorOp::create(b, loc, type, ValueRange(), value);
}

static Value keep(OpBuilder &b, Location loc, Value value, Value memory) {
  return bufferization::MaterializeInDestinationOp::create(b, loc, memory.getType(), value, memory)->getResult(0);
}

/// Whether another of the values that are passed on is `value` with other contents: it is overwritten before it is stored.
static bool hasSuccessor(Value value, ArrayRef<Value> passed) {
  return llvm::any_of(passed, [&](Value other) { return other != value && isWrittenInto(other, value); });
}

/// What `end` passes on goes into the memory of what its body was given in the same place. What lies in the memory of another one
/// would be overwritten before it is read. What is passed on twice is stored from where it was stored first: one value
/// has one memory.
static LogicalResult keepAll(Operation *end, MutableArrayRef<OpOperand> passed, Block::BlockArgListType given) {
  OpBuilder b(end);
  SmallVector<Value> values = llvm::map_to_vector(passed, [](OpOperand &operand) { return operand.get(); });
  DenseMap<Value, Value> stored;
  for (auto [i, operand] : llvm::enumerate(passed)) {
    if (!isa<RankedTensorType>(operand.get().getType()))
      continue;
    if (i >= given.size() || given[i].getType() != operand.get().getType())
      return end->emitError() << "passes on a tensor of type " << operand.get().getType() << " in place " << i
                              << ", where its loop does not carry one of that type; tensors that a loop carries keep their "
                                 "memory: pass them in the order and with the types in which they came";
    if (isWrittenInto(operand.get(), given[i]))
      continue;
    Value &place = stored[values[i]];
    if (place)
      operand.set(place);
    else if (mayBeCarried(operand, given) || hasSuccessor(values[i], values))
      operand.set(copied(b, end->getLoc(), operand.get()));
    place = keep(b, end->getLoc(), operand.get(), given[i]);
    operand.set(place);
  }
  return success();
}

namespace {
struct KeepLoopValues : mlir::qtensor::impl::KeepLoopValuesBase<KeepLoopValues> {
  void runOnOperation() override {
    WalkResult result = getOperation()->walk([](Operation *op) -> WalkResult {
      if (auto loop = dyn_cast<scf::ForOp>(op))
        return keepAll(loop.getBody()->getTerminator(), *loop.getYieldedValuesMutable(), loop.getRegionIterArgs());
      if (auto loop = dyn_cast<scf::WhileOp>(op)) {
        if (failed(keepAll(loop.getConditionOp(), loop.getConditionOp().getArgsMutable(), loop.getBeforeArguments())))
          return failure();
        return keepAll(loop.getYieldOp(), loop.getYieldOp().getResultsMutable(), loop.getAfterArguments());
      }
      return success();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
