// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "dialects/QNN/IR/QNN.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::qtensor::firmware {

/// How a linalg op reads codes: sum += (input - inputZero) * weight.
struct ProductForm {
  enum Kind { Matrix, Conv, Depthwise } kind = Matrix;
  SmallVector<int64_t, 2> strides, dilations;
  int64_t inputZero = 0;
};
std::optional<ProductForm> readProductForm(linalg::GenericOp op);

/// A rule that is a layer becomes one; others stay. Failure comes with an error: operands that the rule is not defined for.
LogicalResult formRule(AsOp op);

} // namespace mlir::qtensor::firmware
