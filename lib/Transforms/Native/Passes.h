// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From buffers to code that the runtime can call.
#pragma once
#include "mlir/Pass/Pass.h"

namespace mlir::qtensor {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lib/Transforms/Native/Passes.h.inc"
} // namespace mlir::qtensor
