// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The temporary buffers of @main, and when they are live.
#pragma once
#include "lib/Transforms/Plan/SizeExpressions.h"

namespace mlir::qtensor {

/// Allocations that share one place because each but the first overwrites the dying one before it.
struct Storage {
  SmallVector<memref::AllocOp, 1> allocs;
  AffineExpr bytes;
  unsigned begin, end; ///< First and last use, as positions in the body of @main.
};

/// All allocations of `main`. A result of an elementwise op shares the place of an input that dies there. Fails after an error
/// where a buffer has no place that is known before the model runs.
FailureOr<SmallVector<Storage>> collectStorages(func::FuncOp main, SizeExpressions &sizes);

/// The buffer that a value covers from the first byte to the last: of an allocation or an argument, else null.
Value findWholeBuffer(Value value);

/// Makes the allocations views of `arena` at `offset`.
void replaceByView(const Storage &storage, Value arena, Value offset);

} // namespace mlir::qtensor
