// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rule "tflite.lstm" as IR: codes and states in buffers of their own, everything else in registers.
#include "lib/Transforms/Integer/EmitLstm.h"
#include "lib/Transforms/Integer/EmitLayer.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;
using namespace mlir::qtensor::reference;

namespace {
class LstmEmitter : public LayerEmitter {
public:
  LstmEmitter(AsOp op, const RuleCall &call, const LstmRule &rule) : LayerEmitter(op, call), rule(rule) {}

  void run();

private:
  Value gate(Wide w, unsigned gate, Value input, Value bias, Value state);
  Value emitCell(Value c);
  Value emitHidden(Value c);
  SmallVector<Value> step(Value step, ValueRange carried);

  const LstmRule &rule;
  Value table;
  Value fromInput[kLstmGates], fromState[kLstmGates]; ///< This step's sums.
};
} // namespace

Value integer::emitTableScale(Wide w, Value code, TableScale by) {
  Value product = w.mul(code, w.constant(by.multiplier));
  return by.shift ? w.right(w.add(product, w.constant(int64_t(1) << (by.shift - 1))), w.constant(by.shift)) : product;
}

/// A gate before its function, times three: sums, of 32 or 64 bits, and bias in.
Value LstmEmitter::gate(Wide w, unsigned gate, Value input, Value bias, Value state) {
  FixedMode mode = rule.sumMode(call.singleRounding());
  Value biased = rule.wide ? w.add(w.extend(input), w.extend(bias)) : w.extend(arith::AddIOp::create(w.b, input, bias));
  Value a = saturate16(w, scale(w, biased, rule.fromInput[gate], mode));
  Value c = saturate16(w, scale(w, w.extend(state), rule.fromState[gate], mode));
  return w.mul(saturate16(w, w.add(a, c)), w.constant(3));
}

/// clip(f c + i n).
Value LstmEmitter::emitCell(Value c) {
  SmallVector<Value> inputs{c};
  for (unsigned k : {kForgetGate, kInputGate, kCandidate})
    inputs.append({fromInput[k], codes[kLstmBias + k], fromState[k]});
  return elements({rule.batch, rule.cells}, inputs, codeType(call.inputs[kLstmC]), [&](Wide w, ValueRange in) {
    Value forget = emitLogisticByTable(w, table, gate(w, kForgetGate, in[1], in[2], in[3]));
    Value input = emitLogisticByTable(w, table, gate(w, kInputGate, in[4], in[5], in[6]));
    Value candidate = emitTanhByTable(w, table, gate(w, kCandidate, in[7], in[8], in[9]));
    Value kept = saturate16(w, scale(w, w.mul(forget, w.extend(in[0])), rule.kept));
    Value added = saturate16(w, scale(w, w.mul(input, candidate), rule.added));
    return w.clamp(saturate16(w, w.add(kept, added)), -rule.clip, rule.clip);
  });
}

/// o tanh(c) of the new c.
Value LstmEmitter::emitHidden(Value c) {
  SmallVector<Value> inputs{c, fromInput[kOutputGate], codes[kLstmBias + kOutputGate], fromState[kOutputGate]};
  return elements({rule.batch, rule.cells}, inputs, codeType(call.output), [&](Wide w, ValueRange in) {
    Value output = emitLogisticByTable(w, table, gate(w, kOutputGate, in[1], in[2], in[3]));
    Value shown = emitTanhByTable(w, table, emitTableScale(w, w.extend(in[0]), rule.cell));
    Value code = w.add(scale(w, w.mul(output, shown), rule.result), w.constant(call.output.zero));
    return w.clamp(code, call.output.low, call.output.high);
  });
}

SmallVector<Value> LstmEmitter::step(Value step, ValueRange carried) {
  SequenceStep at{step, rule.batch, rule.timeMajor};
  Value x = sliceStep(at, codes[kLstmX]);
  for (unsigned k = 0; k < kLstmGates; ++k) {
    fromInput[k] = dot(x, codes[kLstmW + k], call.inputs[kLstmX].zero);
    fromState[k] = dot(carried[1], codes[kLstmR + k], call.inputs[kLstmH].zero);
  }
  Value c = emitCell(carried[2]), h = emitHidden(c);
  return {insertStep(at, h, carried[0]), h, c};
}

void LstmEmitter::run() {
  readCodes();
  table = emitSigmoidTable(b);
  Value empty = tensor::EmptyOp::create(b, call.output.shape, codeType(call.output));
  replace(overSteps(rule.steps, {empty, codes[kLstmH], codes[kLstmC]},
                    [&](Value at, ValueRange carried) { return step(at, carried); }));
}

LogicalResult integer::emitLstm(AsOp op, const RuleCall &call) {
  return emitRule<LstmRule, LstmEmitter>(op, call);
}
