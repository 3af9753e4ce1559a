// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A pass whose patterns undo each other: what rewriteGreedily says of one that comes to no end. No pass of the compiler does.
#include "lib/Transforms/RewriteGreedily.h"
#include "mlir/Tools/Plugins/PassPlugin.h"
#include "llvm/Config/llvm-config.h"

using namespace mlir;

namespace {
struct Swap : RewritePattern {
  explicit Swap(MLIRContext *context) : RewritePattern("arith.addi", 1, context) {}

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    rewriter.modifyOpInPlace(op, [&] { op->setOperands({op->getOperand(1), op->getOperand(0)}); });
    return success();
  }
};

struct SwapOperands : PassWrapper<SwapOperands, OperationPass<>> {
  StringRef getArgument() const override { return "test-swap-operands"; }
  StringRef getDescription() const override { return "Swap the operands of every arith.addi for ever"; }

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<Swap>(&getContext());
    if (failed(qtensor::rewriteGreedily(*this, getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

extern "C" PassPluginLibraryInfo mlirGetPassPluginInfo() {
  return {MLIR_PLUGIN_API_VERSION, "QTensorRestless", LLVM_VERSION_STRING, [] { PassRegistration<SwapOperands>(); }};
}
