// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Places every temporary buffer of @main in the one scratch arena that the caller provides.
#include "lib/Transforms/Plan/ArenaPlanner.h"
#include "lib/Transforms/Plan/Passes.h"
#include "lib/Transforms/Plan/SizeExpressions.h"
#include "lib/Transforms/Plan/States.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/ViewLikeInterface.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_PLANMEMORY
#include "lib/Transforms/Plan/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// Allocations that share one place because each but the first overwrites the dying one before it.
struct Storage {
  SmallVector<memref::AllocOp, 1> allocs;
  AffineExpr bytes;
  unsigned begin, end; ///< First and last use, as positions in the body of @main.
};

class Planner {
public:
  Planner(func::FuncOp main, int64_t alignment) : main(main), alignment(alignment), sizes(main) {}

  LogicalResult run();

private:
  LogicalResult collect();
  void mergeElementwise();
  void tryMerge(linalg::LinalgOp op, unsigned position);
  bool readsOnlyInPlace(linalg::LinalgOp op, memref::AllocOp alloc, AffineMap resultMap);
  LogicalResult place();
  FailureOr<Value> slotOffsets(OpBuilder &b, ArrayRef<SmallVector<AffineExpr>> slots, ArrayRef<Value> symbols,
                               int64_t start, SmallVectorImpl<Value> *offsets);
  LogicalResult returnScratchBytes(ArrayRef<SmallVector<AffineExpr>> slots, int64_t staticBytes);
  void replace(Storage &storage, Value offset);

  func::FuncOp main;
  int64_t alignment;
  SizeExpressions sizes;
  SmallVector<Storage> storages;
  DenseMap<Operation *, unsigned> storageOf;
};
} // namespace

/// The allocation behind a value that covers it from the first byte to the last, if any.
static memref::AllocOp wholeAlloc(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (auto alloc = dyn_cast<memref::AllocOp>(op))
      return alloc;
    if (!isa<memref::CollapseShapeOp, memref::ExpandShapeOp, memref::CastOp>(op))
      break;
    value = cast<ViewLikeOpInterface>(op).getViewSource();
  }
  return {};
}

LogicalResult Planner::collect() {
  BufferViewFlowAnalysis views(main);
  DenseMap<Operation *, unsigned> positions;
  for (auto [i, op] : llvm::enumerate(main.front()))
    positions[&op] = i;
  WalkResult walk = main.walk([&](memref::AllocOp alloc) -> WalkResult {
    if (alloc->getParentOfType<scf::ParallelOp>() || alloc->getParentOfType<scf::ForallOp>())
      return alloc.emitError(
          "a buffer inside a parallel loop would be shared by all threads; hoist it or use the stack");
    Storage storage = {{alloc}, sizes.bytesOf(alloc), ~0u, 0};
    for (Value alias : views.resolve(alloc)) {
      if (auto argument = dyn_cast<BlockArgument>(alias);
          argument && alloc->getParentOp() == argument.getOwner()->getParentOp())
        return alloc.emitError("a buffer that a loop allocates is carried to its next iteration; carry a copy instead");
      for (Operation *user : alias.getUsers()) {
        if (isa<ViewLikeOpInterface, memref::DimOp>(user))
          continue;
        unsigned position = positions.lookup(main.front().findAncestorOpInBlock(*user));
        storage.begin = std::min(storage.begin, position);
        storage.end = std::max(storage.end, position);
      }
    }
    if (storage.begin > storage.end)
      storage.begin = storage.end;
    storageOf[alloc] = storages.size();
    storages.push_back(std::move(storage));
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}

/// Whether every read of `alloc` by `op` touches, for each result element, that very element and no other.
bool Planner::readsOnlyInPlace(linalg::LinalgOp op, memref::AllocOp alloc, AffineMap resultMap) {
  for (OpOperand &operand : op->getOpOperands()) {
    Value root = operand.get();
    while (auto view = root.getDefiningOp<ViewLikeOpInterface>())
      root = view.getViewSource();
    if (root != alloc.getResult())
      continue;
    if (!op.isDpsInput(&operand) || wholeAlloc(operand.get()) != alloc ||
        op.getMatchingIndexingMap(&operand) != resultMap)
      return false;
  }
  return true;
}

/// Lets the result of an elementwise op overwrite an input that nobody reads afterwards.
void Planner::tryMerge(linalg::LinalgOp op, unsigned position) {
  if (op.getNumDpsInits() != 1 || op.getNumParallelLoops() != op.getNumLoops())
    return;
  OpOperand *init = op.getDpsInitOperand(0);
  memref::AllocOp result = wholeAlloc(init->get());
  AffineMap resultMap = op.getMatchingIndexingMap(init);
  if (!result || !resultMap.isPermutation() || op.payloadUsesValueFromOperand(init))
    return;
  unsigned target = storageOf.lookup(result);
  if (storages[target].begin != position || storages[target].allocs.size() != 1)
    return;
  for (OpOperand *input : op.getDpsInputOperands()) {
    memref::AllocOp dying = wholeAlloc(input->get());
    if (!dying || dying == result || op.getMatchingIndexingMap(input) != resultMap)
      continue;
    unsigned source = storageOf.lookup(dying);
    Storage &into = storages[source], &from = storages[target];
    // The elements must be as wide, or writing one would reach into the next.
    if (into.end != position || into.bytes != from.bytes ||
        dying.getType().getElementType() != result.getType().getElementType() ||
        !llvm::all_of(into.allocs, [&](memref::AllocOp a) { return readsOnlyInPlace(op, a, resultMap); }))
      continue;
    into.end = from.end;
    into.allocs.push_back(result);
    from.allocs.clear();
    storageOf[result] = source;
    return;
  }
}

void Planner::mergeElementwise() {
  for (auto [position, op] : llvm::enumerate(main.front()))
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
      tryMerge(linalgOp, position);
  llvm::erase_if(storages, [](const Storage &storage) { return storage.allocs.empty(); });
}

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
      Value bytes = affine::expandAffineExpr(b, loc, expr.ceilDiv(alignment) * alignment, {}, symbols);
      if (!bytes)
        return failure();
      size = size ? arith::MaxSIOp::create(b, loc, size, bytes).getResult() : bytes;
    }
    offset = arith::AddIOp::create(b, loc, offset, size);
  }
  return offset;
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
  ret.getOperandsMutable().append(*total);
  shapes.setType(FunctionType::get(main.getContext(), shapes.getArgumentTypes(), ret.getOperandTypes()));
  return success();
}

void Planner::replace(Storage &storage, Value offset) {
  for (memref::AllocOp alloc : storage.allocs) {
    OpBuilder b(alloc);
    Value view = memref::ViewOp::create(b, alloc.getLoc(), alloc.getType(), main.getArgument(kScratchArgument), offset,
                                        alloc.getDynamicSizes());
    alloc.replaceAllUsesWith(view);
    alloc.erase();
  }
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
  ArenaPlan plan = planArena(fixed, alignment);
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
    replace(storages[index], offset);
  for (auto [buffer, index] : llvm::zip_equal(dynamic, dynamicIndex))
    replace(storages[index], offsets[buffer.offset]);

  auto number = [&](StringRef name, int64_t value) { return b.getNamedAttr(name, b.getI64IntegerAttr(value)); };
  main->getParentOfType<ModuleOp>()->setAttr(
      kPlanAttr, b.getDictionaryAttr({number("bound", plan.bound), number("buffers", storages.size()),
                                      number("bytes", plan.bytes), number("slots", slots.size())}));
  return success();
}

LogicalResult Planner::run() {
  if (failed(collect()))
    return failure();
  mergeElementwise();
  return place();
}

namespace {
struct PlanMemory : mlir::qtensor::impl::PlanMemoryBase<PlanMemory> {
  using PlanMemoryBase::PlanMemoryBase;

  void runOnOperation() override {
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!main || main.getNumArguments() < kFirstTensorArgument || main.isExternal()) {
      getOperation().emitError("@main has no %scratch argument; qtensor-make-entry must run first");
      return signalPassFailure();
    }
    if (getOperation()->hasAttr(kPlanAttr))
      return; // An IR file that was already at this point.
    resolveExtents(main);
    if (failed(Planner(main, alignment).run()))
      signalPassFailure();
  }
};
} // namespace
