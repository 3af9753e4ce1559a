// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// State: tensors that a model keeps between calls. An argument and a result of @main that carry the same
// `qtensor.state` are one state: what the call finds and what it leaves.
#pragma once
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::qtensor {

/// Checks that `qtensor.state` names one argument and one result each, of one type of fixed extents.
LogicalResult verifyStates(func::FuncOp main, llvm::function_ref<InFlightDiagnostic()> emitError);

/// The name of the state that `dest` is, with what was written into it before; null if it is none.
StringAttr findState(func::FuncOp main, Value dest);

/// Moves states behind all other arguments and results, in the order of the arguments. Returns how many there are;
/// fails after a diagnostic where verifyStates does.
FailureOr<unsigned> moveStatesLast(func::FuncOp main);

/// Copies what @main returns as state but keeps, by views or destinations, in the memory of another state: by the time
/// it is stored, that memory has its own new contents. `states` as from moveStatesLast.
void copySharedStates(func::FuncOp main, unsigned states);

/// Whether argument `index` of @main is the buffer of a state, once qtensor-make-entry has run.
bool isStateArgument(func::FuncOp main, unsigned index);

/// Checks that @main has the arguments that qtensor-make-entry gives it, buffers of the types that the module's
/// attributes describe; fails after a diagnostic.
LogicalResult verifyEntry(ModuleOp module);

} // namespace mlir::qtensor
