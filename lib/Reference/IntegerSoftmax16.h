// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rule "tflite.softmax" for codes of 16 bits: lines between the entries of two tables, exp on [-10, 0] and 1 / (1 + x) on
// [0, 1]. A table has 512 steps over the codes and the end of the last one.
#pragma once
#include "lib/Reference/IntegerRules.h"

namespace mlir::qtensor::reference {

constexpr unsigned kTable16 = 513;
using Table16 = std::array<int16_t, kTable16>;
struct SoftmaxTables {
  Table16 exp, reciprocal;
};
/// Computed in f32, as TFLite Micro does, or, with parameter "f64_tables" = 1, in f64, as LiteRT does.
const SoftmaxTables &softmaxTables16(const RuleCall &call);
/// The line through a table at a code of 16 bits.
int16_t lookup16(int16_t code, const Table16 &table);

/// A difference of codes times 10 / 65535: what the exponential's table takes.
QuantizedMultiplier softmaxScale16(const RuleCall &call);
LogicalResult applySoftmax16(RuleCall &call, std::string &problem);

} // namespace mlir::qtensor::reference
