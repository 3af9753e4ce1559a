// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Values that were moved into the memory of outputs and states, as if they had been computed elsewhere.
#include "lib/Transforms/Plan/Passes.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_ORDERSTORES
#include "lib/Transforms/Plan/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using bufferization::MaterializeInDestinationOp;
using bufferization::ToTensorOp;

/// One tensor for the memory of each argument, from the entry on: of two, analysis takes neither for the other.
static void mergeTensors(func::FuncOp function) {
  OpBuilder b = OpBuilder::atBlockBegin(&function.front());
  for (BlockArgument argument : function.getArguments()) {
    SmallVector<ToTensorOp> tensors;
    for (Operation *user : argument.getUsers())
      if (auto tensor = dyn_cast<ToTensorOp>(user))
        tensors.push_back(tensor);
    if (tensors.size() < 2)
      continue;
    bool writable = llvm::any_of(tensors, [](ToTensorOp tensor) { return tensor.getWritable(); });
    auto first = ToTensorOp::create(b, tensors.front().getLoc(), tensors.front().getType(), argument, /*restrict=*/true, writable);
    for (ToTensorOp tensor : tensors) {
      tensor.replaceAllUsesWith(first.getResult());
      tensor.erase();
    }
  }
}

/// Every value that may lie in the memory of `start`.
static llvm::SetVector<Value> findSharing(Value start) {
  bufferization::BufferizationOptions options;
  bufferization::AnalysisState state(options);
  llvm::SetVector<Value> sharing;
  sharing.insert(start);
  for (unsigned i = 0; i < sharing.size(); ++i)
    for (OpOperand &use : sharing[i].getUses()) {
      if (auto bufferizable = dyn_cast<bufferization::BufferizableOpInterface>(use.getOwner()))
        for (const bufferization::AliasingValue &alias : bufferizable.getAliasingValues(use, state))
          sharing.insert(alias.value);
      if (isa<scf::YieldOp, scf::ConditionOp>(use.getOwner()))
        sharing.insert_range(use.getOwner()->getParentOp()->getResults());
    }
  return sharing;
}

namespace {
/// A store at the end of @main, into the memory of an argument.
struct Store {
  MaterializeInDestinationOp op;
  llvm::SetVector<Value> sharing; ///< What may lie in that memory.

  Value getValue() { return op.getSource(); }
  /// Whether this store may overwrite what the other one has still to read.
  bool destroys(Store &other) { return getValue() != other.getValue() && sharing.contains(other.getValue()); }
};

struct OrderStores : mlir::qtensor::impl::OrderStoresBase<OrderStores> {
  void runOnOperation() override {
    if (getOperation().isExternal() || !getOperation().getBody().hasOneBlock())
      return;
    mergeTensors(getOperation());
    SmallVector<Store> stores = collectStores();
    if (stores.empty())
      return;
    Operation *first = stores.front().op, *last = stores.back().op;
    while (!stores.empty())
      last = moveBehind(last, takeNext(stores, first));
  }

private:
  SmallVector<Store> collectStores() {
    SmallVector<Store> stores;
    for (auto op : getOperation().front().getOps<MaterializeInDestinationOp>()) {
      auto memory = dyn_cast<BlockArgument>(op.getDest());
      if (!memory || !isa<BaseMemRefType>(memory.getType()))
        continue;
      stores.push_back({op, {}});
      for (Operation *user : memory.getUsers())
        if (auto tensor = dyn_cast<ToTensorOp>(user))
          stores.back().sharing = findSharing(tensor);
    }
    return stores;
  }

  /// One that destroys nothing that others read. Where each does, what the others read is copied before the first store.
  static MaterializeInDestinationOp takeNext(SmallVector<Store> &stores, Operation *firstStore) {
    auto isHarmless = [&](Store &store) {
      return llvm::none_of(stores, [&](Store &other) { return store.destroys(other); });
    };
    auto next = llvm::find_if(stores, isHarmless);
    if (next == stores.end()) {
      next = stores.begin();
      OpBuilder b(firstStore);
      for (Store &other : stores)
        if (next->destroys(other)) {
          auto type = cast<RankedTensorType>(other.getValue().getType());
          Value copy = bufferization::AllocTensorOp::create(b, other.op.getLoc(), type, ValueRange(), other.getValue());
          other.op.getSourceMutable().set(copy);
        }
    }
    MaterializeInDestinationOp op = next->op;
    stores.erase(next);
    return op;
  }

  static Operation *moveBehind(Operation *last, MaterializeInDestinationOp op) {
    if (op != last)
      op->moveAfter(last);
    return op;
  }
};
} // namespace
