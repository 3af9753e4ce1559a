// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What counts as a contraction, and how an init is read.
#pragma once
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include <string>

namespace mlir::qtensor {

/// A linalg op out[o(i)] += lhs[l(i)] * rhs[r(i)] with its sides in the order of qtensor.contract.
struct Contraction {
  linalg::LinalgOp op;
  OpOperand *lhs, *rhs; ///< `rhs` is the weight: the constant side, else the encoded side, else the second one.
  AffineMap lhsMap, rhsMap, outputMap;
};

/// Matches `op`. On failure `why` (may be null) says which rule it misses, e.g. "it has no reduction".
FailureOr<Contraction> matchContraction(Operation *op, std::string *why = nullptr);

/// True for a constant, an assembly of constants, or a reshape, cast or transposition of one.
bool isWeight(Value value);

/// What a contraction starts from.
struct Init {
  Value empty;      ///< A tensor of the right shape that is not read, or null: the caller makes one.
  Value extra;      ///< What is added to the sums, or null when they start at zero.
  AffineMap extraMap; ///< From the output's dimensions to those of `extra`.
};
Init readInit(Value init);

} // namespace mlir::qtensor
