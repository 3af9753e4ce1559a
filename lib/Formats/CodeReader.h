// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Codes in component buffers back to f32.
#pragma once
#include "dialects/QTensor/IR/QTensorDialect.h"
#include <vector>

namespace mlir::qtensor {
class CodeReader {
public:
  /// `count` is how many codes will be read about; tables of 16-bit codecs are built only for many.
  CodeReader(CodecAttr codec, int64_t count);

  /// The value of the code at `index` of a codes component.
  float operator()(const char *codes, int64_t index) const;

  /// w = scale * (value - zero) + offset for `count` codes from `first` on, every step rounded to f32.
  void decode(const char *codes, int64_t first, int64_t count, float scale, float zero, float offset, float *out) const;

private:
  CodecAttr codec;
  unsigned bytes; ///< of a code in its component
  bool isHalf = false;
  std::vector<float> table;
};
} // namespace mlir::qtensor
