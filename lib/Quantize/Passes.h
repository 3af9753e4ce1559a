// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a float model (C0, C1) to one whose types carry encodings (C2).
#pragma once
#include "mlir/Pass/Pass.h"

namespace mlir::qtensor {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lib/Quantize/Passes.h.inc"
} // namespace mlir::qtensor
