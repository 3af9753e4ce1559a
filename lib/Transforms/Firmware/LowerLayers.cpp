// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/KernelTable.h"
#include "lib/Transforms/Firmware/Passes.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_LOWERLAYERS
#include "lib/Transforms/Firmware/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

/// The address of a buffer's first element.
static FailureOr<Value> addressOf(OpBuilder &b, qnn::LayerOpInterface op, Value buffer) {
  auto type = cast<MemRefType>(buffer.getType());
  auto [strides, offset] = type.getStridesAndOffset();
  if (ShapedType::isDynamic(offset))
    return op->emitOpError("has a buffer whose place is not known: ") << type;
  Location loc = op->getLoc();
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
  address = arith::IndexCastOp::create(b, loc, b.getI64Type(), address);
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value first = LLVM::IntToPtrOp::create(b, loc, pointer, address);
  if (offset == 0)
    return first;
  return LLVM::GEPOp::create(b, loc, pointer, type.getElementType(), first, ArrayRef<LLVM::GEPArg>{int32_t(offset)}).getResult();
}

/// What tells two layers apart, addresses aside.
static std::string makeKey(qnn::LayerOpInterface op) {
  std::string key = op->getName().getStringRef().str();
  llvm::raw_string_ostream os(key);
  os << op->getPropertiesAsAttribute();
  for (Value operand : op->getOperands())
    os << ' ' << cast<MemRefType>(operand.getType()).getShape().size() << operand.getType();
  return key;
}

namespace {
struct LowerLayers : mlir::qtensor::impl::LowerLayersBase<LowerLayers> {
  using LowerLayersBase::LowerLayersBase;

  void runOnOperation() override {
    kernels = requireLayerKernels(getOperation(), target);
    if (!kernels)
      return signalPassFailure();
    SmallVector<qnn::LayerOpInterface> layers;
    getOperation().walk([&](qnn::LayerOpInterface op) { layers.push_back(op); });
    for (qnn::LayerOpInterface op : layers)
      if (failed(lower(op)))
        return signalPassFailure();
  }

private:
  LogicalResult lower(qnn::LayerOpInterface op);
  FailureOr<func::FuncOp> makeFunction(qnn::LayerOpInterface op, TypeRange types);

  const LayerKernels *kernels = nullptr;
  llvm::StringMap<func::FuncOp> known;
};
} // namespace

FailureOr<func::FuncOp> LowerLayers::makeFunction(qnn::LayerOpInterface op, TypeRange types) {
  auto main = op->getParentOfType<func::FuncOp>();
  OpBuilder b(main);
  std::string name = llvm::formatv("layer{0}_{1}", known.size() - 1, op->getName().stripDialect());
  auto function = func::FuncOp::create(b, op->getLoc(), name, b.getFunctionType(types, {}));
  function.setPrivate();
  function->setAttr("passthrough", b.getStrArrayAttr({"noinline"}));
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);
  KernelBuilder k(op->getLoc(), b);
  unsigned next = 0;
  LayerPointers at;
  at.input = entry->getArgument(next++);
  if (op.getLayerInputs().size() > 1)
    at.second = entry->getArgument(next++);
  if (op.getPackedConstants())
    at.constants = entry->getArgument(next++);
  if (op.getScratchBuffer())
    at.scratch = entry->getArgument(next++);
  at.output = entry->getArgument(next++);
  if (failed(emitLayer(op, *kernels, k, at)))
    return failure();
  func::ReturnOp::create(k.getBuilder());
  return function;
}

LogicalResult LowerLayers::lower(qnn::LayerOpInterface op) {
  OpBuilder b(op);
  SmallVector<Value> addresses;
  for (Value operand : op->getOperands()) {
    if (!isa<MemRefType>(operand.getType()))
      return op->emitOpError("is on tensors; layers are lowered on buffers");
    FailureOr<Value> address = addressOf(b, op, operand);
    if (failed(address))
      return failure();
    addresses.push_back(*address);
  }
  auto [entry, isNew] = known.try_emplace(makeKey(op));
  if (isNew) {
    FailureOr<func::FuncOp> function = makeFunction(op, ValueRange(addresses).getTypes());
    if (failed(function))
      return failure();
    entry->second = *function;
  }
  func::CallOp::create(b, op->getLoc(), entry->second, addresses);
  op->erase();
  return success();
}
