// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The contract of C5.
#include "lib/Transforms/Contracts/Clauses.h"
#include "lib/Transforms/Contracts/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_VERIFYPLANNED
#include "lib/Transforms/Contracts/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

static LogicalResult verifyType(Operation *op, Type type) {
  if (isa<TensorType>(type))
    return emitClause(op, "C5.1") << "there are no tensors, got " << type;
  auto memref = dyn_cast<MemRefType>(type);
  if (memref && memref.getElementType().isIntOrFloat()) {
    unsigned width = memref.getElementTypeBitWidth();
    if (width < 8 && width != 1)
      return emitClause(op, "C5.3") << "no element in memory is narrower than 8 bits, got " << type;
  }
  return success();
}

LogicalResult qtensor::verifyBufferClauses(Operation *root) { return walkTypes(root, verifyType); }

LogicalResult qtensor::verifyPlannedClauses(Operation *root) {
  auto checkOp = [](Operation *op) -> LogicalResult {
    auto function = op->getParentOfType<func::FuncOp>();
    if (isa<memref::AllocOp>(op) && function && function.getName() == "main")
      return emitClause(op, "C5.2") << "@main allocates nothing: temporaries lie in the scratch arena";
    return success();
  };
  return failure(failed(verifyBufferClauses(root)) || failed(walkOps(root, checkOp)));
}

namespace {
struct VerifyPlanned : mlir::qtensor::impl::VerifyPlannedBase<VerifyPlanned> {
  void runOnOperation() override {
    if (failed(verifyPlannedClauses(getOperation())))
      signalPassFailure();
  }
};
} // namespace
