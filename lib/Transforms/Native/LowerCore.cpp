// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the runtime knows of the processor, where kernels ask for it.
#include "dialects/QTile/IR/QTile.h"
#include "lib/Transforms/Native/Passes.h"
#include "lib/Transforms/Plan/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_LOWERCORE
#include "lib/Transforms/Native/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

/// Field of struct qtrt_context (lib/Runtime/qtrt.h), all of whose fields in front of it have 8 bytes.
static constexpr int32_t kCoreField = 2;

namespace {
struct LowerCore : mlir::qtensor::impl::LowerCoreBase<LowerCore> {
  void runOnOperation() override {
    SmallVector<qtile::CoreOp> ops;
    getOperation().walk([&](qtile::CoreOp op) { ops.push_back(op); });
    auto main = getOperation().lookupSymbol<func::FuncOp>("main");
    for (qtile::CoreOp op : ops) {
      if (op->getParentOfType<func::FuncOp>() != main || main.getNumArguments() < kFirstTensorArgument) {
        op.emitOpError("only @main, after qtensor-make-entry, has a context that says it");
        return signalPassFailure();
      }
      ImplicitLocOpBuilder b(op.getLoc(), op);
      auto pointer = LLVM::LLVMPointerType::get(op.getContext());
      Value field = LLVM::GEPOp::create(b, pointer, b.getI64Type(), main.getArgument(kContextArgument),
                                        ArrayRef<LLVM::GEPArg>{kCoreField});
      Value number = LLVM::LoadOp::create(b, b.getI64Type(), field);
      op.replaceAllUsesWith(arith::IndexCastOp::create(b, b.getIndexType(), number).getResult());
      op.erase();
    }
  }
};
} // namespace
