// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Time and performance counters of a call.
#pragma once
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <vector>

namespace mlir::qtensor::tools {

/// Median seconds of `repeats` calls, after one that warms up.
double medianSeconds(unsigned repeats, llvm::function_ref<void()> call);

/// What this thread did in one call, by name; no number for an event that this machine does not count.
struct EventCount {
  llvm::StringLiteral name;
  std::optional<uint64_t> number;
};

/// Counts instructions, cycles, branch and cache misses. Fails with the reason if the kernel lets us count nothing.
llvm::Expected<std::vector<EventCount>> countEvents(llvm::function_ref<void()> call);

} // namespace mlir::qtensor::tools
