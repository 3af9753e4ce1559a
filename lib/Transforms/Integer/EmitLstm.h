// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "lib/Reference/IntegerLstm.h"
#include "lib/Transforms/Integer/EmitFixedPoint.h"

namespace mlir::qtensor::integer {

/// Replaces a call of rule "tflite.lstm" by a loop over its steps, each of eight products and three maps of elements.
LogicalResult emitLstm(AsOp op, const reference::RuleCall &call);

/// (code * multiplier + half) >> shift of an i64.
Value emitTableScale(Wide w, Value code, reference::TableScale by);

} // namespace mlir::qtensor::integer
