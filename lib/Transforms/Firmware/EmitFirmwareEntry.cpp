// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/Passes.h"
#include "lib/Transforms/Plan/Passes.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_EMITFIRMWAREENTRY
#include "lib/Transforms/Firmware/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

/// A buffer of static extents over plain bytes.
static Value wrap(OpBuilder &b, Location loc, MemRefType type, Value data) {
  LowerToLLVMOptions options(b.getContext());
  options.overrideIndexBitwidth(32); // as in the conversions behind this pass
  LLVMTypeConverter converter(b.getContext(), options);
  Value descriptor = MemRefDescriptor::fromStaticShape(b, loc, converter, type, data);
  return UnrealizedConversionCastOp::create(b, loc, type, descriptor).getResult(0);
}

namespace {
struct EmitFirmwareEntry : mlir::qtensor::impl::EmitFirmwareEntryBase<EmitFirmwareEntry> {
  using EmitFirmwareEntryBase::EmitFirmwareEntryBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto main = module.lookupSymbol<func::FuncOp>("main");
    auto plan = module->getAttrOfType<DictionaryAttr>(kPlanAttr);
    if (!main || !plan || main.getNumArguments() < kFirstTensorArgument) {
      module.emitError("the module is not planned (phase C5): @main and qtensor.plan are needed");
      return signalPassFailure();
    }
    for (BlockArgument argument : main.getArguments().drop_front(kFirstTensorArgument))
      if (!cast<MemRefType>(argument.getType()).hasStaticShape()) {
        main.emitError() << "an input or result has the type " << argument.getType()
                         << "; firmware has static shapes (fix the extents with --dim)";
        return signalPassFailure();
      }
    rewrite(main, plan.getAs<IntegerAttr>("bytes").getInt(), weightsBytes(module));
    if (auto shapes = module.lookupSymbol<func::FuncOp>("shapes"))
      shapes.erase();
    for (StringRef name : {StringRef(kInputsAttr), StringRef(kOutputsAttr), StringRef(kStatesAttr), StringRef(kWeightsAttr),
                           StringRef(kPlanAttr)})
      module->removeAttr(name);
  }

private:
  /// The end of the last constant.
  static int64_t weightsBytes(ModuleOp module) {
    int64_t end = 0;
    if (auto entries = module->getAttrOfType<ArrayAttr>(kWeightsAttr))
      for (auto entry : entries.getAsRange<DictionaryAttr>())
        end = std::max(end, entry.getAs<IntegerAttr>("offset").getInt() + entry.getAs<IntegerAttr>("size").getInt());
    return end;
  }

  void rewrite(func::FuncOp main, int64_t arenaBytes, int64_t weights);
};
} // namespace

void EmitFirmwareEntry::rewrite(func::FuncOp main, int64_t arenaBytes, int64_t weights) {
  Location loc = main.getLoc();
  OpBuilder b(main);
  auto pointer = LLVM::LLVMPointerType::get(&getContext());
  auto bytesOf = [&](int64_t count) { return MemRefType::get({count}, b.getI8Type()); };
  LLVM::GlobalOp blob;
  if (weights)
    blob = LLVM::GlobalOp::create(b, loc, LLVM::LLVMArrayType::get(b.getI8Type(), weights), /*isConstant=*/true,
                                  LLVM::Linkage::External, prefix + "_weights", Attribute(), /*alignment=*/16);
  Block &body = main.front();
  unsigned tensors = body.getNumArguments() - kFirstTensorArgument;
  SmallVector<BlockArgument> old(body.getArguments());
  SmallVector<Type> types(tensors + 1, pointer);
  for (BlockArgument argument : llvm::drop_begin(old, kFirstTensorArgument))
    body.addArgument(pointer, argument.getLoc());
  Value arena = body.addArgument(pointer, loc);
  b.setInsertionPointToStart(&body);
  // The arguments that hosted code has for a runtime: no context, constants by name, the arena as bytes.
  auto replaceBytes = [&](BlockArgument argument, Value data, int64_t count) {
    if (argument.use_empty())
      return;
    Value buffer = wrap(b, loc, bytesOf(count), data);
    argument.replaceAllUsesWith(memref::CastOp::create(b, loc, argument.getType(), buffer).getResult());
  };
  old[kContextArgument].replaceAllUsesWith(LLVM::ZeroOp::create(b, loc, pointer).getResult());
  if (blob)
    replaceBytes(old[kWeightsArgument], LLVM::AddressOfOp::create(b, loc, blob), weights);
  replaceBytes(old[kScratchArgument], arena, arenaBytes);
  for (unsigned i = 0; i < tensors; ++i) {
    BlockArgument argument = old[kFirstTensorArgument + i];
    argument.replaceAllUsesWith(wrap(b, loc, cast<MemRefType>(argument.getType()), body.getArgument(old.size() + i)));
  }
  body.eraseArguments(0, old.size());
  main.setType(b.getFunctionType(types, {}));
  main.setName(prefix + "_run");
}
