// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What lies between the encoded layers of a float model and is arithmetic on codes in an integer-only network.
#pragma once
#include "lib/Transforms/Select/Addition.h"
#include "mlir/IR/BuiltinOps.h"

namespace mlir::qtensor {

/// What matchBetweenLayers knows (skip connections, gates, average pools, softmaxes ...), all of whose inputs are
/// results of layers with an encoded weight, of other such ops, or rounded already, and whose result is rounded further
/// on, all but for padding, reshapes, maxima and elementwise arithmetic. In program order. `selects` has the last word
/// on each.
SmallVector<Addition> findLayerAdditions(ModuleOp module, llvm::function_ref<bool(const Addition &)> selects);

} // namespace mlir::qtensor
