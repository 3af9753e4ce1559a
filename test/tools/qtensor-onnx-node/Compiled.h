// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A model compiled in memory and called through its C interface.
#pragma once
#include "lib/Emit/LoadedModel.h"
#include "lib/Reference/Tensor.h"

namespace mlir::qtensor {

/// Compiles an imported module for the level called `level` of the first target; the module is consumed. One diagnostic
/// on failure.
FailureOr<std::unique_ptr<LoadedModel>> compileInMemory(ModuleOp module, StringRef level);

/// Runs the model; `types` are the element types of its results. A message on failure.
llvm::Expected<SmallVector<reference::Tensor>> runCompiled(LoadedModel &model, ArrayRef<reference::Tensor> inputs,
                                                           ArrayRef<Type> types);

} // namespace mlir::qtensor
