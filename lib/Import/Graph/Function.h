// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The function that an importer makes: its border and its end.
#pragma once
#include "lib/Import/Graph/Tensor.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::qtensor::graph {

/// Attributes of an argument or result: its name in the model, and its type where the IR's does not say it all.
DictionaryAttr borderAttrs(OpBuilder &builder, StringRef name, Elem elem);

/// Erases what was made for values that were then folded or not read.
void eraseDeadOps(func::FuncOp function);

/// The verifier's first complaint about the module, or an empty text.
std::string verifyQuietly(ModuleOp module);

} // namespace mlir::qtensor::graph
