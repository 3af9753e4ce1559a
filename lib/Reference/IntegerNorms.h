// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rules that bring rows of codes to a common measure: "tflite.l2_normalization" and "tflite.log_softmax".
#pragma once
#include "lib/Reference/IntegerRules.h"

namespace mlir::qtensor::reference {

/// The output has 2^7 steps for 1.
constexpr int kUnitShift = 7;

/// log(sum) in Q5.26 for a sum of at least 1 in Q12.19, by a rational function between the fourth roots of 2.
int32_t logOfSum(int32_t sum);
/// The constants of that function, and the root of 1/2, as Q0.31.
constexpr int32_t kRootOfHalf = 1518500250, kLogOf2 = 1488522236, kFourthRootOfHalf = 1805811301,
                  kLogNumerator = 117049297, kLogDenominator = 127690142, kLogOffset = 1057819769, kLogFactor = 638450708;

struct LogSoftmaxScale {
  std::vector<int32_t> differences; ///< A code difference of -i in Q5.26.
  QuantizedMultiplier back;         ///< From there to code differences.
  int64_t least;                    ///< The lowest difference that counts.
};
/// Nothing for a scale that the rule does not have.
std::optional<LogSoftmaxScale> logSoftmaxScale(const RuleCall &call);

LogicalResult normalizeRows(RuleCall &call, std::string &problem);
/// Parameters: beta (1).
LogicalResult logSoftmaxRows(RuleCall &call, std::string &problem);

} // namespace mlir::qtensor::reference
