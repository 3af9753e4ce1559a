// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks of values that only the run knows.
#include "lib/Transforms/Native/Passes.h"
#include "lib/Transforms/Plan/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/IR/Matchers.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_LOWERCHECKS
#include "lib/Transforms/Native/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

/// Field of struct qtrt_context (lib/Runtime/qtrt.h) with the text of what failed.
static constexpr int32_t kFailureField = 1;

/// A constant with the text and a final 0.
static LLVM::GlobalOp makeText(ModuleOp module, Location loc, StringRef text, unsigned number) {
  OpBuilder b = OpBuilder::atBlockBegin(module.getBody());
  std::string bytes = text.str() + '\0';
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), bytes.size());
  return LLVM::GlobalOp::create(b, loc, type, /*isConstant=*/true, LLVM::Linkage::Internal,
                                "check_" + std::to_string(number), b.getStringAttr(bytes));
}

static LogicalResult lower(cf::AssertOp op, Value context, unsigned number, bool asNumber) {
  if (matchPattern(op.getArg(), m_Zero()))
    return op.emitError(op.getMsg()) << ", whatever the inputs are; correct the model";
  ImplicitLocOpBuilder b(op.getLoc(), op);
  Value one = arith::ConstantOp::create(b, b.getBoolAttr(true));
  auto branch = scf::IfOp::create(b, arith::XOrIOp::create(b, op.getArg(), one), /*withElseRegion=*/false);
  b.setInsertionPointToStart(branch.thenBlock());
  if (asNumber) {
    LLVM::StoreOp::create(b, arith::ConstantIntOp::create(b, int64_t(number) + 1, 32), context);
  } else {
    LLVM::GlobalOp text = makeText(op->getParentOfType<ModuleOp>(), op.getLoc(), op.getMsg(), number);
    auto pointer = LLVM::LLVMPointerType::get(op.getContext());
    Value field = LLVM::GEPOp::create(b, pointer, pointer, context, ArrayRef<LLVM::GEPArg>{kFailureField});
    LLVM::StoreOp::create(b, LLVM::AddressOfOp::create(b, text), field);
  }
  op.erase();
  return success();
}

namespace {
struct LowerChecks : mlir::qtensor::impl::LowerChecksBase<LowerChecks> {
  using LowerChecksBase::LowerChecksBase;

  void runOnOperation() override {
    SmallVector<cf::AssertOp> checks;
    getOperation().walk([&](cf::AssertOp op) { checks.push_back(op); });
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    SmallVector<StringRef> texts;
    for (auto [number, op] : llvm::enumerate(checks)) {
      if (op->getParentOfType<func::FuncOp>() != main || main.getNumArguments() < kFirstTensorArgument) {
        op.emitError("only @main, after qtensor-make-entry, can check values");
        return signalPassFailure();
      }
      texts.push_back(op.getMsgAttr().getValue());
      if (failed(lower(op, main.getArgument(kContextArgument), number, numbers)))
        return signalPassFailure();
    }
    if (numbers && !texts.empty())
      getOperation()->setAttr(kChecksAttr, Builder(&getContext()).getStrArrayAttr(texts));
  }
};
} // namespace
