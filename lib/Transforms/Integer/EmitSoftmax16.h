// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Reference/IntegerRules.h"

namespace mlir::qtensor::integer {

/// Replaces a call of rule "tflite.softmax" on codes of 16 bits.
void emitSoftmax16(AsOp op, const reference::RuleCall &call);

} // namespace mlir::qtensor::integer
