// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Contracts around every pass: finds the pass that broke a promise, an upstream one too.
#pragma once
#include "mlir/Pass/PassManager.h"
#include "qtensor/Phase.h"
#include <atomic>
#include <memory>

namespace mlir::qtensor {

/// Lets `pm` check, before and after every pass, what must hold there on the way to `phase`: clauses that held stay
/// held, and no value stops being rounded or begins to be, passes aside that place roundings. The error names the pass
/// and `*broken` becomes true; the pass manager itself goes on, for it cannot be stopped from there. Without a phase
/// (quant-opt) only the clauses on encodings are checked.
void verifyAroundPasses(PassManager &pm, std::optional<Phase> phase, std::shared_ptr<std::atomic<bool>> broken);

} // namespace mlir::qtensor
