// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Hands parallel loops to the runtime.
#include "lib/Transforms/Native/Passes.h"
#include "lib/Transforms/Plan/Passes.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_OUTLINEPARALLEL
#include "lib/Transforms/Native/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// Tasks by their text: equal text is equal code. The layers of a network have many loops that differ in nothing.
using KnownTasks = llvm::StringMap<LLVM::LLVMFuncOp>;

class Outliner {
public:
  Outliner(func::FuncOp function, KnownTasks &known)
      : function(function), known(known), b(function.getContext()), converter(function.getContext()),
        pointer(LLVM::LLVMPointerType::get(function.getContext())), i64(b.getI64Type()) {}

  LogicalResult outline(scf::ParallelOp loop);

private:
  Value toI64(Value index) { return arith::IndexCastOp::create(b, loc, i64, index); }
  Value toIndex(Value value) { return arith::IndexCastOp::create(b, loc, b.getIndexType(), value); }
  Value cast(Value value, Type type) { return UnrealizedConversionCastOp::create(b, loc, type, value).getResult(0); }
  Value field(Value base, Type record, int32_t index) {
    return LLVM::GEPOp::create(b, loc, pointer, record, base, ArrayRef<LLVM::GEPArg>{0, index});
  }
  LLVM::LLVMFuncOp makeTask(scf::ParallelOp loop, ArrayRef<Value> captures, LLVM::LLVMStructType record);
  LLVM::LLVMFuncOp shareTask(LLVM::LLVMFuncOp task);
  Value getStruct(LLVM::LLVMStructType record);
  void makeBody(scf::ParallelOp loop, Value linear, IRMapping &map);
  void callRuntime(Value count, LLVM::LLVMFuncOp task, Value captures);

  func::FuncOp function;
  KnownTasks &known;
  unsigned made = 0;
  DenseMap<Type, Value> structs; ///< For captures, by type. The runtime returns when all is done, so loops can share.
  OpBuilder b;
  LLVMTypeConverter converter;
  LLVM::LLVMPointerType pointer;
  Type i64;
  Location loc = b.getUnknownLoc();
};
} // namespace

/// The trip count of dimension `d`, rounded up.
static Value tripCount(OpBuilder &b, scf::ParallelOp loop, unsigned d, IRMapping &map) {
  Location loc = loop.getLoc();
  Value low = map.lookupOrDefault(loop.getLowerBound()[d]), high = map.lookupOrDefault(loop.getUpperBound()[d]);
  Value span = b.createOrFold<arith::SubIOp>(loc, high, low);
  return b.createOrFold<arith::CeilDivSIOp>(loc, span, map.lookupOrDefault(loop.getStep()[d]));
}

/// Computes the indices of one iteration from its number, and clones the body.
void Outliner::makeBody(scf::ParallelOp loop, Value linear, IRMapping &map) {
  for (unsigned d = loop.getNumLoops(); d-- > 0;) {
    Value number = linear;
    if (d > 0) {
      Value count = tripCount(b, loop, d, map);
      number = arith::RemUIOp::create(b, loc, linear, count);
      linear = arith::DivUIOp::create(b, loc, linear, count);
    }
    Value offset = b.createOrFold<arith::MulIOp>(loc, number, map.lookupOrDefault(loop.getStep()[d]));
    Value index = b.createOrFold<arith::AddIOp>(loc, offset, map.lookupOrDefault(loop.getLowerBound()[d]));
    map.map(loop.getInductionVars()[d], index);
  }
  for (Operation &op : loop.getBody()->without_terminator())
    b.clone(op, map);
}

LLVM::LLVMFuncOp Outliner::makeTask(scf::ParallelOp loop, ArrayRef<Value> captures, LLVM::LLVMStructType record) {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointAfter(function);
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(function.getContext()), {pointer, i64, i64});
  auto task = LLVM::LLVMFuncOp::create(b, loc, "task", type, LLVM::Linkage::Internal);
  b.setInsertionPointToStart(task.addEntryBlock(b));
  IRMapping map;
  int32_t next = 0;
  for (Value value : captures) {
    if (auto constant = value.getDefiningOp<arith::ConstantOp>()) {
      map.map(value, b.clone(*constant)->getResult(0));
      continue;
    }
    Type stored = record.getBody()[next];
    Value loaded = LLVM::LoadOp::create(b, loc, stored, field(task.getArgument(0), record, next++));
    map.map(value, stored == value.getType() ? loaded : cast(loaded, value.getType()));
  }
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value begin = toIndex(task.getArgument(1)), end = toIndex(task.getArgument(2));
  auto range = scf::ForOp::create(b, loc, begin, end, one);
  LLVM::ReturnOp::create(b, loc, ValueRange());
  b.setInsertionPointToStart(range.getBody());
  makeBody(loop, range.getInductionVar(), map);
  return task;
}

/// An earlier task that does the same, or this one under a name of its own.
LLVM::LLVMFuncOp Outliner::shareTask(LLVM::LLVMFuncOp task) {
  std::string text;
  llvm::raw_string_ostream os(text);
  task.print(os, OpPrintingFlags().useLocalScope());
  auto [entry, isNew] = known.try_emplace(text, task);
  if (isNew)
    task.setSymName((function.getName() + "_parallel_" + Twine(made++)).str());
  else
    task.erase();
  return entry->second;
}

/// At the entry: a struct inside of a sequential loop would grow the stack.
Value Outliner::getStruct(LLVM::LLVMStructType record) {
  Value &captures = structs[record];
  if (!captures) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(&function.front());
    Value one = LLVM::ConstantOp::create(b, loc, i64, 1);
    captures = LLVM::AllocaOp::create(b, loc, pointer, record, one);
  }
  return captures;
}

void Outliner::callRuntime(Value count, LLVM::LLVMFuncOp task, Value captures) {
  Value context = function.getArgument(kContextArgument);
  Value parallelFor = LLVM::LoadOp::create(b, loc, pointer, context);
  Value address = LLVM::AddressOfOp::create(b, loc, task);
  auto type =
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(function.getContext()), {pointer, i64, pointer, pointer});
  LLVM::CallOp::create(b, loc, type, ValueRange{parallelFor, context, toI64(count), address, captures});
}

LogicalResult Outliner::outline(scf::ParallelOp loop) {
  loc = loop.getLoc();
  llvm::SetVector<Value> used;
  getUsedValuesDefinedAbove(loop.getRegion(), used);
  for (ValueRange bounds : {loop.getLowerBound(), loop.getUpperBound(), loop.getStep()})
    used.insert(bounds.begin(), bounds.end());
  SmallVector<Type> types;
  for (Value value : used) {
    if (value.getDefiningOp<arith::ConstantOp>())
      continue;
    Type type = converter.convertType(value.getType());
    if (!type)
      return loop.emitError() << "a value of type " << value.getType()
                              << " cannot be handed to a parallel loop: LLVM has no such type; bufferize first";
    types.push_back(type);
  }
  auto record = LLVM::LLVMStructType::getLiteral(function.getContext(), types);
  LLVM::LLVMFuncOp task = shareTask(makeTask(loop, used.getArrayRef(), record));
  Value captures = getStruct(record);
  b.setInsertionPoint(loop);
  int32_t next = 0;
  for (Value value : used) {
    if (value.getDefiningOp<arith::ConstantOp>())
      continue;
    Type type = types[next];
    LLVM::StoreOp::create(b, loc, type == value.getType() ? value : cast(value, type), field(captures, record, next++));
  }
  IRMapping same;
  Value count = tripCount(b, loop, 0, same);
  for (unsigned d = 1; d < loop.getNumLoops(); ++d)
    count = b.createOrFold<arith::MulIOp>(loc, count, tripCount(b, loop, d, same));
  callRuntime(count, task, captures);
  loop.erase();
  return success();
}

/// Buffers of known size move to the entry: in a loop every iteration would take more of the stack.
static void hoistBuffers(FunctionOpInterface function) {
  if (function.isExternal())
    return;
  Block &entry = function.getFunctionBody().front();
  function.walk([&](memref::AllocaOp buffer) {
    if (buffer->getNumOperands() == 0)
      buffer->moveBefore(&entry, entry.begin());
  });
}

namespace {
struct OutlineParallel : mlir::qtensor::impl::OutlineParallelBase<OutlineParallel> {
  void runOnOperation() override {
    KnownTasks known;
    for (auto function : llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      if (function.isExternal() || !function.getNumArguments() ||
          !isa<LLVM::LLVMPointerType>(function.getArgument(kContextArgument).getType()))
        continue;
      SmallVector<scf::ParallelOp> loops;
      function.walk<WalkOrder::PreOrder>([&](scf::ParallelOp loop) {
        if (loop.getInitVals().empty())
          loops.push_back(loop);
        return WalkResult::skip(); // Inner loops stay with their thread.
      });
      Outliner outliner(function, known);
      for (scf::ParallelOp loop : loops)
        if (failed(outliner.outline(loop)))
          return signalPassFailure();
    }
    // Not before: a buffer of the body belongs to one task.
    getOperation().walk(hoistBuffers);
  }
};
} // namespace
