// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What each phase promises, checked. Run around upstream passes in tests: they do not know our rules.
#pragma once
#include "mlir/Pass/Pass.h"

namespace mlir::qtensor {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lib/Transforms/Contracts/Passes.h.inc"
} // namespace mlir::qtensor
