// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Expands functions of f32 to polynomials that vectorize.
#include "lib/Transforms/Native/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_APPROXIMATEMATH
#include "lib/Transforms/Native/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;

namespace {
struct ApproximateMath : mlir::qtensor::impl::ApproximateMathBase<ApproximateMath> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    // Rounding functions and fma are instructions; everything that upstream has a polynomial for is expanded.
    auto isFunction = [](StringRef name) {
      return name != "math.fma" && name != "math.floor" && name != "math.ceil" && name != "math.roundeven";
    };
    populateMathF32ExpansionPatterns(patterns, isFunction);
    populateMathPolynomialApproximationPatterns(patterns, isFunction);
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      getOperation()->emitError("the expansion of mathematical functions did not end");
      signalPassFailure();
    }
  }
};
} // namespace
