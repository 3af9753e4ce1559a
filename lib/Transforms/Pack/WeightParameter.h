// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parameters of a constant weight on their way into packed bytes.
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
  std::vector<float> outerOffset; ///< Added behind `outer`; empty where there is none.
  Type codeType, outerType, outerOffsetType;
  SmallVector<int64_t> outerBlock, outerGrid; ///< Elements of the weight that a value of `outer` stands for; how many.
};

/// What the bytes of a nested parameter stand for where its codes are no numbers of one byte; else empty.
SmallVector<float> getParameterTable(CodecAttr codec);

/// Reads a parameter from the front of `components` and drops what it read. `block` and `grid` are those of the weight.
/// Kernels look up codes, and add offsets, of nested scales only: `isScale`.
LogicalResult loadParameter(WeightParameter &parameter, bool isScale, ArrayRef<int64_t> block, ArrayRef<int64_t> grid,
                            ArrayRef<ArrayRef<char>> &components, EmitErrorFn emitError);

/// Appends `value` as an element of a parameter's type, little-endian.
void appendElement(std::vector<uint8_t> &bytes, Type type, float value);

} // namespace mlir::qtensor
