// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "lib/Reference/IntegerRules.h"

namespace mlir::qtensor::integer {

/// Describes what `op` calls: codes of static encodings and shapes, checked by the rule itself. `isUnsigned` is told for each
/// input. Failure comes with an error.
LogicalResult readRuleCall(AsOp op, reference::RuleCall &call, SmallVectorImpl<bool> &isUnsigned);

} // namespace mlir::qtensor::integer
