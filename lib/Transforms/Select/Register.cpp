// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Select/Passes.h"
#include "mlir/IR/Dialect.h"

namespace mlir::qtensor {
void registerSelect(DialectRegistry &) { registerQTensorSelectPasses(); }
} // namespace mlir::qtensor
