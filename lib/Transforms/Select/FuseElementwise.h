// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Private to this folder: chains of elementwise ops as one op.
#pragma once
#include "mlir/IR/PatternMatch.h"

namespace mlir::qtensor {

/// Patterns that fuse elementwise linalg ops into elementwise ones, and clean up behind that.
void populateElementwiseFusion(RewritePatternSet &patterns);

} // namespace mlir::qtensor
