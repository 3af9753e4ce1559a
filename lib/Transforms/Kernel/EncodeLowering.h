// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Private to this folder.
#pragma once
#include "dialects/QTensor/IR/QTensorOps.h"

namespace mlir::qtensor {
/// Replaces a qtensor.encode on buffers by loops: ranges and codes of integer codecs in vectors, of others one by one.
LogicalResult lowerEncode(EncodeOp op);
} // namespace mlir::qtensor
