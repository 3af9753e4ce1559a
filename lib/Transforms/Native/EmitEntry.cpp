// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Adds the two functions through which the runtime calls compiled code: run and shapes, on plain pointers.
#include "lib/Transforms/Native/Passes.h"
#include "lib/Transforms/Plan/Passes.h"
#include "lib/Transforms/Plan/States.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_EMITENTRY
#include "lib/Transforms/Native/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// Reads C arrays and wraps pointers as buffers, in the body of a wrapper.
class Wrapper {
public:
  Wrapper(func::FuncOp callee, StringRef name, unsigned pointersAndSizes, ArrayRef<bool> isSize)
      : callee(callee), b(callee.getContext()), loc(callee.getLoc()), converter(callee.getContext()) {
    pointer = LLVM::LLVMPointerType::get(callee.getContext());
    i64 = b.getI64Type();
    SmallVector<Type> types;
    for (unsigned i = 0; i < pointersAndSizes; ++i)
      types.push_back(isSize[i] ? i64 : Type(pointer));
    b.setInsertionPoint(callee);
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(callee.getContext()), types);
    function = LLVM::LLVMFuncOp::create(b, loc, name, type);
    b.setInsertionPointToStart(function.addEntryBlock(b));
  }

  Value argument(unsigned i) { return function.getArgument(i); }

  Value loadAt(Value array, unsigned index, Type type) {
    Value at = LLVM::GEPOp::create(b, loc, pointer, type, array, ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(index)});
    return LLVM::LoadOp::create(b, loc, type, at);
  }

  void storeAt(Value array, unsigned index, Value value) {
    Value at = LLVM::GEPOp::create(b, loc, pointer, i64, array, ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(index)});
    LLVM::StoreOp::create(b, loc, value, at);
  }

  /// A buffer of contiguous elements over `data`; `extents` are i64, one per dimension.
  Value buffer(MemRefType type, Value data, ArrayRef<Value> extents) {
    auto descriptor = MemRefDescriptor::poison(b, loc, converter.convertType(type));
    descriptor.setAllocatedPtr(b, loc, data);
    descriptor.setAlignedPtr(b, loc, data);
    descriptor.setConstantOffset(b, loc, 0);
    Value stride = LLVM::ConstantOp::create(b, loc, i64, 1);
    for (int64_t d = type.getRank() - 1; d >= 0; --d) {
      descriptor.setSize(b, loc, d, extents[d]);
      descriptor.setStride(b, loc, d, stride);
      stride = LLVM::MulOp::create(b, loc, stride, extents[d]);
    }
    return UnrealizedConversionCastOp::create(b, loc, type, Value(descriptor)).getResult(0);
  }

  Value number(int64_t value) { return LLVM::ConstantOp::create(b, loc, i64, value); }
  Value toIndex(Value value) { return arith::IndexCastOp::create(b, loc, b.getIndexType(), value); }
  Value fromIndex(Value value) { return arith::IndexCastOp::create(b, loc, i64, value); }

  ValueRange finish(ArrayRef<Value> arguments) {
    auto call = func::CallOp::create(b, loc, callee, arguments);
    LLVM::ReturnOp::create(b, loc, ValueRange());
    b.setInsertionPointAfter(call);
    return call.getResults();
  }

  LLVM::LLVMPointerType pointer;
  Type i64;

private:
  func::FuncOp callee;
  OpBuilder b;
  Location loc;
  LLVMTypeConverter converter;
  LLVM::LLVMFuncOp function;
};
} // namespace

/// Checks that @shapes turns the extents of the inputs into those of the outputs, one index each, and returns the bytes of
/// scratch memory behind them.
static LogicalResult verifyShapes(ModuleOp module, func::FuncOp shapes) {
  auto count = [&](StringRef key) {
    int64_t extents = 0;
    if (auto entries = module->getAttrOfType<ArrayAttr>(key))
      for (auto entry : entries.getAsRange<DictionaryAttr>())
        extents += cast<RankedTensorType>(entry.getAs<TypeAttr>("type").getValue()).getRank();
    return extents;
  };
  auto fits = [](ArrayRef<Type> types, int64_t extents) {
    return int64_t(types.size()) == extents && llvm::all_of(types, llvm::IsaPred<IndexType>);
  };
  if (!fits(shapes.getArgumentTypes(), count(kInputsAttr)) || !fits(shapes.getResultTypes(), count(kOutputsAttr) + 1))
    return shapes.emitError() << "@shapes has the type " << shapes.getFunctionType() << "; it takes " << count(kInputsAttr)
                              << " extents of inputs and returns " << count(kOutputsAttr)
                              << " of outputs and the bytes of scratch memory; run qtensor-plan-memory";
  return success();
}

/// `inputs` counts the states, whose pointers stand behind those of the inputs.
static void wrapMain(func::FuncOp main, unsigned inputs, StringRef name) {
  enum { Context, Weights, WeightsBytes, Scratch, ScratchBytes, Inputs, Extents, Outputs, Count };
  Wrapper w(main, name, Count, {false, false, true, false, true, false, false, false});
  auto bytes = cast<MemRefType>(main.getArgument(kWeightsArgument).getType());
  SmallVector<Value> arguments = {w.argument(Context), w.buffer(bytes, w.argument(Weights), {w.argument(WeightsBytes)}),
                                  w.buffer(bytes, w.argument(Scratch), {w.argument(ScratchBytes)})};
  unsigned extent = 0;
  for (unsigned i = kFirstTensorArgument; i < main.getNumArguments(); ++i) {
    auto type = cast<MemRefType>(main.getArgument(i).getType());
    unsigned index = i - kFirstTensorArgument;
    Value array = w.argument(index < inputs ? Inputs : Outputs);
    Value data = w.loadAt(array, index < inputs ? index : index - inputs, w.pointer);
    // The extents of a state are no business of the caller.
    bool isState = isStateArgument(main, i);
    SmallVector<Value> extents;
    for (int64_t d = 0; d < type.getRank(); ++d)
      extents.push_back(isState ? w.number(type.getDimSize(d)) : w.loadAt(w.argument(Extents), extent++, w.i64));
    arguments.push_back(w.buffer(type, data, extents));
  }
  w.finish(arguments);
}

static void wrapShapes(func::FuncOp shapes, StringRef name) {
  Wrapper w(shapes, name, 2, {false, false});
  SmallVector<Value> arguments;
  for (unsigned i = 0; i < shapes.getNumArguments(); ++i)
    arguments.push_back(w.toIndex(w.loadAt(w.argument(0), i, w.i64)));
  ValueRange results = w.finish(arguments);
  for (auto [i, result] : llvm::enumerate(results))
    w.storeAt(w.argument(1), i, w.fromIndex(result));
}

namespace {
struct EmitEntry : mlir::qtensor::impl::EmitEntryBase<EmitEntry> {
  using EmitEntryBase::EmitEntryBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto main = module.lookupSymbol<func::FuncOp>("main");
    auto shapes = module.lookupSymbol<func::FuncOp>("shapes");
    auto inputs = module->getAttrOfType<ArrayAttr>(kInputsAttr);
    if (!main || !shapes || !inputs || !module->hasAttr(kPlanAttr)) {
      module.emitError(
          "the module is not planned (phase C5): @main, @shapes, qtensor.inputs and qtensor.plan are needed");
      return signalPassFailure();
    }
    if (failed(verifyEntry(module)) || failed(verifyShapes(module, shapes)))
      return signalPassFailure();
    auto states = module->getAttrOfType<ArrayAttr>(kStatesAttr);
    wrapMain(main, inputs.size() + (states ? states.size() : 0), prefix + "_run_" + suffix);
    wrapShapes(shapes, prefix + "_shapes_" + suffix);
    main.setPrivate();
    // What described the artifact has been read by now; the weights must not reach LLVM.
    for (StringRef name :
         {StringRef(kInputsAttr), StringRef(kOutputsAttr), StringRef(kStatesAttr), StringRef(kWeightsAttr),
          StringRef(kPlanAttr)})
      module->removeAttr(name);
  }
};
} // namespace
