// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Extents that a model leaves open and a user chooses.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include <map>
#include <string>

namespace mlir::qtensor {

/// Chosen extents: a name among an argument's `qtensor.dims`, or "input:axis" with the argument's `qtensor.name` ("input<i>" where
/// it has none) -> the number.
using ChosenExtents = std::map<std::string, int64_t>;

/// Gives open extents of the arguments of the function where a module starts the numbers chosen for them. Casts stand between
/// them and their uses, for canonicalization to fold.
void fixExtents(ModuleOp module, const ChosenExtents &chosen);

/// Fails after an error for a choice that names no extent of the module's, or one that the file fixes at another number.
LogicalResult checkExtents(ModuleOp module, const ChosenExtents &chosen, StringRef path);

} // namespace mlir::qtensor
