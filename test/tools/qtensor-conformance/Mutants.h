// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Planted defects. Each is what a lowering would do if it had one well-known bug; it is made by editing the IR between
// two phases, after the reference has computed what is right.
#pragma once
#include "Check.h"

namespace mlir::qtensor::conformance {

/// Where a defect is planted: at C3, at C4, or when the target has built its kernels.
enum class Stage { Selected, Tiled, Kernels };

struct Mutant {
  StringLiteral name;
  StringLiteral cell; ///< Which cell of getMutantCells() shows it.
  Stage stage;
  /// Returns how many places were changed.
  unsigned (*plant)(ModuleOp module);
};

ArrayRef<Mutant> getMutants();

/// `target`, but its native passes plant `mutant` before they end; a place that is not found is the error `notMade`. One
/// at a time: a target's hooks are functions without state.
Target plantInKernels(const Target &target, const Mutant &mutant, StringRef notMade);

/// Kernels store all rows of a register tile, also those that the matrix does not have.
unsigned storeAllRows(ModuleOp module);

struct NamedCell {
  StringLiteral name;
  Cell cell;
};
std::vector<NamedCell> getMutantCells();

} // namespace mlir::qtensor::conformance
