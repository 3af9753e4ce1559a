// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The final maps of integer-only arithmetic, from their published definitions. Internal to the reference.
#pragma once
#include "dialects/QTensor/IR/QTensorDialect.h"

namespace mlir::qtensor::reference {

/// The exact product `accumulator * multiplier`, rounded to an integer by `rounding`. Results beyond 64 bits saturate.
int64_t mapReal(int64_t accumulator, float multiplier, RoundingMode rounding);

/// `accumulator` times the fixed-point number `multiplier * 2^(shift - 31)`. `shift` is positive to the left and within
/// [-62, 31]; results beyond 32 bits saturate.
int64_t mapFixed(int64_t accumulator, int32_t multiplier, int32_t shift, FixedMode mode);

} // namespace mlir::qtensor::reference
