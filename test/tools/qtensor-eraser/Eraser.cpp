// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A pass that does what an upstream pattern would do that took a rounding for a conversion: it folds the rounding away.
// The IR that it leaves is valid; only a count shows that something is missing.
#include "mlir/IR/PatternMatch.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/Config/llvm-config.h"

using namespace mlir;

namespace {
struct FoldRounding : RewritePattern {
  explicit FoldRounding(MLIRContext *context) : RewritePattern("qtensor.quantize", 1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    rewriter.replaceAllUsesWith(op->getResult(0), op->getOperand(0));
    rewriter.eraseOp(op);
    return success();
  }
};

struct EraseRoundings : PassWrapper<EraseRoundings, OperationPass<>> {
  StringRef getArgument() const override { return "test-erase-roundings"; }
  StringRef getDescription() const override { return "Fold every qtensor.quantize to its source"; }

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FoldRounding>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

extern "C" PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "QTensorEraser", LLVM_VERSION_STRING, [] { PassRegistration<EraseRoundings>(); }};
}
