// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which strategy a contraction gets, and why not the other one.
#pragma once
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Select/Contraction.h"
#include <string>

namespace mlir::qtensor {

struct StrategyChoice {
  StrategyAttr strategy;
  StrategyAttr integer; ///< With the limbs that the weight needs; null when it is not possible.
  std::string reason;   ///< Why `strategy` is not `integer`; empty when it is.
  /// Open extents of the reduction that share one block: `integer` is exact while their product is at most `most`.
  SmallVector<unsigned> open;
  int64_t most = 0;
};

/// Whether options may ask for it: what chooseStrategy says, or one for all contractions.
inline bool isStrategyOption(StringRef name) { return name == "auto" || name == "float" || name == "integer"; }

/// The number of int8 limbs that stand for a code of `codec`: 1 is exact, 2 is within a bound, 0 means there is none.
unsigned getIntegerLimbs(CodecAttr codec);

/// Chooses for `contraction`, whose sides may be encoded.
StrategyChoice chooseStrategy(Contraction contraction);

} // namespace mlir::qtensor
