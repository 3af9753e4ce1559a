// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Integer/Passes.h"
#include "mlir/IR/Dialect.h"

namespace mlir::qtensor {
void registerIntegerPasses(DialectRegistry &) { registerQTensorIntegerPasses(); }
} // namespace mlir::qtensor
