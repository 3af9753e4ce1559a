// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A module in LLVM dialect as C: for those who may not link foreign objects, for other compilers, and for reading.
#pragma once
#include "qtensor/Firmware.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::qtensor {

/// A symbol of constants that the module only declares, the section it goes to, and its bytes.
struct ConstantSection {
  std::string symbol, section;
  StringRef bytes;
};

/// The name of the entry in the C file: it takes bytes, and the model's function calls it.
constexpr StringLiteral kSourceEntry = "q_entry";

/// Writes all of a C11 file but its head and the model's function, with attributes that gcc and clang share. `sections` has
/// the globals without a value. An op that has neither a general form nor a spelling of the target is an error that
/// names it.
LogicalResult emitC(ModuleOp module, const FirmwareRecord &target, StringRef entry,
                    ArrayRef<ConstantSection> sections, llvm::raw_ostream &os);

} // namespace mlir::qtensor
