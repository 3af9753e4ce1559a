// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A softmax of codes by the published integer rule.
#pragma once
#include "dialects/QTensor/IR/QTensorOps.h"

namespace mlir::qtensor::integer {

/// Where `op` rounds a softmax of codes of at most 8 bits, the softmax becomes `qtensor.as` of "tflite.softmax". Its
/// result has the encoding of the op, which goes, if that is the rule's (steps of 2^-bits from 0 on); else 16 bits,
/// which `op` then makes its codes of. True where the op is gone.
bool softmaxByRule(QuantizeOp op, StringRef rounding);

} // namespace mlir::qtensor::integer
