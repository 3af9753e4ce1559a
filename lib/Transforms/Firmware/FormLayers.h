// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "dialects/QNN/IR/QNN.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::qtensor::firmware {

/// How a linalg op reads codes: sum += (input - inputZero) * weight, perhaps times a factor.
struct ProductForm {
  enum Kind { Matrix, Conv, Depthwise } kind = Matrix;
  SmallVector<int64_t, 2> strides, dilations;
  int64_t inputZero = 0;
  SmallVector<int64_t, 3> groups; ///< Weights that share a factor, the op's third input: extents behind the channel.
};
std::optional<ProductForm> readProductForm(linalg::GenericOp op);

/// An index of an input: loop `out` * stride + loop `tap` * dilation.
struct Axis {
  unsigned out, tap;
  int64_t stride, dilation;
};
std::optional<Axis> readAxis(AffineExpr expr);
/// Whether a result of the map is the loop `dim`.
bool isDim(AffineMap map, unsigned result, unsigned dim);
/// The number that an integer constant is.
std::optional<int64_t> constantOf(Value value);

/// The largest code of windows, starting from the lowest one: a pooling layer in place of `op`. Other ops stay.
void formMaxPool(linalg::GenericOp op);

/// A rule that is a layer becomes one; others stay. Failure comes with an error: operands that the rule is not defined for.
LogicalResult formRule(AsOp op);

} // namespace mlir::qtensor::firmware
