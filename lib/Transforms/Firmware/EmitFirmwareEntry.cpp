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
/// A memory: where it begins among the offsets of the plan, its bytes and its name.
struct Arena {
  int64_t base, bytes;
  std::string name;
};
} // namespace

static SmallVector<Arena> readArenas(DictionaryAttr plan, StringRef which) {
  SmallVector<Arena> arenas;
  if (auto regions = plan.getAs<ArrayAttr>(which))
    for (auto region : regions.getAsRange<DictionaryAttr>())
      arenas.push_back({region.getAs<IntegerAttr>("base").getInt(), region.getAs<IntegerAttr>("bytes").getInt(),
                        region.getAs<StringAttr>("name").str()});
  return arenas;
}

/// The offset of a view of the plan's bytes, and the memory it lies in.
static std::optional<std::pair<int64_t, unsigned>> findPlace(Operation *user, ArrayRef<Arena> arenas) {
  auto view = dyn_cast<memref::ViewOp>(user);
  std::optional<int64_t> offset = view ? getConstantIntValue(view.getByteShift()) : std::nullopt;
  if (!offset)
    return std::nullopt;
  for (auto [i, arena] : llvm::enumerate(arenas))
    if (arena.base <= *offset && *offset < std::max(arena.base + arena.bytes, arena.base + 1))
      return std::pair(*offset, unsigned(i));
  return std::nullopt;
}

static LogicalResult checkViews(func::FuncOp main, EntryArgument argument, ArrayRef<Arena> arenas) {
  for (Operation *user : main.getArgument(argument).getUsers())
    if (!findPlace(user, arenas))
      return user->emitOpError("uses the ") << (argument == kScratchArgument ? "arena" : "weights")
                                           << " at a place that qtensor.plan does not have; run qtensor-plan-regions";
  return success();
}

/// Lets views of one argument begin in the memories that its offsets stand for.
static void moveViews(BlockArgument argument, ArrayRef<Arena> arenas, ArrayRef<Value> memories) {
  for (Operation *user : llvm::make_early_inc_range(argument.getUsers())) {
    auto [offset, region] = *findPlace(user, arenas);
    auto view = cast<memref::ViewOp>(user);
    OpBuilder inside(view);
    view.getByteShiftMutable().assign(
        arith::ConstantIndexOp::create(inside, view.getLoc(), offset - arenas[region].base));
    view.getSourceMutable().assign(memories[region]);
  }
}

/// What checks write their numbers to (qtensor-lower-checks): an i32 of the entry's, which it returns.
static void returnStatus(func::FuncOp main, BlockArgument context) {
  Operation *end = main.front().getTerminator();
  OpBuilder b = OpBuilder::atBlockBegin(&main.front());
  Type number = b.getI32Type();
  Value one = arith::ConstantIntOp::create(b, main.getLoc(), 1, 32), none = arith::ConstantIntOp::create(b, main.getLoc(), 0, 32);
  Value status = LLVM::AllocaOp::create(b, main.getLoc(), context.getType(), number, one);
  LLVM::StoreOp::create(b, main.getLoc(), none, status);
  context.replaceAllUsesWith(status);
  b.setInsertionPoint(end);
  end->insertOperands(0, LLVM::LoadOp::create(b, end->getLoc(), number, status).getResult());
}

namespace {
struct EmitFirmwareEntry : mlir::qtensor::impl::EmitFirmwareEntryBase<EmitFirmwareEntry> {
  using EmitFirmwareEntryBase::EmitFirmwareEntryBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    auto main = module.lookupSymbol<func::FuncOp>("main");
    auto plan = module->getAttrOfType<DictionaryAttr>(kPlanAttr);
    if (!main || main.isExternal() || !isFirmwarePlan(plan) || main.getNumArguments() < kFirstTensorArgument) {
      module.emitError("the module is not planned for firmware (phase C5): @main and regions in qtensor.plan are needed; run "
                       "qtensor-plan-regions");
      return signalPassFailure();
    }
    for (BlockArgument argument : main.getArguments().drop_front(kFirstTensorArgument))
      if (auto type = dyn_cast<MemRefType>(argument.getType()); !type || !type.hasStaticShape()) {
        main.emitError() << "an input or result has the type " << argument.getType()
                         << "; firmware has static shapes (fix the extents with --dim)";
        return signalPassFailure();
      }
    SmallVector<Arena> arenas = readArenas(plan, "regions"), flash = readArenas(plan, "constants");
    if (flash.empty() && weightsBytes(module))
      flash.push_back({0, weightsBytes(module), ""});
    if (failed(checkViews(main, kScratchArgument, arenas)) || failed(checkViews(main, kWeightsArgument, flash)))
      return signalPassFailure();
    rewrite(main, arenas, flash);
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

  void rewrite(func::FuncOp main, ArrayRef<Arena> arenas, ArrayRef<Arena> flash);
};
} // namespace

void EmitFirmwareEntry::rewrite(func::FuncOp main, ArrayRef<Arena> arenas, ArrayRef<Arena> flash) {
  Location loc = main.getLoc();
  OpBuilder b(main);
  auto pointer = LLVM::LLVMPointerType::get(&getContext());
  auto bytesOf = [&](int64_t count) { return MemRefType::get({count}, b.getI8Type()); };
  SmallVector<LLVM::GlobalOp> blobs;
  for (const Arena &region : flash) {
    std::string name = prefix + "_weights" + (region.name.empty() ? "" : "_" + region.name);
    auto type = LLVM::LLVMArrayType::get(b.getI8Type(), std::max<int64_t>(region.bytes, 1));
    blobs.push_back(LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/true, LLVM::Linkage::External, name, Attribute(),
                                           /*alignment=*/16));
  }
  Block &body = main.front();
  unsigned tensors = body.getNumArguments() - kFirstTensorArgument;
  SmallVector<BlockArgument> old(body.getArguments());
  SmallVector<Type> types(tensors + arenas.size(), pointer);
  for (BlockArgument argument : llvm::drop_begin(old, kFirstTensorArgument))
    body.addArgument(pointer, argument.getLoc());
  SmallVector<Value> memories;
  for (size_t i = 0; i < arenas.size(); ++i)
    memories.push_back(body.addArgument(pointer, loc));
  b.setInsertionPointToStart(&body);
  // The arguments that hosted code has for a runtime: no context, constants by name, memories as bytes.
  auto asBytes = [&](Type type, Value data, int64_t count) -> Value {
    return memref::CastOp::create(b, loc, type, wrap(b, loc, bytesOf(count), data));
  };
  bool checks = !old[kContextArgument].use_empty();
  if (checks)
    returnStatus(main, old[kContextArgument]);
  SmallVector<Value> constants;
  for (auto [blob, region] : llvm::zip_equal(blobs, flash))
    constants.push_back(
        asBytes(old[kWeightsArgument].getType(), LLVM::AddressOfOp::create(b, loc, blob), region.bytes));
  for (auto [memory, arena] : llvm::zip_equal(memories, arenas))
    memory = asBytes(old[kScratchArgument].getType(), memory, arena.bytes);
  moveViews(old[kScratchArgument], arenas, memories);
  moveViews(old[kWeightsArgument], flash, constants);
  for (unsigned i = 0; i < tensors; ++i) {
    BlockArgument argument = old[kFirstTensorArgument + i];
    argument.replaceAllUsesWith(wrap(b, loc, cast<MemRefType>(argument.getType()), body.getArgument(old.size() + i)));
  }
  body.eraseArguments(0, old.size());
  main.setType(b.getFunctionType(types, checks ? TypeRange(b.getI32Type()) : TypeRange()));
  main.setName(prefix + "_run");
}
