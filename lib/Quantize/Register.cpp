// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quantize/Passes.h"
#include "mlir/IR/Dialect.h"

namespace mlir::qtensor {
void registerQuantize(DialectRegistry &) { registerQTensorQuantizePasses(); }
} // namespace mlir::qtensor
