// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Reference/IntegerRules.h"

namespace mlir::qtensor::integer {

/// Replaces a call of rule "litert.lstm" by a loop over its steps.
LogicalResult emitLiteLstm(AsOp op, const reference::RuleCall &call);

} // namespace mlir::qtensor::integer
