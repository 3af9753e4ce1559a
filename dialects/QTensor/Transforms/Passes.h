// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The border to upstream's quantized types.
#pragma once
#include "mlir/Pass/Pass.h"

namespace mlir::qtensor {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "dialects/QTensor/Transforms/Passes.h.inc"
} // namespace mlir::qtensor
