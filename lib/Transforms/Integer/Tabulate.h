// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Functions of one code as tables.
#pragma once
#include "dialects/QTensor/IR/QTensorOps.h"

namespace mlir::qtensor::integer {

/// Where `op` rounds what elementwise ops compute of one encoded tensor of at most 8 bits, it becomes a table of the
/// codes that the reference computes for every code. True where the op is gone.
bool tabulate(QuantizeOp op);

} // namespace mlir::qtensor::integer
