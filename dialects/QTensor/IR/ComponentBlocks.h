// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How much of a tensor each element of a component is about.
#pragma once
#include "dialects/QTensor/IR/QTensorDialect.h"

namespace mlir::qtensor {

/// For each component, in the order of getComponents, the extents in elements of the tensor that one of its elements
/// stands for: nested encodings multiply their blocks (1 for codes, kDynamic for a whole dimension).
SmallVector<SmallVector<int64_t>> getComponentBlocks(BlockAttr encoding);

} // namespace mlir::qtensor
