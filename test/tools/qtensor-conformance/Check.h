// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One module of cells from C2 to machine code, checked against the reference at C2 and C3.
#pragma once
#include "CellText.h"
#include "qtensor/Target.h"
#include <functional>

namespace mlir::qtensor::conformance {

struct CheckOptions {
  const Target *target = nullptr;
  std::vector<std::string> levels; ///< Only these; empty: all that this machine runs.
  std::string keepFolder;          ///< Where modules of failing cells are written, "" for nowhere.
  bool referenceOnly = false;      ///< Compare C2 with C3 and stop.
  /// Test doors: change the module after the reference has seen it. Null outside of tests of the tests.
  std::function<LogicalResult(ModuleOp)> changeSelected, changeTiled;
};

struct CheckResult {
  unsigned passed = 0, failed = 0;
  unsigned integer = 0;              ///< Contractions that the integer strategy computed.
  std::vector<std::string> messages; ///< One for each failed cell.
  std::vector<std::string> levels;   ///< That ran.

  void add(const CheckResult &other);
};

/// Checks all cells together; when something refuses the module, each one apart.
CheckResult checkCells(MLIRContext *context, ArrayRef<CellData> cells, const CheckOptions &options);

} // namespace mlir::qtensor::conformance
