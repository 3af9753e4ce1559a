// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "lib/Transforms/Kernel/KernelSpec.h"
#include "lib/Transforms/Kernel/Passes.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <vector>

namespace mlir::qtensor {
using EmitError = llvm::function_ref<InFlightDiagnostic()>;

/// The options of qtensor-lower-components that readMachines() makes these machines of. They are of one level.
LowerComponentsOptions describeMachines(ArrayRef<TileMachine> machines);

/// The machines that the options describe, at least one.
FailureOr<std::vector<TileMachine>> readMachines(const LowerComponentsOptions &options, EmitError emitError);

} // namespace mlir::qtensor
