// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From an imported model (C0) to one with statistics (C1).
#pragma once
#include "mlir/Pass/Pass.h"

namespace mlir::qtensor {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lib/Calibrate/Passes.h.inc"
} // namespace mlir::qtensor
