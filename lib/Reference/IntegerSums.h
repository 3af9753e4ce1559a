// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums of many codes of one scale: rules "tflite.add_n" and "tflite.cumsum".
#pragma once
#include "lib/Reference/IntegerRules.h"

namespace mlir::qtensor::reference {

/// Sums have 2^19 for a step of their inputs' scale, in 32 bits that wrap. They start at minus the zero point, as the published
/// kernels do: those add 0 in place of a code.
constexpr int kSumShift = 19;
constexpr unsigned kMostAddends = 64;
/// What makes such a sum a code of the output.
double sumScale(const RuleCall &call);

LogicalResult addManyCodes(RuleCall &call, std::string &problem);
/// Parameters: axis, exclusive, reverse.
LogicalResult cumulateCodes(RuleCall &call, std::string &problem);

} // namespace mlir::qtensor::reference
