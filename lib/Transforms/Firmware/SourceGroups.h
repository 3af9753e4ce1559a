// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the operators of a model became that are no layers of the qnn dialect: loops, fills, copies.
#pragma once
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <string>

namespace mlir::qtensor::firmware {

/// Operations on buffers that follow one another in the entry and came from one operator of the model.
struct SourceGroup {
  std::string source; ///< Its name in the model's file.
  std::string kind;   ///< Of the operation that does most: "product", "reduction", "map", "copy", "fill", "loop", or its own name.
  std::string function; ///< "op3_product", 3 being the group's number. Empty: it cannot leave the entry.
  SmallVector<Operation *> ops;
  int64_t multiplications = 0; ///< That are added up; where there are none, the elements that are computed.
};

/// The groups of an entry on buffers, in order: of phase C5, or what qtensor-emit-firmware-entry made of it, with the same
/// answer. Layers, calls and operations that only make values stand between them. An operation without a name belongs to
/// the next one that has one.
SmallVector<SourceGroup> groupBySource(func::FuncOp entry);

/// The first name in a location; without one the file and the line of a model in IR; empty: neither.
std::string sourceName(Location loc);

} // namespace mlir::qtensor::firmware
