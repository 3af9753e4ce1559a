// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Sizes of buffers as expressions over the extents of the inputs, so that equal sizes are seen to be equal and can be
// computed at the entry of @main and in @shapes.
#pragma once
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/IRMapping.h"

namespace mlir::qtensor {

/// Rewrites extents of temporaries and of their views to extents of the arguments of `main`.
void resolveExtents(func::FuncOp main);

class SizeExpressions {
public:
  explicit SizeExpressions(func::FuncOp main) : main(main) {}

  /// Bytes of the buffer. A value that affine arithmetic cannot express becomes a symbol.
  AffineExpr bytesOf(memref::AllocOp alloc);

  /// A guess for sorting: the expression with every symbol at a typical extent.
  static int64_t guess(AffineExpr bytes);

  /// Clones what the symbols need before `b`'s insertion point. Extents of main's arguments are asked from `extent`.
  /// Emits an error and fails if a symbol depends on the values of an input.
  LogicalResult materialize(OpBuilder &b, llvm::function_ref<Value(BlockArgument, int64_t)> extent,
                            SmallVectorImpl<Value> &values);

private:
  AffineExpr get(Value value);
  AffineExpr symbol(Value value);
  Value clone(Value value, OpBuilder &b, llvm::function_ref<Value(BlockArgument, int64_t)> extent, IRMapping &map);

  func::FuncOp main;
  SmallVector<Value> symbols;
  DenseMap<std::pair<Value, int64_t>, AffineExpr> extents;
  DenseMap<Value, AffineExpr> known;
};

} // namespace mlir::qtensor
