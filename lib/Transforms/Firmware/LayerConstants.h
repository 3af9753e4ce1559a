// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The constants of layers, from the operands that hold them.
#pragma once
#include "lib/Quantize/ConstantData.h"
#include "lib/Transforms/Firmware/Layer.h"

namespace mlir::qtensor::firmware {

/// The integers of a constant operand, of any width up to T's, row-major. Fails with an error at `op` where the operand
/// is not constant.
template <typename T> FailureOr<std::vector<T>> readNumbers(qnn::LayerOpInterface op, Value operand);
extern template FailureOr<std::vector<int32_t>> readNumbers(qnn::LayerOpInterface, Value);
extern template FailureOr<std::vector<int64_t>> readNumbers(qnn::LayerOpInterface, Value);

/// Weights, bias, multipliers and shifts of a convolution or fully connected layer without kernel.
FailureOr<ConvConstants> readConvConstants(qnn::LayerOpInterface op);

/// Integers as a constant of `type`, truncated to its width.
Value makeNumbers(OpBuilder &b, Location loc, RankedTensorType type, ArrayRef<int64_t> numbers);

} // namespace mlir::qtensor::firmware
