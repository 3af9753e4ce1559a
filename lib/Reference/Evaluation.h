// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The state of one evaluation and the table of rules, one per op. Internal to the reference; every file of rules fills
// its part of the table.
#pragma once
#include "lib/Reference/Interpreter.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"

namespace mlir::qtensor::reference {

/// Values of one function activation.
class Evaluation {
public:
  Evaluation(const EvaluateOptions &options, int64_t &operations, int64_t depth = 0)
      : options(options), operations(operations), depth(depth) {}

  /// The value of `value`, or null when nothing has defined it yet. Valid until the next set().
  const Tensor *lookup(Value value) const;
  /// The value of an operand. Verified IR defines it before its use.
  Tensor get(Value value) const { return *lookup(value); }
  int64_t getIndex(Value value) const { return get(value).getInteger(0); }
  SmallVector<int64_t> getIndices(ValueRange values) const;
  SmallVector<int64_t> getIndices(ArrayRef<OpFoldResult> values) const;
  /// Like get, but gives the storage away when this is the only use and it lies in the block of the definition, so that
  /// a chain of destination-style ops updates in place.
  Tensor take(OpOperand &operand);
  void set(Value value, Tensor tensor) { values[value] = std::move(tensor); }

  /// A zero tensor of a shape computed by `op`, or a diagnostic on it.
  FailureOr<Tensor> allocate(Operation *op, Type elementType, ArrayRef<int64_t> shape);

  /// Runs a block up to its terminator; `arguments` become its arguments.
  LogicalResult evaluateBody(Block &block, ArrayRef<Tensor> arguments);
  /// Runs a block and gives the values of its terminator's operands.
  FailureOr<SmallVector<Tensor>> evaluateBlock(Block &block, ArrayRef<Tensor> arguments);
  LogicalResult evaluateOp(Operation *op);
  FailureOr<SmallVector<Tensor>> call(Operation *caller, func::FuncOp callee, ArrayRef<Tensor> arguments);

private:
  LogicalResult checkResults(Operation *op);

  const EvaluateOptions &options;
  int64_t &operations;
  int64_t depth;
  llvm::DenseMap<Value, Tensor> values;
};

using Rule = LogicalResult (*)(Operation *, Evaluation &);
/// Op name to rule.
using RuleTable = llvm::StringMap<Rule>;

/// Adds the rule `F` of op `OpTy`.
template <typename OpTy, LogicalResult (*F)(OpTy, Evaluation &)> void addRule(RuleTable &table) {
  table[OpTy::getOperationName()] = [](Operation *op, Evaluation &evaluation) { return F(cast<OpTy>(op), evaluation); };
}

void addControlFlowRules(RuleTable &table);
void addTensorRules(RuleTable &table);
void addTensorSliceRules(RuleTable &table);

/// Evaluates any op with LinalgOp interface through its payload.
LogicalResult evaluateStructured(Operation *op, Evaluation &evaluation);
/// Evaluates an elementwise op of arith or math on scalars or tensors.
LogicalResult evaluateElementwise(Operation *op, Evaluation &evaluation);
/// Whether evaluateElementwise has a kernel for `op`.
bool isElementwise(Operation *op);
/// The linalg ops that are not structured.
void addLinalgRules(RuleTable &table);

/// Writes `source`, whose row-major order is that of the slice, into a slice of `destination`; a slice outside of it is
/// a diagnostic on `op`.
LogicalResult insertSlice(Operation *op, const Tensor &source, ArrayRef<OpFoldResult> offsets,
                          ArrayRef<OpFoldResult> sizes, ArrayRef<OpFoldResult> strides, Evaluation &evaluation,
                          Tensor &destination);

/// Whether `tensor` has the element type, rank and static extents of `type`.
bool matches(const Tensor &tensor, Type type);

} // namespace mlir::qtensor::reference
