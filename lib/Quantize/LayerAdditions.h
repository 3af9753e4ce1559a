// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which sums of a float model lie between its encoded layers, so that they are sums of codes in an integer-only
// network.
#pragma once
#include "lib/Transforms/Select/Addition.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::qtensor {

/// The additions (skip connections, average pools) and softmaxes all of whose inputs are results of layers with an
/// encoded weight, of other such additions, or rounded already, and whose result is rounded further on, all but for
/// padding, reshapes, maxima and elementwise arithmetic. In program order. `selects` has the last word on each.
SmallVector<Addition> findLayerAdditions(ModuleOp module, llvm::function_ref<bool(const Addition &)> selects);

} // namespace mlir::qtensor
