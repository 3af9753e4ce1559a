// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Planted defects. Each is what a lowering would do if it had one well-known bug; it is made by editing the IR between
// two phases, after the reference has computed what is right.
#pragma once
#include "Check.h"

namespace mlir::qtensor::conformance {

struct Mutant {
  StringLiteral name;
  StringLiteral cell; ///< Which cell of getMutantCells() shows it.
  bool packed;        ///< Edits the module at C4, else at C3.
  /// Returns how many places were changed.
  unsigned (*plant)(ModuleOp module);
};

ArrayRef<Mutant> getMutants();

struct NamedCell {
  StringLiteral name;
  Cell cell;
};
std::vector<NamedCell> getMutantCells();

} // namespace mlir::qtensor::conformance
