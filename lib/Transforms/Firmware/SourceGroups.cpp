// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/SourceGroups.h"
#include "dialects/QNN/IR/QNN.h"
#include "lib/Transforms/Firmware/CountWork.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/Support/Path.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

std::string mlir::qtensor::firmware::sourceName(Location loc) {
  std::string name;
  loc->walk([&](Location at) {
    if (auto named = dyn_cast<NameLoc>(at)) {
      name = named.getName().str();
      return WalkResult::interrupt();
    }
    if (auto place = dyn_cast<FileLineColLoc>(at); place && name.empty())
      name = llvm::sys::path::filename(place.getFilename()).str() + ":" + std::to_string(place.getLine());
    return WalkResult::advance();
  });
  return name;
}

/// Whether a value from outside can be made again elsewhere, from constants and the entry's arguments, without an effect; or
/// is memory of the entry's, which can be handed on.
static bool isAddress(Value value, DenseMap<Value, bool> &known) {
  Operation *op = value.getDefiningOp();
  if (!op || isa<LLVM::AllocaOp>(op))
    return true;
  auto [at, isNew] = known.try_emplace(value, false);
  if (!isNew)
    return at->second;
  bool good = isPure(op) && op->getNumRegions() == 0 &&
              llvm::all_of(op->getOperands(), [&](Value operand) { return isAddress(operand, known); });
  return known[value] = good;
}

/// Nothing but addresses and constants comes in, and no value goes out.
static bool canLeave(ArrayRef<Operation *> ops, DenseMap<Value, bool> &known) {
  DenseSet<Operation *> own(ops.begin(), ops.end());
  auto isKnown = [&](Value value) { return own.contains(value.getDefiningOp()) || isAddress(value, known); };
  for (Operation *op : ops) {
    llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
    getUsedValuesDefinedAbove(op->getRegions(), used);
    if (!llvm::all_of(used, isKnown))
      return false;
    for (Operation *user : op->getUsers())
      if (!own.contains(op->getBlock()->findAncestorOpInBlock(*user)))
        return false;
  }
  return true;
}

namespace {
class Grouping {
public:
  void add(Operation *op) {
    std::string name = sourceName(op->getLoc());
    if (!name.empty() && name != current.source)
      close();
    if (!name.empty()) {
      current.source = name;
      current.ops.append(waiting);
      waiting.clear();
      current.ops.push_back(op);
    } else {
      waiting.push_back(op);
    }
  }

  /// A layer or the end follows: what has no name belongs to it.
  void separate(const std::string &name) {
    close();
    current.ops.swap(waiting);
    current.source = name;
    close();
  }

  SmallVector<SourceGroup> groups;

private:
  void close() {
    if (!current.ops.empty())
      groups.push_back(std::move(current));
    current = SourceGroup();
  }

  SourceGroup current;
  SmallVector<Operation *> waiting; ///< Without a name, behind those of `current`.
};
} // namespace

static void describe(SourceGroup &group, unsigned number, DenseMap<Value, bool> &known) {
  Work most;
  for (Operation *op : group.ops) {
    Work work = countWork(op);
    group.multiplications += work.multiplications;
    if (group.kind.empty() || std::pair(most.multiplications, most.elements) < std::pair(work.multiplications, work.elements)) {
      group.kind = work.kind;
      most = work;
    }
  }
  if (!group.multiplications)
    group.multiplications = most.elements;
  if (canLeave(group.ops, known))
    group.function = "op" + std::to_string(number) + "_" + group.kind;
}

/// The status that an entry returns: its own, between no two layers (qtensor-emit-firmware-entry).
static bool handlesStatus(Operation &op) {
  if (isa<LLVM::AllocaOp>(op))
    return true;
  auto store = dyn_cast<LLVM::StoreOp>(op);
  auto load = dyn_cast<LLVM::LoadOp>(op);
  Value address = store ? store.getAddr() : load ? load.getAddr() : Value();
  return address && address.getDefiningOp<LLVM::AllocaOp>();
}

SmallVector<SourceGroup> mlir::qtensor::firmware::groupBySource(func::FuncOp entry) {
  Grouping grouping;
  for (Operation &op : entry.front()) {
    if (isa<qnn::LayerOpInterface, func::CallOp>(op) || op.hasTrait<OpTrait::IsTerminator>())
      grouping.separate(sourceName(op.getLoc()));
    else if (!isPure(&op) && !handlesStatus(op))
      grouping.add(&op);
  }
  DenseMap<Value, bool> known;
  for (auto [i, group] : llvm::enumerate(grouping.groups))
    describe(group, i, known);
  return std::move(grouping.groups);
}
