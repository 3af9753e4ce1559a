// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Storing and reading the parameters of block encodings. A parameter is seen by the rest as one f32 a cell.
#pragma once
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "lib/Formats/Lanes.h"
#include "qtensor/Encode.h"

namespace mlir::qtensor {
/// One f32 per cell, or the same for all.
class ParamValues {
public:
  explicit ParamValues(float same = 0) : same(same) {}
  explicit ParamValues(std::vector<float> values) : values(std::move(values)) {}
  float operator[](int64_t cell) const { return values.empty() ? same : values[cell]; }
  /// From `cell` on.
  CellNumbers from(int64_t cell) const { return values.empty() ? CellNumbers{&same, 0} : CellNumbers{&values[cell], 1}; }

private:
  float same = 0;
  std::vector<float> values;
};

/// How several ideal values become one where a parameter has a block of its own.
enum class Merge { Largest, Mean };

/// Stores `ideal` (one per cell of `grid`) as `param` says, appends its components to `components`, and returns what a
/// reader will see. Null and scalar parameters store nothing.
FailureOr<ParamValues> storeParam(ParamAttr param, float absent, std::vector<float> ideal, ArrayRef<int64_t> grid,
                                  Merge merge, const EncodeOptions &options, std::vector<ComponentBytes> &components,
                                  EmitErrorFn emitError);

/// Reads a parameter from the front of `components` and drops what it read.
FailureOr<ParamValues> loadParam(ParamAttr param, float absent, ArrayRef<int64_t> grid,
                                 ArrayRef<ArrayRef<char>> &components, EmitErrorFn emitError);

/// Bytes of a buffer of this codec's codes or type's values.
unsigned getContainerBytes(CodecAttr codec);
/// The codec whose codes a data parameter holds: its own, or the builtin float type's.
CodecAttr getParamCodec(ParamAttr param);
/// The codec of every component, in the order of getComponents.
void getComponentCodecs(BlockAttr encoding, SmallVectorImpl<CodecAttr> &codecs);
/// Product of extents.
int64_t countElements(ArrayRef<int64_t> shape);
} // namespace mlir::qtensor
