// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Private to this folder: walking types, reporting clauses.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir::qtensor {

/// An error at `op`: `contract clause <clause>: `. The caller adds the rule.
InFlightDiagnostic emitClause(Operation *op, StringRef clause);

/// Calls `check` with every type of a value, a block argument or a signature in `module`, and the op that has it. Stops
/// at the first failure.
LogicalResult walkTypes(ModuleOp module, llvm::function_ref<LogicalResult(Operation *, Type)> check);

/// Calls `check` on every op; stops at the first failure.
LogicalResult walkOps(ModuleOp module, llvm::function_ref<LogicalResult(Operation *)> check);

} // namespace mlir::qtensor
