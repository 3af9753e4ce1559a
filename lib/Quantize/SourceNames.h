// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The names that values had in the model file.
#pragma once
#include "mlir/IR/Operation.h"

namespace mlir::qtensor {

/// All names in `location`, outermost first, each once.
SmallVector<StringRef> getSourceNames(Location location);

/// The names a plan may call a contraction by: those of `op` and of the op that makes `weight` (may be null).
SmallVector<StringRef> getLayerNames(Operation *op, Value weight);

} // namespace mlir::qtensor
