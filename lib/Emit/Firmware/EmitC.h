// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A module in LLVM dialect as C: for those who may not link foreign objects, for other compilers, and for reading.
#pragma once
#include "qtensor/Firmware.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::qtensor {

/// The name of the entry in the C file: it takes bytes, and the model's function calls it.
constexpr StringLiteral kSourceEntry = "q_entry";

/// Writes all of a C11 file but its head and the model's function, with attributes that gcc and clang share. `weights` are the
/// bytes of the global without a value. An op that has neither a general form nor a spelling of the target is an error that
/// names it.
LogicalResult emitC(ModuleOp module, const FirmwareRecord &target, StringRef entry, StringRef weights, llvm::raw_ostream &os);

} // namespace mlir::qtensor
