// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"

namespace mlir::qtensor::x86 {
#define GEN_PASS_DECL
#include "lib/Targets/X86/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "lib/Targets/X86/Passes.h.inc"
} // namespace mlir::qtensor::x86
