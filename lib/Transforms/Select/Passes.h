// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From encoded tensors (C2) to qtensor.contract on components (C3).
#pragma once
#include "mlir/Pass/Pass.h"

namespace mlir::qtensor {

/// Attribute of a qtensor.decode: why its reader could not take the codes. Clause C3.3 wants one on every decode.
constexpr llvm::StringLiteral kReasonAttr = "qtensor.reason";
/// Attribute of a linalg op: the strategy that qtensor-select has to use for it.
constexpr llvm::StringLiteral kStrategyAttr = "qtensor.strategy";

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lib/Transforms/Select/Passes.h.inc"

} // namespace mlir::qtensor
