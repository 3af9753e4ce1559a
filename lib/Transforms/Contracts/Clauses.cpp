// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Contracts/Clauses.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

using namespace mlir;
using namespace mlir::qtensor;

static thread_local std::optional<StringRef> blamedPass;

ClauseScope::ClauseScope(StringRef pass) { blamedPass = pass; }
ClauseScope::~ClauseScope() { blamedPass.reset(); }

InFlightDiagnostic qtensor::emitClause(Operation *op, StringRef clause) {
  // An abandoned diagnostic takes text and shows none of it.
  bool isQuestion = blamedPass && blamedPass->empty();
  InFlightDiagnostic error = isQuestion ? mlir::emitError(op->getLoc()) : op->emitError();
  if (isQuestion)
    error.abandon();
  else if (blamedPass)
    error << "pass '" << *blamedPass << "' broke ";
  error << "contract clause " << clause << ": ";
  return error;
}

LogicalResult qtensor::walkOps(Operation *root, llvm::function_ref<LogicalResult(Operation *)> check) {
  return failure(root->walk<WalkOrder::PreOrder>([&](Operation *op) {
                       return failed(check(op)) ? WalkResult::interrupt() : WalkResult::advance();
                     })
                     .wasInterrupted());
}

LogicalResult qtensor::walkTypes(Operation *root, llvm::function_ref<LogicalResult(Operation *, Type)> check) {
  return walkOps(root, [&](Operation *op) -> LogicalResult {
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
