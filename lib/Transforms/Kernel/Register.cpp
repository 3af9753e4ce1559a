// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Kernel/Passes.h"

namespace mlir::qtensor {
void registerKernelPasses(DialectRegistry &) { registerQTensorKernelPasses(); }
} // namespace mlir::qtensor
