// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The contract of C6.
#include "lib/Transforms/Contracts/Clauses.h"
#include "lib/Transforms/Contracts/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_VERIFYNATIVE
#include "lib/Transforms/Contracts/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

LogicalResult qtensor::verifyNativeClauses(Operation *root) {
  return walkOps(root, [](Operation *op) -> LogicalResult {
    if (isa<ModuleOp>(op) || isa_and_nonnull<LLVM::LLVMDialect>(op->getDialect()))
      return success();
    return emitClause(op, "C6.1") << "'" << op->getName() << "' is not of the LLVM dialect";
  });
}

namespace {
struct VerifyNative : mlir::qtensor::impl::VerifyNativeBase<VerifyNative> {
  void runOnOperation() override {
    if (failed(verifyNativeClauses(getOperation())))
      signalPassFailure();
  }
};
} // namespace
