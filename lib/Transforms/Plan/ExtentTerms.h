// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What rules of extents are made of. Private to this folder.
#pragma once
#include "lib/Transforms/Plan/ExtentRules.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/AffineMap.h"

namespace mlir::qtensor::rules {

using Rules = SmallVector<ExtentRule>;

ExtentTerm constant(int64_t number);
ExtentTerm extentOf(Value tensor, int64_t dim);
ExtentTerm numberOf(OpFoldResult index);

bool isOpen(Value tensor, int64_t dim);

/// "dimension 1 of operand 0".
std::string name(unsigned operand, int64_t dim);

SmallVector<OpOperand *> pointers(MutableArrayRef<OpOperand> operands);

/// Two dimensions are equal; where both are written in types, the verifier has seen it.
void requireSame(Rules &rules, OpOperand &a, int64_t aDim, OpOperand &b, int64_t bDim);

/// The extents of loops over operands that are read and written through maps: of each that of the first dimension that
/// it runs over alone.
SmallVector<ExtentTerm> getLoops(ArrayRef<AffineMap> maps, ArrayRef<OpOperand *> operands);

/// What is read or written at `expr` lies inside of the dimension, which errors call `place`.
void requireInside(Rules &rules, AffineExpr expr, ArrayRef<ExtentTerm> loops, ExtentTerm extent, StringRef place,
                   OpOperand *lookup = nullptr);

/// Operands are read and written through maps over the same loops.
void addLoopRules(Rules &rules, ArrayRef<AffineMap> maps, ArrayRef<OpOperand *> operands);

/// Tensors that the body of `op` reads by an index.
void addLookupRules(Rules &rules, linalg::GenericOp op);

/// The ops of the qtensor dialect, but for insert; nothing for others.
void addEncodedRules(Rules &rules, Operation *op);

} // namespace mlir::qtensor::rules
