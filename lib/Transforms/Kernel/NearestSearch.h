// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Private to this folder.
#pragma once
#include "dialects/QTensor/IR/QTensorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::qtensor {
/// The codes (i32, container form) nearest to a vector of f32, for a codec of at most 8 bits that is no integer: a binary
/// search of the floats at which the code changes.
Value emitNearestCode(ImplicitLocOpBuilder &b, CodecAttr codec, Value x);
} // namespace mlir::qtensor
