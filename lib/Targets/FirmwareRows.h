// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What folders with many processors share: a record for each row of a table.
#pragma once
#include "qtensor/Firmware.h"
#include "qtensor/Target.h"
#include <deque>

namespace mlir::qtensor {
/// A target with all lists that its record points to.
struct FirmwareTarget {
  SmallVector<StringRef> gccFlags, clangFlags, helperQuery;
  SmallVector<FirmwareCompiler, 2> compilers;
  TargetLevel level;
  FirmwareRecord firmware;
  Target target;
};

/// Registers what `fill` makes of each row, once. `RowT` is a type of the caller's file alone: it says whose records these are.
template <typename RowT> void registerRows(ArrayRef<RowT> rows, void (*fill)(FirmwareTarget &, const RowT &)) {
  static std::deque<FirmwareTarget> records; // which never move
  if (!records.empty())
    return;
  for (const RowT &row : rows) {
    fill(records.emplace_back(), row);
    registerTarget(records.back().target);
  }
}
} // namespace mlir::qtensor
