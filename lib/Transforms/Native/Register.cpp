// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Native/Passes.h"
#include "mlir/IR/Dialect.h"

namespace mlir::qtensor {
void registerNative(DialectRegistry &) { registerQTensorNativePasses(); }
} // namespace mlir::qtensor
