// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What rules of layers with states are emitted from: products of codes in i32 or, of long rows of 16-bit codes, i64,
// and maps of elements in i64.
#pragma once
#include "lib/Reference/IntegerRules.h"
#include "lib/Transforms/Integer/EmitFixedPoint.h"

namespace mlir::qtensor::integer {

class LayerEmitter {
public:
  /// All ops are made in front of `op`.
  LayerEmitter(AsOp op, const reference::RuleCall &call) : op(op), call(call), b(op.getLoc(), op) {}

protected:
  using Body = llvm::function_ref<Value(Wide, ValueRange)>;

  Type codeType(const reference::CodeTensor &tensor) { return b.getIntegerType(tensor.bits); }
  /// Sets `codes`.
  void readCodes();
  AffineMap map(unsigned dims, ArrayRef<unsigned> results);
  /// [batch, k] codes less their zero point times [rows, k] weights: [batch, rows], in i64 where i32 may be too narrow
  /// for 16-bit codes.
  Value dot(Value values, Value weights, int64_t zero);
  /// A reduction over each row of [batch, n] codes: [batch, 1] of the given integer type. The body takes a code and the
  /// accumulator, i64s both.
  Value reduce(Value values, Type type, int64_t start, llvm::function_ref<Value(Wide, Value, Value)> body);
  /// An elementwise op over [batch, n]; inputs of rank 1 repeat over the batch. The body yields an i64, whose low bits remain.
  Value elements(ArrayRef<int64_t> shape, ArrayRef<Value> inputs, Type type, Body body);
  /// Codes as rows [rows, depth], or (`back`) rows in the shape of the output.
  Value inRows(Value codes, bool back);
  /// The number that a row of [rows, 1] numbers has, inside of a body over [rows, n].
  Value numberOfRow(Wide w, Value values);
  /// An i64 times a multiplier, by the call's rounding.
  Value scale(Wide w, Value value, reference::QuantizedMultiplier by);
  Value scale(Wide w, Value value, reference::QuantizedMultiplier by, FixedMode mode);
  Value saturate16(Wide w, Value value) { return w.clamp(value, -32768, 32767); }
  Value filled(ArrayRef<int64_t> shape, int64_t value, unsigned bits = 32);

  /// One step of a sequence [batch, time, n], or of one with time first.
  struct SequenceStep {
    Value step;
    int64_t batch;
    bool timeMajor;
  };
  /// [batch, n] at the step.
  Value sliceStep(const SequenceStep &at, Value sequence);
  Value insertStep(const SequenceStep &at, Value values, Value sequence);
  /// A loop that carries values from step to step.
  SmallVector<Value> overSteps(int64_t steps, ValueRange first,
                               llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body);
  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, value); }
  /// Puts codes in place of the op's results.
  void replace(ValueRange results);

  AsOp op;
  const reference::RuleCall &call;
  ImplicitLocOpBuilder b;
  SmallVector<Value> codes; ///< Of the inputs.
};

/// Replaces a call of a rule, which an emitter of it does; an error if the rule cannot be read from the call.
template <typename Rule, typename Emitter>
LogicalResult emitRule(AsOp op, const reference::RuleCall &call) {
  std::string problem;
  std::optional<Rule> rule = Rule::read(call, problem);
  if (!rule)
    return op.emitOpError("has rule \"") << op.getRule() << "\": " << problem;
  Emitter(op, call, *rule).run();
  return success();
}

} // namespace mlir::qtensor::integer
