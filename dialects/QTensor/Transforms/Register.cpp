// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "dialects/QTensor/Transforms/Passes.h"
#include "mlir/IR/DialectRegistry.h"

namespace mlir::qtensor {
void registerQTensorDialectPasses(DialectRegistry &) { registerQTensorBorderPasses(); }
} // namespace mlir::qtensor
