// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Expands functions of f32 to polynomials that vectorize.
#include "lib/Transforms/Native/Passes.h"
#include "lib/Transforms/RewriteGreedily.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_APPROXIMATEMATH
#include "lib/Transforms/Native/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;

namespace {
struct ApproximateMath : mlir::qtensor::impl::ApproximateMathBase<ApproximateMath> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    // Only those that stay within a few units of the last place: upstream's sin, cos and atan lose half of the digits.
    populateMathPolynomialApproximationPatterns(patterns, [](StringRef name) {
      return llvm::is_contained(
          {"math.exp", "math.expm1", "math.tanh", "math.erf", "math.log", "math.log1p", "math.log2"}, name);
    });
    if (failed(qtensor::rewriteGreedily(*this, getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace
