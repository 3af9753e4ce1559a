// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Calibrate/Passes.h"
#include "mlir/IR/Dialect.h"

namespace mlir::qtensor {
void registerCalibrate(DialectRegistry &) { registerQTensorCalibratePasses(); }
} // namespace mlir::qtensor
