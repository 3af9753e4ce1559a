// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rules of two inputs, which broadcast to the output.
#pragma once
#include "lib/Reference/IntegerRules.h"

namespace mlir::qtensor::reference {

/// "tflite.add" and "tflite.sub".
LogicalResult addCodes(RuleCall &call, std::string &problem);
LogicalResult subtractCodes(RuleCall &call, std::string &problem);
/// "litert.mul": a product whose multiplier is computed in f32, as LiteRT does and TFLite Micro does not.
LogicalResult multiplyCodes(RuleCall &call, std::string &problem);
/// "tflite.squared_difference".
LogicalResult squaredDifference(RuleCall &call, std::string &problem);
/// "tflite.prelu": x, or x times a slope where it is negative.
LogicalResult parametricRelu(RuleCall &call, std::string &problem);

/// The real multiplier of litert.mul.
double productScale(const RuleCall &call);
/// Bits by which tflite.squared_difference refines codes before it scales them.
int squaredShift(const RuleCall &call);

/// A product with the reciprocal of the second code, which three steps of Newton give. Where the published kernel shifts by more
/// bits than a number has, as it does for quotients that are small beside the output's scale, or divides by 0, its results are
/// undefined: here such quotients are 0, and 0 divides as 1 does.
LogicalResult divideCodes(RuleCall &call, std::string &problem);
double quotientScale(const RuleCall &call);

} // namespace mlir::qtensor::reference
