// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "dialects/QTile/IR/QTile.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::qtensor {
#define GEN_PASS_DECL
#include "lib/Transforms/Kernel/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "lib/Transforms/Kernel/Passes.h.inc"

/// Patterns of qtile-expand, for a target that runs its own rows first.
void populateExpandTilePatterns(RewritePatternSet &patterns);
} // namespace mlir::qtensor
