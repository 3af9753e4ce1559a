// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Vector loops for what no kernel computes.
#pragma once
#include "mlir/Pass/Pass.h"

namespace mlir::qtensor {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lib/Transforms/Vectorize/Passes.h.inc"
} // namespace mlir::qtensor
