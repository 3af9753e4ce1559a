// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A module in LLVM dialect as one C file: for those who may not link foreign objects, and for reading.
#pragma once
#include "qtensor/Firmware.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::qtensor {

/// Writes C11 with attributes that gcc and clang share. `entry` is the one function that others see; `weights` are the bytes
/// of the global without a value. Scalars only: an op on vectors, or an intrinsic that the target does not spell in C, is an
/// error that names it.
LogicalResult emitC(ModuleOp module, const FirmwareRecord &target, StringRef entry, StringRef weights, llvm::raw_ostream &os);

} // namespace mlir::qtensor
