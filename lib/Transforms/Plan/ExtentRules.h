// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What ops need of the extents of their operands. Their verifiers see only those that are written in types.
#pragma once
#include "lib/Extents/DimMath.h"
#include <functional>
#include <string>

namespace mlir::qtensor {

/// Where a rule takes its numbers from: the beginning of the function, or the place of the op.
struct ExtentSource {
  DimMath &math;
  llvm::function_ref<OpFoldResult(Value tensor, int64_t dim)> extent;
  llvm::function_ref<OpFoldResult(OpFoldResult index)> number;
};

/// A number that follows from extents and from the index operands of an op.
using ExtentTerm = std::function<OpFoldResult(const ExtentSource &)>;

/// `left` is equal to `right`, or at most that.
struct ExtentRule {
  enum Kind { Equal, AtMost } kind;
  ExtentTerm left, right;
  std::string broken; ///< What is wrong where the rule does not hold.
  /// The offset, index or size of the op that the rule is about, and the nearest one for which it holds, so that
  /// nothing else is touched where data break the rule. Null for other rules.
  OpOperand *number = nullptr;
  ExtentTerm nearest = nullptr;
  bool isFloor = false;         ///< The nearest one is the least.
  bool isSize = false;          ///< The number is the size of a slice, which other ops take too.
  bool isForData = false;       ///< Follows from the other rules, unless offsets or sizes of the op are data.
  bool isUnconditional = false; ///< Also where the op is not reached.
  /// An index of a tensor.extract in the body of the op: where data decide, it is checked there (CheckLookups.h).
  OpOperand *lookup = nullptr;
};

/// The rules of `op` that are about more than what is written in its types. Rules come in the order in which they build
/// on each other.
SmallVector<ExtentRule> getExtentRules(Operation *op);

} // namespace mlir::qtensor
