// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sums of two encoded tensors by the published integer rules.
#pragma once
#include "lib/Transforms/Integer/RealForm.h"

namespace mlir::qtensor::integer {

/// Where `form` is the clamped sum or difference of two encoded tensors, `op`, which rounds it, becomes `qtensor.as` of
/// "tflite.add" or "tflite.sub". False where it is no such sum. A real rounding has no rule of its own: sums take two
/// roundings then, as those of a .tflite model do.
bool addByRule(QuantizeOp op, const RealForm &form, StringRef rounding);

} // namespace mlir::qtensor::integer
