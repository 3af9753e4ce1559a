// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What importers of graphs do alike: load dialects, report one problem, give the function a border and an end.
#pragma once
#include "lib/Import/Graph/Tensor.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace mlir::qtensor::graph {

/// The dialects that an imported graph is written in.
void registerDialects(DialectRegistry &registry);

/// Runs `import` with these dialects loaded. `report` makes an error of the first problem and ignores the rest.
OwningOpRef<ModuleOp>
importWith(MLIRContext *context,
           llvm::function_ref<OwningOpRef<ModuleOp>(llvm::function_ref<void(const Twine &)> report)> import);

/// Attributes of an argument or result: its name in the model, and its type where the IR's does not say it all.
DictionaryAttr borderAttrs(OpBuilder &builder, StringRef name, Elem elem);

/// Erases what was made for values that were then folded or not read.
void eraseDeadOps(func::FuncOp function);

/// The verifier's first complaint about the module, or an empty text.
std::string verifyQuietly(ModuleOp module);

} // namespace mlir::qtensor::graph
