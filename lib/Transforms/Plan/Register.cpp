// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Plan/Passes.h"
#include "mlir/IR/Dialect.h"

namespace mlir::qtensor {
void registerPlan(DialectRegistry &) { registerQTensorPlanPasses(); }
} // namespace mlir::qtensor
