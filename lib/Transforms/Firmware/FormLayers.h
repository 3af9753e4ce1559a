// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "dialects/QNN/IR/QNN.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace mlir::qtensor::firmware {

/// How a linalg op reads codes: sum += (input - inputZero) * weight, perhaps times a factor.
struct ProductForm {
  /// Grouped: groups of channels have dimensions of their own.
  enum Kind { Matrix, Conv, Depthwise, Grouped } kind = Matrix;
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

/// A signed code, less a zero point, that a body reads.
struct Factor {
  BlockArgument code;
  int64_t zero = 0;
};
std::optional<Factor> readFactor(Value value);

/// What lies behind zero points around an image of rank 4 or 3 (one axis); `pads`: [top, left, bottom, right]. Other
/// padding stays.
Value stripZeros(Value image, int64_t zero, SmallVectorImpl<int64_t> &pads);

/// A final map with one multiplier, to signed codes of 8 bits.
struct MapForm {
  int64_t multiplier = 0, shift = 0, outputZero = 0, low = -128, high = 127;
  FinalMapAttr map;
};
/// That of an op, unless it is another one.
std::optional<MapForm> readMapForm(RequantizeOp op);

/// The map of a mean: what an op has of it that is no number of its window.
struct MeanForm : MapForm {
  int64_t inputZero = 0, multiple = 0;
};
/// The layer that takes the mean over `axes` of signed codes, or nothing where these are not neighbours. The result has
/// `shape`.
Value createMean(ImplicitLocOpBuilder &b, Value codes, ArrayRef<int64_t> axes, const MeanForm &form,
                 ArrayRef<int64_t> shape);
/// Sums of codes over windows or axes with their final map: a pooling layer in place of `op`. Other ops stay.
void formMean(RequantizeOp op);

/// The layer that multiplies signed codes of two tensors, either of which may be the one that repeats; nothing where
/// they have other shapes. The result has `shape`.
Value createMul(ImplicitLocOpBuilder &b, ValueRange codes, ArrayRef<int64_t> zeros, const MapForm &form,
                ArrayRef<int64_t> shape);
/// Products of two tensors with their final map: a layer in place of `op`. False where the op stays.
bool formMul(RequantizeOp op);

/// The largest code of windows, starting from the lowest one: a pooling layer in place of `op`. Other ops stay.
void formMaxPool(linalg::LinalgOp op);

/// A rule that is a layer becomes one; others stay. Failure comes with an error: operands that the rule is not defined for.
LogicalResult formRule(AsOp op);

} // namespace mlir::qtensor::firmware
