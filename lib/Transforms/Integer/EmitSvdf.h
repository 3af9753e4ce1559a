// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Reference/IntegerRules.h"

namespace mlir::qtensor::integer {

/// Replaces a call of rule "tflite.svdf" by a product, a state that is moved by one step, and the sums over its window.
LogicalResult emitSvdf(AsOp op, const reference::RuleCall &call);

} // namespace mlir::qtensor::integer
