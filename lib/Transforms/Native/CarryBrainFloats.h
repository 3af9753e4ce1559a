// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// bf16 for processors without it, before and behind the expansion of its conversions.
#pragma once
#include "mlir/IR/PatternMatch.h"

namespace mlir::qtensor {

/// Arithmetic on bf16 becomes arithmetic on f32 between conversions.
LogicalResult computeBrainFloatsWide(Operation *root);

/// Conversions between bf16 and f32 or f64, in integer arithmetic.
void populateBrainFloatConversions(RewritePatternSet &patterns);

/// What lies in `root` and holds or moves bf16 does so with i16. Left alone where bf16 is still computed with.
void carryBrainFloatsAsBits(Operation *root);

} // namespace mlir::qtensor
