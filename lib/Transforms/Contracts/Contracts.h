// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What each phase promises, as functions: for the verifier passes, and for what watches pass managers.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "qtensor/Phase.h"

namespace mlir::qtensor {

/// Checks what `phase` promises about a whole module; an error names op, clause and rule. C1 promises nothing about the
/// IR.
LogicalResult verifyContract(ModuleOp module, Phase phase);

/// C0.6 alone. It is asked of every model, checked or not: sizes that overflow would look like small ones.
LogicalResult verifySizes(ModuleOp module);

/// Whether the clauses that no pass on the way to `phase` may break once they hold do hold under `root`, in two
/// groups: encodings (C2.1 to C2.7, C2.9), and what the way to the phase establishes.
struct HeldClauses {
  bool encodings = false, phase = false;
};

/// Reports nothing: a question. Without a phase only encodings are asked for.
HeldClauses findHeldClauses(Operation *root, std::optional<Phase> phase);

/// Reports the first clause of a group in `held` that is broken under `root` since `pass` ran.
LogicalResult verifyHeldClauses(Operation *root, std::optional<Phase> phase, HeldClauses held, StringRef pass);

/// The values that are rounded under `root`: what upstream may neither erase nor invent.
struct Roundings {
  unsigned live = 0;     ///< Roundings whose result something reads, extents aside.
  unsigned distinct = 0; ///< The same without those that compute the same from the same: common subexpressions.
};
Roundings countRoundings(Operation *root);

/// C2.8 around a pass that neither places nor lowers roundings.
LogicalResult verifyRoundings(Operation *root, Roundings before, StringRef pass);

} // namespace mlir::qtensor
