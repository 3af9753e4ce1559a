// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Compiled cells run in processes of their own: one that crashes is one failed cell, and several run at once.
#pragma once
#include "Check.h"

namespace mlir::qtensor::conformance {

/// checkCells on groups of `groupSize`, `jobs` at a time; a group that crashes is run again cell by cell. `report` is
/// called with each result, in order. The context must be single-threaded.
CheckResult checkIsolated(MLIRContext *context, ArrayRef<CellData> cells, size_t groupSize, unsigned jobs,
                          const CheckOptions &options, llvm::function_ref<void(const CheckResult &)> report);

} // namespace mlir::qtensor::conformance
