// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Finds the ops that a target spells in C by itself, and those of floats that are functions everywhere
// (qtensor/Firmware.h, CSpelling).
#pragma once
#include "qtensor/Firmware.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

namespace mlir::qtensor {

/// What a spelling was found to stand for.
struct CMatch {
  const CLibrary *library = nullptr;
  const CSpelling *spelling = nullptr;
  SmallVector<Value> captured;     ///< $0, $1, ...
  SmallVector<Operation *> folded; ///< Ops below the root: they are part of the expression.
};

/// The first spelling of the target, or of every target's floats, that matches `op` and what it is made from.
std::optional<CMatch> matchSpelling(Operation *op, const CDialect &c);

/// The groups of registers of a vector of no fixed length, as RISC-V writes them: "m2", "mf4". Else "".
std::string registerGroup(Type type, const CDialect &c);

/// The expression. `name` gives the C text of an operand, with a sign or without.
std::string spell(const CMatch &match, Operation *op, const CDialect &c,
                  llvm::function_ref<std::string(Value, bool isSigned)> name);

} // namespace mlir::qtensor
