// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Counts the values that are rounded, so that what upstream does rightly (erase what nobody reads, merge what is
// computed twice) is told from what it must not do.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Contracts/Clauses.h"
#include "lib/Transforms/Contracts/Contracts.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Iterators.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// A hash for each value of how it is computed, down to the arguments.
class Structure {
public:
  llvm::hash_code hash(Operation *op) {
    llvm::hash_code result = OperationEquivalence::computeHash(
        op, [&](Value operand) { return lookup(operand); }, [](Value) { return llvm::hash_code(0); },
        OperationEquivalence::IgnoreLocations);
    for (Region &region : op->getRegions())
      for (Block &block : region) {
        for (BlockArgument argument : block.getArguments())
          values[argument] = llvm::hash_combine(argument.getArgNumber(), argument.getType().getAsOpaquePointer());
        for (Operation &nested : block)
          result = llvm::hash_combine(result, hash(&nested));
      }
    for (OpResult value : op->getResults())
      values[value] = llvm::hash_combine(result, value.getResultNumber());
    return result;
  }

  /// What lies outside of the root is itself.
  llvm::hash_code lookup(Value value) {
    auto it = values.find(value);
    return it == values.end() ? mlir::hash_value(value) : it->second;
  }

private:
  DenseMap<Value, llvm::hash_code> values;
};
} // namespace

/// Ops whose values something reads, and those that do something. An extent is no value.
static DenseSet<Operation *> findLive(Operation *root) {
  DenseSet<Operation *> live;
  root->walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
    auto reads = [&](Operation *user) { return live.contains(user) && !isa<tensor::DimOp>(user); };
    // An op without users is dead in itself; one with users is dead if they are.
    bool isPureOp = isMemoryEffectFree(op) && !op->hasTrait<OpTrait::IsTerminator>();
    if (!isPureOp || llvm::any_of(op->getUsers(), reads))
      live.insert(op);
  });
  return live;
}

Roundings qtensor::countRoundings(Operation *root) {
  SmallVector<Operation *> found;
  root->walk([&](Operation *op) {
    if (isa<QuantizeOp, RequantizeOp, InsertOp, EncodeOp>(op))
      found.push_back(op);
  });
  if (found.empty())
    return {};
  DenseSet<Operation *> live = findLive(root);
  Structure structure;
  structure.hash(root);
  Roundings result;
  DenseSet<size_t> seen;
  for (Operation *op : found) {
    if (!live.contains(op))
      continue;
    ++result.live;
    result.distinct += !op->getNumResults() || seen.insert(structure.lookup(op->getResult(0))).second;
  }
  return result;
}

LogicalResult qtensor::verifyRoundings(Operation *root, Roundings before, StringRef pass) {
  Roundings now = countRoundings(root);
  if (now.live >= before.distinct && now.distinct <= before.live)
    return success();
  ClauseScope blame(pass);
  return emitClause(root, "C2.8") << before.live << " values were rounded before it, " << now.live << " are after it";
}
