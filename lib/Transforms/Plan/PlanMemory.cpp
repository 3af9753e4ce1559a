// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Places every temporary buffer of @main in the one scratch arena that the caller provides.
#include "lib/Transforms/Plan/ArenaPlanner.h"
#include "lib/Transforms/Plan/Passes.h"
#include "lib/Transforms/Plan/SizeExpressions.h"
#include "lib/Transforms/Plan/Storages.h"
#include "lib/Transforms/Plan/States.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_PLANMEMORY
#include "lib/Transforms/Plan/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

namespace {
class Planner {
public:
  explicit Planner(func::FuncOp main) : main(main), sizes(main) {}

  LogicalResult run();

private:
  LogicalResult place();
  FailureOr<Value> slotOffsets(OpBuilder &b, ArrayRef<SmallVector<AffineExpr>> slots, ArrayRef<Value> symbols,
                               int64_t start, SmallVectorImpl<Value> *offsets);
  LogicalResult returnScratchBytes(ArrayRef<SmallVector<AffineExpr>> slots, int64_t staticBytes);

  func::FuncOp main;
  SizeExpressions sizes;
  SmallVector<Storage> storages;
};
} // namespace

/// Emits the running sum of slot sizes. Returns the total.
FailureOr<Value> Planner::slotOffsets(OpBuilder &b, ArrayRef<SmallVector<AffineExpr>> slots, ArrayRef<Value> symbols,
                                      int64_t start, SmallVectorImpl<Value> *offsets) {
  Location loc = main.getLoc();
  Value offset = arith::ConstantIndexOp::create(b, loc, start);
  for (ArrayRef<AffineExpr> slot : slots) {
    if (offsets)
      offsets->push_back(offset);
    Value size;
    for (AffineExpr expr : slot) {
      Value bytes = affine::expandAffineExpr(b, loc, expr.ceilDiv(kBufferAlignment) * kBufferAlignment, {}, symbols);
      if (!bytes)
        return failure();
      size = size ? arith::MaxSIOp::create(b, loc, size, bytes).getResult() : bytes;
    }
    offset = arith::AddIOp::create(b, loc, offset, size);
  }
  return offset;
}

/// Takes what has to hold of the extents from the results of @shapes, where it is the last; null: nothing.
static Value takeChecks(func::ReturnOp ret) {
  if (ret.getNumOperands() == 0 || !ret.getOperands().back().getType().isInteger(1))
    return {};
  Value fits = ret.getOperands().back();
  ret.getOperandsMutable().erase(ret.getNumOperands() - 1);
  return fits;
}

LogicalResult Planner::returnScratchBytes(ArrayRef<SmallVector<AffineExpr>> slots, int64_t staticBytes) {
  auto shapes = main->getParentOfType<ModuleOp>().lookupSymbol<func::FuncOp>("shapes");
  if (!shapes)
    return main.emitError("the module has no @shapes; qtensor-make-entry must run first");
  auto ret = cast<func::ReturnOp>(shapes.front().getTerminator());
  OpBuilder b(ret);
  // The extents of all inputs, in order, are the arguments of @shapes; those of the outputs are its results.
  auto extent = [&](BlockArgument argument, int64_t dim) -> Value {
    unsigned index = dim;
    for (unsigned i = kFirstTensorArgument; i < argument.getArgNumber(); ++i)
      if (!isStateArgument(main, i))
        index += cast<MemRefType>(main.getArgument(i).getType()).getRank();
    unsigned count = shapes.getNumArguments();
    return index < count ? Value(shapes.getArgument(index)) : ret.getOperand(index - count);
  };
  SmallVector<Value> symbols;
  if (failed(sizes.materialize(b, extent, symbols)))
    return failure();
  FailureOr<Value> total = slotOffsets(b, slots, symbols, staticBytes, nullptr);
  if (failed(total))
    return failure();
  Value result = *total;
  if (Value fits = takeChecks(ret))
    result = arith::SelectOp::create(b, ret.getLoc(), fits, result,
                                     arith::ConstantIndexOp::create(b, ret.getLoc(), -1));
  ret.getOperandsMutable().append(result);
  shapes.setType(FunctionType::get(main.getContext(), shapes.getArgumentTypes(), ret.getOperandTypes()));
  return success();
}

LogicalResult Planner::place() {
  SmallVector<ArenaBuffer> fixed, dynamic;
  SmallVector<unsigned> fixedIndex, dynamicIndex, kinds;
  llvm::MapVector<AffineExpr, unsigned> kindOf;
  for (auto [i, storage] : llvm::enumerate(storages)) {
    bool isFixed = isa<AffineConstantExpr>(storage.bytes);
    (isFixed ? fixed : dynamic).push_back({SizeExpressions::guess(storage.bytes), storage.begin, storage.end});
    (isFixed ? fixedIndex : dynamicIndex).push_back(i);
    if (!isFixed)
      kinds.push_back(kindOf.insert({storage.bytes, kindOf.size()}).first->second);
  }
  ArenaPlan plan = planArena(fixed, kBufferAlignment);
  SmallVector<SmallVector<AffineExpr>> slots(assignSlots(dynamic, kinds));
  for (auto [buffer, index] : llvm::zip_equal(dynamic, dynamicIndex))
    if (!llvm::is_contained(slots[buffer.offset], storages[index].bytes))
      slots[buffer.offset].push_back(storages[index].bytes);

  OpBuilder b = OpBuilder::atBlockBegin(&main.front());
  auto extent = [&](BlockArgument argument, int64_t dim) -> Value {
    return memref::DimOp::create(b, argument.getLoc(), argument, dim);
  };
  SmallVector<Value> symbols, offsets;
  if (failed(returnScratchBytes(slots, plan.bytes)) || failed(sizes.materialize(b, extent, symbols)) ||
      failed(slotOffsets(b, slots, symbols, plan.bytes, &offsets)))
    return failure();
  // All offsets before the first replacement: that may erase the op at the insertion point.
  SmallVector<Value> fixedOffsets = llvm::map_to_vector(fixed, [&](const ArenaBuffer &buffer) -> Value {
    return arith::ConstantIndexOp::create(b, main.getLoc(), buffer.offset);
  });
  for (auto [offset, index] : llvm::zip_equal(fixedOffsets, fixedIndex))
    replaceByView(storages[index], main.getArgument(kScratchArgument), offset);
  for (auto [buffer, index] : llvm::zip_equal(dynamic, dynamicIndex))
    replaceByView(storages[index], main.getArgument(kScratchArgument), offsets[buffer.offset]);

  auto number = [&](StringRef name, int64_t value) { return b.getNamedAttr(name, b.getI64IntegerAttr(value)); };
  main->getParentOfType<ModuleOp>()->setAttr(
      kPlanAttr, b.getDictionaryAttr({number("bound", plan.bound), number("buffers", storages.size()),
                                      number("bytes", plan.bytes), number("slots", slots.size())}));
  return success();
}

LogicalResult Planner::run() {
  FailureOr<SmallVector<Storage>> collected = collectStorages(main, sizes);
  if (failed(collected))
    return failure();
  storages = std::move(*collected);
  return place();
}

namespace {
struct PlanMemory : mlir::qtensor::impl::PlanMemoryBase<PlanMemory> {
  void runOnOperation() override {
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!main || main.getNumArguments() < kFirstTensorArgument || main.isExternal()) {
      getOperation().emitError("@main has no %scratch argument; qtensor-make-entry must run first");
      return signalPassFailure();
    }
    if (getOperation()->hasAttr(kPlanAttr))
      return; // An IR file that was already at this point.
    resolveExtents(main);
    if (failed(Planner(main).run()))
      signalPassFailure();
  }
};
} // namespace
