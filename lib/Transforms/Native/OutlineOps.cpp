// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Gives every linalg op of @main a function, shared by all ops that are the same.
#include "lib/Transforms/Native/Passes.h"
#include "lib/Transforms/Plan/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_OUTLINEOPS
#include "lib/Transforms/Native/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

/// A function that does what `op` does to the values in `operands`; its first argument is the context.
static func::FuncOp makeFunction(linalg::LinalgOp op, const llvm::SetVector<Value> &operands) {
  MLIRContext *context = op.getContext();
  OpBuilder b(context);
  SmallVector<Type> types = {LLVM::LLVMPointerType::get(context)};
  for (Value value : operands)
    if (!value.getDefiningOp<arith::ConstantOp>())
      types.push_back(value.getType());
  auto function = func::FuncOp::create(op.getLoc(), "op", FunctionType::get(context, types, {}));
  function.setPrivate();
  function->setAttr("passthrough", b.getStrArrayAttr({"noinline"}));
  b.setInsertionPointToStart(function.addEntryBlock());
  IRMapping map;
  unsigned next = 1;
  for (Value value : operands) {
    auto constant = value.getDefiningOp<arith::ConstantOp>();
    map.map(value, constant ? b.clone(*constant)->getResult(0) : Value(function.getArgument(next++)));
  }
  b.clone(*op, map);
  func::ReturnOp::create(b, op.getLoc());
  return function;
}

namespace {
struct OutlineOps : mlir::qtensor::impl::OutlineOpsBase<OutlineOps> {
  void runOnOperation() override {
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    if (!main || main.isExternal() || !main.getNumArguments() ||
        !isa<LLVM::LLVMPointerType>(main.getArgument(kContextArgument).getType())) {
      getOperation().emitError("@main has no context argument; qtensor-make-entry must run first");
      return signalPassFailure();
    }
    SymbolTable symbols(getOperation());
    llvm::StringMap<func::FuncOp> known; // By the text of the function: equal text is equal code.
    main.walk([&](linalg::LinalgOp op) {
      if (!op.hasPureBufferSemantics())
        return;
      llvm::SetVector<Value> operands(op->operand_begin(), op->operand_end());
      getUsedValuesDefinedAbove(op->getRegions(), operands);
      func::FuncOp function = makeFunction(op, operands);
      std::string text;
      llvm::raw_string_ostream os(text);
      function.print(os, OpPrintingFlags().useLocalScope());
      auto [entry, isNew] = known.try_emplace(text, function);
      if (isNew) {
        symbols.insert(function, Block::iterator(main));
      } else {
        function.erase();
      }
      OpBuilder b(op);
      SmallVector<Value> arguments = {main.getArgument(kContextArgument)};
      for (Value value : operands)
        if (!value.getDefiningOp<arith::ConstantOp>())
          arguments.push_back(value);
      func::CallOp::create(b, op.getLoc(), entry->second, arguments);
      op.erase();
    });
  }
};
} // namespace
