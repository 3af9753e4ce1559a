// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Evaluation of ops on constants within limits.
#pragma once
#include "lib/Reference/Tensor.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::qtensor::normalize {

struct EvaluationLimits {
  /// A result may always have this many bytes ...
  int64_t smallBytes = int64_t(1) << 16;
  /// ... and beyond that this many times the bytes of the constants it is computed from.
  int64_t growth = 4;
  /// Points of the loops of one op.
  int64_t maxPoints = int64_t(1) << 28;
};

/// Knows the values that follow from constants alone.
class Evaluator {
public:
  explicit Evaluator(const EvaluationLimits &limits) : limits(limits) {}

  /// Visits an op; ops are visited in an order in which definitions come before uses. Evaluates it if everything it
  /// reads is known and the limits allow. A failure comes with a diagnostic.
  LogicalResult visit(Operation *op);

  /// Ops whose results are known and may be replaced. Constants, fills and empty tensors, which cost nothing as they
  /// are, are known without being listed here.
  ArrayRef<Operation *> getEvaluated() const { return evaluated.getArrayRef(); }
  bool isEvaluated(Operation *op) const { return evaluated.contains(op); }
  const reference::Tensor &get(Value value) const { return known.find(value)->second; }

private:
  bool isKnown(Value value);
  /// The value of something known. Fills and empty tensors are made when an op needs them, and not kept: most are inits
  /// of ops that are never evaluated.
  FailureOr<reference::Tensor> read(Value value);
  bool isAllowed(Operation *op);
  FailureOr<SmallVector<reference::Tensor>> compute(Operation *op, ArrayRef<reference::Tensor> operands);

  EvaluationLimits limits;
  llvm::DenseMap<Value, reference::Tensor> known;
  llvm::SetVector<Operation *> evaluated;
};

} // namespace mlir::qtensor::normalize
