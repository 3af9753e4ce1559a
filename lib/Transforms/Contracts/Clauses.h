// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Private to this folder: walking types, reporting clauses.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir::qtensor {

/// An error at `op`: `contract clause <clause>: `. The caller adds the rule. See ClauseScope.
InFlightDiagnostic emitClause(Operation *op, StringRef clause);

/// Calls `check` with every type of a value, a block argument or a signature under `root`, and the op that has it.
/// Stops at the first failure.
LogicalResult walkTypes(Operation *root, llvm::function_ref<LogicalResult(Operation *, Type)> check);

/// Calls `check` on every op; stops at the first failure.
LogicalResult walkOps(Operation *root, llvm::function_ref<LogicalResult(Operation *)> check);

/// While one lives, clauses that break on this thread are the fault of `pass` and say so; without one (an empty name)
/// nothing is reported: a question.
class ClauseScope {
public:
  explicit ClauseScope(StringRef pass);
  ~ClauseScope();
};

/// The clauses of each phase, on a whole module.
LogicalResult verifyImportedClauses(ModuleOp module);
LogicalResult verifySelectedClauses(Operation *root);
LogicalResult verifyTiledClauses(Operation *root);
LogicalResult verifyPlannedClauses(Operation *root);
/// C5.1 and C5.3.
LogicalResult verifyBufferClauses(Operation *root);
LogicalResult verifyNativeClauses(Operation *root);
/// C2.1 to C2.7 and C2.9: everything but the number of roundings.
LogicalResult verifyEncodingClauses(Operation *root);

} // namespace mlir::qtensor
