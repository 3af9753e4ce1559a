// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Contracts/Passes.h"
#include "mlir/IR/Dialect.h"

namespace mlir::qtensor {
void registerContracts(DialectRegistry &) { registerQTensorContractsPasses(); }
} // namespace mlir::qtensor
