// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How passes apply patterns until nothing matches.
#pragma once
#include "mlir/Pass/Pass.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace mlir::qtensor {
/// Applies `patterns` to what `root` holds. They fail only by not coming to an end, which is a diagnostic that names `pass`:
/// upstream's driver fails without one, and never where patterns undo each other within one of its rounds.
inline LogicalResult rewriteGreedily(const Pass &pass, Operation *root, RewritePatternSet patterns) {
  constexpr int64_t rewritesPerOp = 10000; // far above what expansions take
  int64_t ops = 0;
  root->walk([&](Operation *) { ++ops; });
  GreedyRewriteConfig config;
  config.setMaxNumRewrites(rewritesPerOp * ops);
  if (succeeded(applyPatternsGreedily(root, std::move(patterns), config)))
    return success();
  return root->emitError("'") << pass.getArgument() << "' comes to no end here: after " << config.getMaxIterations()
                              << " rounds its patterns still rewrite what they have written; this is an error of the "
                                 "compiler: report it with the model and the options";
}
} // namespace mlir::qtensor
