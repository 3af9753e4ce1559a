// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The functions of reference::FixedPoint16 as IR. All values are i64s.
#pragma once
#include "lib/Transforms/Integer/EmitFixedPoint.h"

namespace mlir::qtensor::integer {

/// 1 / (1 + exp(-a)) as Q0.15 for a in Q3.12.
Value emitLogistic16(Wide w, Value a);
/// tanh(a) as Q0.15 for a in Q(m).(15 - m), m = `integerBits` in [0, 6].
Value emitTanh16(Wide w, Value a, int integerBits);
/// 1 / sqrt(value) for a value in [0, 2^31) as a multiplier and its shift, which is 0 or below.
std::pair<Value, Value> emitInverseRoot(Wide w, Value value);

} // namespace mlir::qtensor::integer
