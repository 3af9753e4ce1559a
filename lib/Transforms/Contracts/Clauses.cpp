// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Contracts/Clauses.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mlir::qtensor;

InFlightDiagnostic qtensor::emitClause(Operation *op, StringRef clause) {
  return op->emitError() << "contract clause " << clause << ": ";
}

LogicalResult qtensor::walkOps(ModuleOp module, llvm::function_ref<LogicalResult(Operation *)> check) {
  return failure(module
                     .walk<WalkOrder::PreOrder>([&](Operation *op) {
                       return failed(check(op)) ? WalkResult::interrupt() : WalkResult::advance();
                     })
                     .wasInterrupted());
}

LogicalResult qtensor::walkTypes(ModuleOp module, llvm::function_ref<LogicalResult(Operation *, Type)> check) {
  return walkOps(module, [&](Operation *op) -> LogicalResult {
    SmallVector<Type> types(op->getResultTypes());
    for (Region &region : op->getRegions())
      for (Block &block : region)
        llvm::append_range(types, block.getArgumentTypes());
    if (auto function = dyn_cast<FunctionOpInterface>(op)) {
      llvm::append_range(types, function.getArgumentTypes());
      llvm::append_range(types, function.getResultTypes());
    }
    for (Type type : types)
      if (failed(check(op, type)))
        return failure();
    return success();
  });
}
