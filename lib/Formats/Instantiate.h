// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "dialects/QTensor/IR/QTensorDialect.h"

namespace mlir::qtensor {
/// The encoding of a format for tensors of `rank` blocked along `axis`. `size`, when not 0, replaces the block size of
/// a sized format. `shape` (may be empty) decides what flat blocks are.
BlockAttr instantiateFormat(FormatAttr format, unsigned rank, int64_t axis, int64_t size, ArrayRef<int64_t> shape);
} // namespace mlir::qtensor
