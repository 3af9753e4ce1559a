// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Plan/Storages.h"
#include "dialects/QNN/IR/QNN.h"
#include "mlir/Dialect/Bufferization/Transforms/BufferViewFlowAnalysis.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
class Collector {
public:
  Collector(func::FuncOp main, SizeExpressions &sizes) : main(main), sizes(sizes), views(main) {}

  LogicalResult collect();
  void mergeElementwise();

  SmallVector<Storage> storages;

private:
  void tryMerge(linalg::LinalgOp op, unsigned position);
  void tryMerge(qnn::LayerOpInterface op, unsigned position);
  bool share(memref::AllocOp dying, memref::AllocOp result, unsigned position);
  bool readsOnlyInPlace(linalg::LinalgOp op, memref::AllocOp alloc, AffineMap resultMap);
  bool readsOnlyWhole(Operation *op, memref::AllocOp alloc);

  func::FuncOp main;
  SizeExpressions &sizes;
  BufferViewFlowAnalysis views; ///< Under which names a buffer is read: through views, branches and selects.
  DenseMap<Operation *, unsigned> storageOf;
};
} // namespace

Value mlir::qtensor::findWholeBuffer(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (isa<memref::AllocOp>(op))
      return value;
    if (!isa<memref::CollapseShapeOp, memref::ExpandShapeOp, memref::CastOp>(op))
      return {};
    value = cast<ViewLikeOpInterface>(op).getViewSource();
  }
  return value;
}

/// The allocation behind a value that covers it from the first byte to the last, if any.
static memref::AllocOp wholeAlloc(Value value) {
  Value buffer = findWholeBuffer(value);
  return buffer ? buffer.getDefiningOp<memref::AllocOp>() : memref::AllocOp();
}

LogicalResult Collector::collect() {
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
bool Collector::readsOnlyInPlace(linalg::LinalgOp op, memref::AllocOp alloc, AffineMap resultMap) {
  BufferViewFlowAnalysis::ValueSetT names = views.resolve(alloc);
  // What the body loads by itself may be any element.
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  auto isName = [&](Value value) { return names.contains(value); };
  if (llvm::any_of(captured, isName))
    return false;
  return readsOnlyWhole(op, alloc) && llvm::all_of(op->getOpOperands(), [&](OpOperand &operand) {
           return !isName(operand.get()) ||
                  (op.isDpsInput(&operand) && op.getMatchingIndexingMap(&operand) == resultMap);
         });
}

/// Whether no operand of `op` is a part of `alloc`, or one of several buffers.
bool Collector::readsOnlyWhole(Operation *op, memref::AllocOp alloc) {
  BufferViewFlowAnalysis::ValueSetT names = views.resolve(alloc);
  return llvm::all_of(op->getOperands(), [&](Value operand) {
    return !names.contains(operand) || wholeAlloc(operand) == alloc;
  });
}

/// Lets the result of an elementwise op overwrite an input that nobody reads afterwards.
void Collector::tryMerge(linalg::LinalgOp op, unsigned position) {
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
    auto inPlace = [&](memref::AllocOp alloc) { return readsOnlyInPlace(op, alloc, resultMap); };
    if (llvm::all_of(storages[storageOf.lookup(dying)].allocs, inPlace) && share(dying, result, position))
      return;
  }
}

/// The same for a layer that says so.
void Collector::tryMerge(qnn::LayerOpInterface op, unsigned position) {
  memref::AllocOp result = wholeAlloc(op.getDestination().get());
  if (!op.mayOverwriteInputs() || !result)
    return;
  const Storage &target = storages[storageOf.lookup(result)];
  if (target.begin != position || target.allocs.size() != 1)
    return;
  for (Value input : op.getLayerInputs()) {
    memref::AllocOp dying = wholeAlloc(input);
    // An input that repeats is read again.
    int64_t elements = cast<ShapedType>(input.getType()).getNumElements();
    if (!dying || dying == result || elements != result.getType().getNumElements())
      continue;
    auto whole = [&](memref::AllocOp alloc) { return readsOnlyWhole(op, alloc); };
    if (llvm::all_of(storages[storageOf.lookup(dying)].allocs, whole) && share(dying, result, position))
      return;
  }
}

/// Lets `result` take the place of `dying`, which nobody reads behind `position`. The elements must be as wide, or writing
/// one would reach into the next.
bool Collector::share(memref::AllocOp dying, memref::AllocOp result, unsigned position) {
  unsigned source = storageOf.lookup(dying);
  Storage &into = storages[source], &from = storages[storageOf.lookup(result)];
  if (into.end != position || into.bytes != from.bytes ||
      dying.getType().getElementType() != result.getType().getElementType())
    return false;
  into.end = from.end;
  into.allocs.push_back(result);
  from.allocs.clear();
  storageOf[result] = source;
  return true;
}

void Collector::mergeElementwise() {
  for (auto [position, op] : llvm::enumerate(main.front()))
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
      tryMerge(linalgOp, position);
    else if (auto layer = dyn_cast<qnn::LayerOpInterface>(op))
      tryMerge(layer, position);
  llvm::erase_if(storages, [](const Storage &storage) { return storage.allocs.empty(); });
}

FailureOr<SmallVector<Storage>> mlir::qtensor::collectStorages(func::FuncOp main, SizeExpressions &sizes) {
  Collector collector(main, sizes);
  if (failed(collector.collect()))
    return failure();
  collector.mergeElementwise();
  return std::move(collector.storages);
}

void mlir::qtensor::replaceByView(const Storage &storage, Value arena, Value offset) {
  for (memref::AllocOp alloc : storage.allocs) {
    OpBuilder b(alloc);
    Value view = memref::ViewOp::create(b, alloc.getLoc(), alloc.getType(), arena, offset, alloc.getDynamicSizes());
    alloc.replaceAllUsesWith(view);
    alloc.erase();
  }
}
