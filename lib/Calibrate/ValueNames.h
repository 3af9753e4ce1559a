// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Keys of values in statistics.
#pragma once
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/MapVector.h"

namespace mlir::qtensor {

/// The key of everything that a contraction with a constant side multiplies, and then of what is added up besides
/// (lib/Transforms/Select/Addition.h), without what moves it: the value's source name (or the argument's
/// `qtensor.name`), and `#2`, `#3`, ... behind it where several values share one. Keys depend on the order of these ops
/// only, so they are the same before and after weights are encoded. In order of first use.
llvm::MapVector<Value, std::string> nameRoundedInputs(ModuleOp module);

/// The key of a result of @main: "result/" and its `qtensor.name`.
std::string nameOfResult(FunctionOpInterface main, unsigned index);

} // namespace mlir::qtensor
