// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/Passes.h"
#include "lib/Transforms/Firmware/SourceGroups.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_OUTLINESOURCES
#include "lib/Transforms/Firmware/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

namespace {
/// What the operations of a group use from outside.
struct Captures {
  llvm::SetVector<Value> arguments;    ///< The entry's, and its memory.
  llvm::SetVector<Operation *> copies; ///< Operations that make addresses and constants, operands first.

  void add(Value value) {
    Operation *op = value.getDefiningOp();
    if (!op || isa<LLVM::AllocaOp>(op)) { // memory of the entry's stays its own
      arguments.insert(value);
      return;
    }
    if (copies.contains(op))
      return;
    for (Value operand : op->getOperands())
      add(operand);
    copies.insert(op);
  }
};

struct OutlineSources : mlir::qtensor::impl::OutlineSourcesBase<OutlineSources> {
  using OutlineSourcesBase::OutlineSourcesBase;

  void runOnOperation() override {
    auto main = getOperation().lookupSymbol<func::FuncOp>(entry);
    if (!main || main.isExternal()) {
      getOperation().emitError() << "has no function @" << entry << "; qtensor-emit-firmware-entry makes it";
      return signalPassFailure();
    }
    for (const SourceGroup &group : groupBySource(main))
      if (!group.function.empty())
        outline(main, group);
  }

private:
  void outline(func::FuncOp main, const SourceGroup &group);
};
} // namespace

static Captures findCaptures(const SourceGroup &group) {
  DenseSet<Operation *> own(group.ops.begin(), group.ops.end());
  Captures captures;
  for (Operation *op : group.ops) {
    llvm::SetVector<Value> used(op->operand_begin(), op->operand_end());
    getUsedValuesDefinedAbove(op->getRegions(), used);
    for (Value value : used)
      if (!own.contains(value.getDefiningOp()))
        captures.add(value);
  }
  return captures;
}

void OutlineSources::outline(func::FuncOp main, const SourceGroup &group) {
  Captures captures = findCaptures(group);
  ArrayRef<Value> arguments = captures.arguments.getArrayRef();
  Location loc = group.ops.back()->getLoc();
  OpBuilder b(main);
  auto function = func::FuncOp::create(b, loc, group.function, b.getFunctionType(ValueRange(arguments).getTypes(), {}));
  function.setPrivate();
  function->setAttr("passthrough", b.getStrArrayAttr({"noinline"}));
  Block *body = function.addEntryBlock();
  IRMapping map;
  map.map(arguments, body->getArguments());
  b.setInsertionPoint(group.ops.front());
  func::CallOp::create(b, loc, function, arguments);
  b.setInsertionPointToStart(body);
  for (Operation *op : captures.copies)
    b.clone(*op, map);
  for (Operation *op : group.ops)
    b.clone(*op, map);
  func::ReturnOp::create(b, loc);
  for (Operation *op : llvm::reverse(group.ops))
    op->erase();
}
