// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Indices that are data, in the bodies of elementwise ops.
#pragma once
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::qtensor {

/// Bounds each index that `op` computes from data before it reads a tensor with it, and checks in front of the op,
/// which errors call `place`, that none had to be.
void checkLookups(linalg::GenericOp op, StringRef place);

} // namespace mlir::qtensor
