// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Patterns of qtensor-sink-transposes for ops that move elements.
#pragma once
#include "mlir/IR/PatternMatch.h"

namespace mlir::qtensor::normalize {

/// Transpositions through tensor.pad, expand_shape, collapse_shape, extract_slice and chains of insert_slice (concat),
/// and out of a flattened factor into the constant weights that it meets.
void populateSinkTransposePatterns(RewritePatternSet &patterns);

/// Transpositions through qtensor.quantize and through codes that are assembled and decoded.
void populateSinkRoundingPatterns(RewritePatternSet &patterns);

} // namespace mlir::qtensor::normalize
