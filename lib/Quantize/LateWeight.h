// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Large weights stay what they were, a constant and a rounding, until their bytes are needed; then a few rows at a time.
#pragma once
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Quantize/ConstantData.h"
#include "qtensor/Encode.h"

namespace mlir::qtensor {

/// What a qtensor.encode or qtensor.quantize of a constant stands for.
class LateWeight {
public:
  /// Nothing when `op` does not round a constant (or its transposition) with parameters of its own. Fails after an error
  /// when it does, but the constant has no numbers.
  static FailureOr<std::optional<LateWeight>> match(Operation *op);

  ArrayRef<int64_t> getShape() const { return shape; }
  BlockAttr getEncoding() const { return encoding; }
  StringRef getEncoder() const { return encoder; }

  /// The components of rows [first, first + count) (positions of the first dimension), as of a tensor of its own. With
  /// count a multiple of getIndependentRows() and `first` too, these are the bytes of the whole weight's components.
  FailureOr<std::vector<ComponentBytes>> encodeRows(int64_t first, int64_t count, bool parallel,
                                                    NearestCodes &nearest) const;

private:
  LateWeight(Operation *op, FloatSource source) : op(op), source(source) {}
  SmallVector<float, 0> readRows(int64_t first, int64_t count) const;

  Operation *op;
  FloatSource source;
  BlockAttr encoding;
  StringRef encoder;
  SmallVector<int64_t> shape;
  SmallVector<int64_t> permutation; ///< Empty: the constant lies as the weight does.
};

} // namespace mlir::qtensor
