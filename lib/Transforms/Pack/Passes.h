// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "dialects/QTile/IR/QTile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Pass/Pass.h"

namespace mlir::qtensor {
#define GEN_PASS_DECL
#include "lib/Transforms/Pack/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "lib/Transforms/Pack/Passes.h.inc"
} // namespace mlir::qtensor
