// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The oracle: evaluates MLIR on tensors directly. It shares no code with any lowering of this project.
#pragma once
#include "lib/Reference/Tensor.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace mlir::qtensor::reference {

struct EvaluateOptions {
  /// Called after every op with its results, in execution order (loop bodies once per iteration).
  std::function<void(Operation *, ArrayRef<Tensor>)> observer;
  /// More elements in one tensor are a diagnostic.
  int64_t maxElements = kMaxElements;
  /// More op evaluations are a diagnostic (a structured op counts once); guards against endless loops.
  int64_t maxOperations = int64_t(1) << 32;
  /// Deeper calls are a diagnostic.
  int64_t maxCallDepth = 64;
};

/// Evaluates `function` on `arguments` (rank-0 tensors for scalars). Every f32 operation rounds to f32, contractions
/// accumulate in the order of their loops. On failure one diagnostic was emitted on the op that could not be evaluated.
FailureOr<SmallVector<Tensor>> evaluate(func::FuncOp function, ArrayRef<Tensor> arguments,
                                        const EvaluateOptions &options = {});

/// All values that an op reads: its operands, then what its regions read from outside.
SmallVector<Value> getReadValues(Operation *op);

/// Evaluates one op from the values of getReadValues(op), in that order. One diagnostic was emitted on failure.
FailureOr<SmallVector<Tensor>> evaluateOp(Operation *op, ArrayRef<Tensor> values, const EvaluateOptions &options = {});

/// Whether the reference has a rule for this op itself (not for what its regions hold).
bool isSupported(Operation *op);

} // namespace mlir::qtensor::reference
