// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From integer-only networks to layers, their kernels and an entry without a runtime.
#pragma once
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::qtensor {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lib/Transforms/Firmware/Passes.h.inc"

} // namespace mlir::qtensor
