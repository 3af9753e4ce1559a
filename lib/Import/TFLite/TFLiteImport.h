// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// .tflite -> linalg on statically encoded tensors (phase C0).
#pragma once
#include "qtensor/Import.h"

namespace mlir::qtensor {

/// Imports the first subgraph of a model in memory as a module with one function `@main`; `path` is used in messages.
/// Arguments and results carry `qtensor.name`, and `qtensor.dtype` where codes are unsigned. Exactly one error that names
/// file, operator, rule and remedy comes with a null result. `bytes` need live only during the call.
OwningOpRef<ModuleOp> importTFLite(StringRef path, StringRef bytes, MLIRContext *context, const ImportOptions &options = {});

} // namespace mlir::qtensor
