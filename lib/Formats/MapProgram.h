// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// An affine expression as a short program on integers: evaluating it makes no attributes.
#pragma once
#include "mlir/IR/AffineExpr.h"

namespace mlir::qtensor {
class MapProgram {
public:
  explicit MapProgram(AffineExpr expr) { compile(expr); }

  /// The value; -1 where a divisor is not positive.
  int64_t operator()(ArrayRef<int64_t> dims, ArrayRef<int64_t> symbols) const;

private:
  void compile(AffineExpr expr);
  struct Step {
    AffineExprKind kind;
    int64_t value; ///< Constant, or the position of a dimension or symbol.
  };
  SmallVector<Step, 16> steps; ///< In postfix order.
};
} // namespace mlir::qtensor
