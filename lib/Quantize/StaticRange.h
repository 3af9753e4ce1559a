// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Encodings whose parameters stand in the type, from calibrated ranges.
#pragma once
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "lib/Calibrate/Statistics.h"
#include "qtensor/Format.h"

namespace mlir::qtensor {

/// `dynamic` (one block for the whole tensor) with constants for its parameters. Without a zero point the largest
/// magnitude of `range` becomes the codec's; with one, its ends (and 0) become the ends of the codes, and the zero point
/// is a code, so that 0 stays exact.
FailureOr<BlockAttr> makeStaticEncoding(BlockAttr dynamic, const ValueStatistics &range, EmitErrorFn emitError);

} // namespace mlir::qtensor
