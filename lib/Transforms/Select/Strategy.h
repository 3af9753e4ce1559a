// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which strategy a contraction gets, and why not the other one.
#pragma once
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Select/Contraction.h"
#include <string>

namespace mlir::qtensor {

struct StrategyChoice {
  StrategyAttr strategy;
  std::string reason; ///< Why it is not `integer`; empty when it is.
};

/// The number of int8 limbs that products of codes of `codec` need (1 or 2), or 0 when there is no exact embedding.
unsigned getIntegerLimbs(CodecAttr codec);

/// Chooses for `contraction`, whose sides may be encoded.
StrategyChoice chooseStrategy(Contraction contraction);

} // namespace mlir::qtensor
