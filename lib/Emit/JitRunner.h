// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs an observed model with compiled code.
#pragma once
#include "qtensor/ModelRunner.h"
#include "qtensor/Target.h"
#include <functional>
#include <memory>

namespace mlir::qtensor {

/// Compiles the module once for this machine, with what is observed as more results, and runs every sample. `progress`
/// is called with what is being done; it may be null.
std::unique_ptr<ModelRunner> createJitRunner(const Target &target, std::function<void(StringRef)> progress);

} // namespace mlir::qtensor
