// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Tensors that the bodies of elementwise ops read by an index.
#pragma once
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace mlir::qtensor {

/// Makes a linalg.generic of each op of `function` whose body reads a tensor by an index, so that there is one kind of
/// them. Errors: reads for which the rest of this file could not say when they happen.
LogicalResult normalizeLookups(func::FuncOp function);

/// The indices of the tensors that the body of `op` reads.
SmallVector<OpOperand *> getLookups(linalg::GenericOp op);

/// An index that is a sum of multiples of loops, each of which occurs once; null for others.
AffineExpr getPlace(Value index);

/// Bounds each index of `op` that no rule of extents keeps inside before a tensor is read with it, and checks in front
/// of the op, which errors call `place`, that none had to be. For those in `settled` the rules of extents hold: sums of
/// loops are inside, and what other indices read has elements, or the body does not run. Errors: an index that is read
/// in a tensor by another one, where nobody knows whether that has elements.
LogicalResult checkLookups(linalg::GenericOp op, StringRef place, llvm::function_ref<bool(OpOperand *)> isSettled);

} // namespace mlir::qtensor
