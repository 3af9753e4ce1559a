// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Kernel/Passes.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/RegionUtils.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_OUTLINEPARALLEL
#include "lib/Transforms/Kernel/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;

static constexpr StringLiteral kParallelFor = "qtrt_parallel_for";

/// The context pointer of the function around `op`, or null.
static Value findContext(Operation *op) {
  auto function = op->getParentOfType<func::FuncOp>();
  if (!function || function.getNumArguments() == 0)
    return {};
  BlockArgument first = function.getArgument(0);
  return isa<LLVM::LLVMPointerType>(first.getType()) ? Value(first) : Value();
}

static Value toI64(ImplicitLocOpBuilder &b, Value index) {
  return arith::IndexCastOp::create(b, b.getI64Type(), index);
}

/// The values that the body uses from outside. A constant is cloned into the body instead, so it is not among them.
static SetVector<Value> captures(scf::ForallOp loop) {
  SetVector<Value> all, captured;
  getUsedValuesDefinedAbove(loop.getRegion(), all);
  for (Value value : all)
    if (!matchPattern(value, m_Constant()))
      captured.insert(value);
  return captured;
}

static void cloneBody(OpBuilder &b, scf::ForallOp loop, IRMapping &mapping) {
  for (Operation &op : loop.getBody()->without_terminator())
    b.clone(op, mapping);
}

/// Clones the constants that the body uses to the insertion point.
static void cloneConstants(OpBuilder &b, scf::ForallOp loop, IRMapping &mapping) {
  SetVector<Value> all;
  getUsedValuesDefinedAbove(loop.getRegion(), all);
  for (Value value : all)
    if (matchPattern(value, m_Constant()))
      mapping.map(value, b.clone(*value.getDefiningOp())->getResult(0));
}

namespace {
struct OutlineParallelPass : qtensor::impl::OutlineParallelBase<OutlineParallelPass> {
  void runOnOperation() override {
    SmallVector<scf::ForallOp> loops;
    getOperation().walk([&](scf::ForallOp loop) { loops.push_back(loop); });
    for (scf::ForallOp loop : loops) {
      if (loop.getRank() != 1 || !loop.getResults().empty()) {
        loop.emitOpError("only one dimension without results can run in parallel: bufferize it, or tile one dimension");
        return signalPassFailure();
      }
      if (Value context = findContext(loop))
        outline(loop, context);
      else
        serialise(loop);
      loop.erase();
    }
  }

  void serialise(scf::ForallOp loop) {
    ImplicitLocOpBuilder b(loop.getLoc(), loop);
    auto serial = scf::ForOp::create(b, loop.getLowerBound(b).front(), loop.getUpperBound(b).front(), loop.getStep(b).front());
    b.setInsertionPointToStart(serial.getBody());
    IRMapping mapping;
    mapping.map(loop.getInductionVar(0), serial.getInductionVar());
    cloneBody(b, loop, mapping);
  }

  /// void body(void *argument, int64_t begin, int64_t end)
  func::FuncOp buildBody(scf::ForallOp loop, ArrayRef<Value> captured, LLVM::LLVMStructType structure) {
    ModuleOp module = getOperation();
    ImplicitLocOpBuilder b(loop.getLoc(), &getContext());
    auto parent = loop->getParentOfType<func::FuncOp>();
    b.setInsertionPointAfter(parent);
    unsigned number = 0;
    std::string name;
    do
      name = (parent.getName() + "_parallel_" + std::to_string(number++)).str();
    while (module.lookupSymbol(name));
    Type pointer = LLVM::LLVMPointerType::get(&getContext());
    auto function = func::FuncOp::create(b, name, b.getFunctionType({pointer, b.getI64Type(), b.getI64Type()}, {}));
    function.setPrivate();
    b.setInsertionPointToStart(function.addEntryBlock());
    Value packed = LLVM::LoadOp::create(b, structure, function.getArgument(0));
    IRMapping mapping;
    for (auto [i, value] : llvm::enumerate(captured)) {
      Value field = LLVM::ExtractValueOp::create(b, packed, static_cast<int64_t>(i));
      if (field.getType() != value.getType())
        field = UnrealizedConversionCastOp::create(b, value.getType(), field).getResult(0);
      mapping.map(value, field);
    }
    cloneConstants(b, loop, mapping);
    auto index = [&](Value v) { return arith::IndexCastOp::create(b, b.getIndexType(), v); };
    auto serial = scf::ForOp::create(b, index(function.getArgument(1)), index(function.getArgument(2)),
                                     arith::ConstantIndexOp::create(b, 1));
    func::ReturnOp::create(b);
    b.setInsertionPointToStart(serial.getBody());
    mapping.map(loop.getInductionVar(0), emitIndex(b, loop, serial.getInductionVar()));
    cloneBody(b, loop, mapping);
    return function;
  }

  /// lower + step * i; forall loops of kernels start at 0 and step by 1, and then this is i.
  static Value emitIndex(ImplicitLocOpBuilder &b, scf::ForallOp loop, Value i) {
    auto lower = getConstantIntValue(loop.getMixedLowerBound().front()), step = getConstantIntValue(loop.getMixedStep().front());
    Value scaled = step == 1 ? i : b.createOrFold<arith::MulIOp>(i, arith::ConstantIndexOp::create(b, *step));
    return lower == 0 ? scaled : b.createOrFold<arith::AddIOp>(scaled, arith::ConstantIndexOp::create(b, *lower));
  }

  void outline(scf::ForallOp loop, Value context) {
    if (!getConstantIntValue(loop.getMixedLowerBound().front()) || !getConstantIntValue(loop.getMixedStep().front()))
      return serialise(loop);
    LLVMTypeConverter converter(&getContext());
    SetVector<Value> captured = captures(loop);
    SmallVector<Type> fields;
    for (Value value : captured)
      fields.push_back(converter.convertType(value.getType()));
    auto structure = LLVM::LLVMStructType::getLiteral(&getContext(), fields);
    func::FuncOp body = buildBody(loop, captured.getArrayRef(), structure);

    ImplicitLocOpBuilder b(loop.getLoc(), loop);
    Type pointer = LLVM::LLVMPointerType::get(&getContext());
    Value packed = LLVM::UndefOp::create(b, structure);
    for (auto [i, value] : llvm::enumerate(captured)) {
      Value field = value;
      if (field.getType() != fields[i])
        field = UnrealizedConversionCastOp::create(b, fields[i], field).getResult(0);
      packed = LLVM::InsertValueOp::create(b, packed, field, static_cast<int64_t>(i));
    }
    Value argument = allocate(loop, structure);
    LLVM::StoreOp::create(b, packed, argument);
    Value reference = func::ConstantOp::create(b, body.getFunctionType(), body.getName());
    Value function = UnrealizedConversionCastOp::create(b, pointer, reference).getResult(0);
    LLVM::CallOp::create(b, declareRuntime(), ValueRange{context, tripCount(b, loop), function, argument});
  }

  Value tripCount(ImplicitLocOpBuilder &b, scf::ForallOp loop) {
    int64_t lower = *getConstantIntValue(loop.getMixedLowerBound().front());
    int64_t step = *getConstantIntValue(loop.getMixedStep().front());
    Value upper = loop.getUpperBound(b).front();
    if (lower == 0 && step == 1)
      return toI64(b, upper);
    Value extent = arith::SubIOp::create(b, upper, arith::ConstantIndexOp::create(b, lower));
    return toI64(b, arith::CeilDivSIOp::create(b, extent, arith::ConstantIndexOp::create(b, step)));
  }

  /// The structure lives in the entry block: a loop around the forall must not grow the stack.
  Value allocate(scf::ForallOp loop, Type structure) {
    auto parent = loop->getParentOfType<func::FuncOp>();
    ImplicitLocOpBuilder b(loop.getLoc(), &getContext());
    b.setInsertionPointToStart(&parent.getBody().front());
    Value one = LLVM::ConstantOp::create(b, b.getI64Type(), 1);
    return LLVM::AllocaOp::create(b, LLVM::LLVMPointerType::get(&getContext()), structure, one);
  }

  LLVM::LLVMFuncOp declareRuntime() {
    if (auto existing = getOperation().lookupSymbol<LLVM::LLVMFuncOp>(kParallelFor))
      return existing;
    OpBuilder b(&getContext());
    b.setInsertionPointToStart(getOperation().getBody());
    Type pointer = LLVM::LLVMPointerType::get(&getContext());
    auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(&getContext()), {pointer, b.getI64Type(), pointer, pointer});
    return LLVM::LLVMFuncOp::create(b, getOperation().getLoc(), kParallelFor, type);
  }
};
} // namespace
