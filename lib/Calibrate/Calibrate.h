// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Calibration: runs of an observed copy of a model, summed up.
#pragma once
#include "lib/Calibrate/Statistics.h"
#include "qtensor/ModelRunner.h"
#include <memory>

namespace mlir::qtensor {

/// Runs an observed copy of `module` (C0) on every sample. `module` stays as it is.
FailureOr<Statistics> calibrate(ModuleOp module, ModelRunner &runner, ArrayRef<Sample> samples);

/// Observers for everything that a /static format may ask for.
void insertObservers(ModuleOp module);

/// The runner that interprets the module with lib/Reference.
std::unique_ptr<ModelRunner> createReferenceRunner();

} // namespace mlir::qtensor
