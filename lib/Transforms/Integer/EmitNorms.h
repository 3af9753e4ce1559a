// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rules "tflite.l2_normalization" and "tflite.log_softmax" as IR.
#pragma once
#include "lib/Reference/IntegerRules.h"

namespace mlir::qtensor::integer {

/// Both replace the op.
void emitUnitRows(AsOp op, const reference::RuleCall &call);
void emitLogSoftmax(AsOp op, const reference::RuleCall &call);

} // namespace mlir::qtensor::integer
