// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Time and instructions of a call.
#pragma once
#include "llvm/ADT/STLFunctionalExtras.h"
#include <cstdint>
#include <optional>

namespace mlir::qtensor::tools {

/// Median seconds of `repeats` calls, after one that warms up.
double medianSeconds(unsigned repeats, llvm::function_ref<void()> call);

/// Instructions that this thread retired in one call; none if the kernel does not let us count.
std::optional<uint64_t> countInstructions(llvm::function_ref<void()> call);

} // namespace mlir::qtensor::tools
