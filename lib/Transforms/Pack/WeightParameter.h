// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Private to this folder: the parameters of a constant weight on their way into packed bytes.
#pragma once
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "qtensor/Format.h"
#include <vector>

namespace mlir::qtensor {

/// A parameter of a weight: one value a cell of the encoding's grid, multiplied out, or nested: one a cell and one, of
/// `outer`, a cell of the coarser grid of what multiplies it.
struct WeightParameter {
  ParamAttr attr;
  std::vector<float> values; ///< Empty where the parameter is absent.
  Type type;                 ///< Of an element in the layout: the narrowest that holds the values.
  bool nested = false;
  std::vector<float> codes, outer; ///< The same parameter in two factors; empty where it cannot be nested.
  Type codeType, outerType;
  SmallVector<int64_t> outerBlock, outerGrid; ///< Elements of the weight that a value of `outer` stands for; how many.
};

/// Reads a parameter from the front of `components` and drops what it read. `block` and `grid` are those of the weight.
LogicalResult loadParameter(WeightParameter &parameter, ArrayRef<int64_t> block, ArrayRef<int64_t> grid,
                            ArrayRef<ArrayRef<char>> &components, EmitErrorFn emitError);

/// Appends `value` as an element of a parameter's type, little-endian.
void appendElement(std::vector<uint8_t> &bytes, Type type, float value);

} // namespace mlir::qtensor
