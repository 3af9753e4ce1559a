// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Normalisation, the end of C0: the passes that bring imported linalg on tensors into the form that quantization and
// selection expect. lib/Transforms/Normalize/README.md says what that form is.
#pragma once
#include "mlir/Pass/Pass.h"

namespace mlir::qtensor {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lib/Transforms/Normalize/Passes.h.inc"

} // namespace mlir::qtensor
