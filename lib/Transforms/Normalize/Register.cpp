// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Normalize/Passes.h"
#include "mlir/IR/Dialect.h"

namespace mlir::qtensor {
void registerNormalize(DialectRegistry &) { registerQTensorNormalizePasses(); }
} // namespace mlir::qtensor
