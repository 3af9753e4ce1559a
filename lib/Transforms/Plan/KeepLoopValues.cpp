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

/// Whether `value` is `carried` with other contents, through destinations.
static bool isWrittenInto(Value value, BlockArgument carried) {
  while (value != carried) {
    auto destination = value.getDefiningOp<DestinationStyleOpInterface>();
    if (!destination)
      return false;
    value = destination.getTiedOpOperand(cast<OpResult>(value))->get();
  }
  return true;
}

static Value keep(OpBuilder &b, Location loc, Value value, Value memory) {
  return bufferization::MaterializeInDestinationOp::create(b, loc, memory.getType(), value, memory)->getResult(0);
}

namespace {
struct KeepLoopValues : mlir::qtensor::impl::KeepLoopValuesBase<KeepLoopValues> {
  void runOnOperation() override {
    getOperation()->walk([](scf::ForOp loop) {
      Operation *yield = loop.getBody()->getTerminator();
      OpBuilder b(yield);
      for (auto [operand, carried] : llvm::zip_equal(yield->getOpOperands(), loop.getRegionIterArgs()))
        if (isa<RankedTensorType>(carried.getType()) && !isWrittenInto(operand.get(), carried))
          operand.set(keep(b, loop.getLoc(), operand.get(), carried));
    });
  }
};
} // namespace
