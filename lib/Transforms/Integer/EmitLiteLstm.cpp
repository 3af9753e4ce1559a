// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rule "litert.lstm" as IR: codes, states and gates in buffers of their own, everything else in registers.
#include "lib/Transforms/Integer/EmitLiteLstm.h"
#include "lib/Reference/LiteLstm.h"
#include "lib/Transforms/Integer/EmitFixedPoint16.h"
#include "lib/Transforms/Integer/EmitLayer.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;
using namespace mlir::qtensor::reference;

namespace {
class LiteLstmEmitter : public LayerEmitter {
public:
  LiteLstmEmitter(AsOp op, const RuleCall &call, const LiteLstmRule &rule) : LayerEmitter(op, call), rule(rule) {}

  void run();

private:
  Value input(unsigned i) { return codes[rule.at[i]]; }
  const CodeTensor &tensor(unsigned i) { return call.inputs[rule.at[i]]; }
  Value gate(unsigned gate, Value x, Value h, Value c);
  Value normalize(unsigned gate, Value values);
  SmallVector<Value> moments(unsigned gate, Value values);
  Value cell(Value forget, Value input, Value candidate, Value c);
  Value hidden(Value output, Value c);
  SmallVector<Value> step(Value step, ValueRange carried);
  SmallVector<int64_t> cells() { return {rule.batch, rule.cells}; }

  const LiteLstmRule &rule;
};
} // namespace

/// A gate before its function: [batch, cells] in i16.
Value LiteLstmEmitter::gate(unsigned gate, Value x, Value h, Value c) {
  SmallVector<Value> inputs{dot(x, input(kLiteW + gate), tensor(kLiteX).zero), dot(h, input(kLiteR + gate), tensor(kLiteH).zero)};
  bool biased = !rule.normalized();
  if (biased)
    inputs.push_back(input(kLiteBias + gate));
  int peephole = rule.peephole(gate);
  if (peephole >= 0)
    inputs.append({codes[peephole], c});
  Value raw = elements(cells(), inputs, b.getI16Type(), [&](Wide w, ValueRange in) {
    Value sum = biased ? arith::AddIOp::create(w.b, in[0], in[2]).getResult() : in[0];
    Value fromX = saturate16(w, scale(w, w.extend(sum), rule.fromInput[gate]));
    Value all = saturate16(w, w.add(fromX, scale(w, w.extend(in[1]), rule.fromState[gate])));
    if (peephole < 0)
      return all;
    Value product = w.mul(w.extend(in[in.size() - 3]), w.extend(in[in.size() - 2]));
    return saturate16(w, w.add(all, scale(w, product, rule.fromCell[gate])));
  });
  return rule.normalized() ? normalize(gate, raw) : raw;
}

/// 2^10 times the mean, and the multiplier and shift of the reciprocal deviation: [batch, 1] each, in i32.
SmallVector<Value> LiteLstmEmitter::moments(unsigned gate, Value values) {
  int64_t count = rule.cells;
  Value sums = reduce(values, b.getI32Type(), 0, [](Wide w, Value x, Value sum) { return w.add(sum, x); });
  Value squares = reduce(values, b.getI64Type(), 0, [](Wide w, Value x, Value sum) { return w.add(sum, w.mul(x, x)); });
  auto mean = [&](Wide w, Value sum) {
    // 1024 sum / count towards zero, in divisions of 32 bits: sum = whole * count + rest of one sign.
    Value divisor = arith::ConstantIntOp::create(w.b, count, 32);
    Value whole = arith::DivSIOp::create(w.b, sum, divisor), rest = arith::RemSIOp::create(w.b, sum, divisor);
    Value ten = arith::ConstantIntOp::create(w.b, 10, 32);
    Value part = arith::DivSIOp::create(w.b, arith::ShLIOp::create(w.b, rest, ten).getResult(), divisor);
    return w.add(w.left(w.extend(whole), w.constant(10)), w.extend(part));
  };
  auto inverse = [&](Wide w, ValueRange in) {
    Value center = mean(w, in[0]), scaled = w.mul(in[1], w.constant((1 << 20) / count));
    Value difference = w.sub(scaled, w.mul(center, center));
    // 2^20 divides towards zero.
    Value negative = w.compare(arith::CmpIPredicate::slt, difference, w.constant(0));
    Value nudged = w.select(negative, w.add(difference, w.constant((1 << 20) - 1)), difference);
    Value variance = w.right(nudged, w.constant(20));
    Value none = w.compare(arith::CmpIPredicate::slt, variance, w.constant(1));
    return emitInverseRoot(w, w.select(none, w.constant(rule.guard[gate]), variance));
  };
  SmallVector<int64_t> perRow{rule.batch, 1};
  Type i32 = b.getI32Type();
  return {elements(perRow, sums, i32, [&](Wide w, ValueRange in) { return mean(w, in[0]); }),
          elements(perRow, {sums, squares}, i32, [&](Wide w, ValueRange in) { return inverse(w, in).first; }),
          elements(perRow, {sums, squares}, i32, [&](Wide w, ValueRange in) { return inverse(w, in).second; })};
}

Value LiteLstmEmitter::normalize(unsigned gate, Value values) {
  SmallVector<Value> inputs{values, input(kLiteNorm + gate), input(kLiteBias + gate)};
  SmallVector<Value> perRow = moments(gate, values);
  QuantizedMultiplier by = rule.norm[gate];
  by.shift += 12;
  FixedMode mode = call.singleRounding() ? FixedMode::Single : FixedMode::Double;
  return elements(cells(), inputs, b.getI16Type(), [&](Wide w, ValueRange in) {
    // No operands: what a row has once is not to be computed again for each of its elements.
    auto ofRow = [&](unsigned i) -> Value {
      Value row = linalg::IndexOp::create(w.b, 0), first = arith::ConstantIndexOp::create(w.b, 0);
      return tensor::ExtractOp::create(w.b, perRow[i], ValueRange{row, first});
    };
    Value centered = w.sub(w.left(w.extend(in[0]), w.constant(10)), w.extend(ofRow(0)));
    Value standard = mapFixed(w, centered, ofRow(1), ofRow(2), mode);
    Value biased = w.add(w.mul(standard, w.extend(in[1])), w.extend(in[2]));
    biased = w.extend(arith::TruncIOp::create(w.b, w.b.getI32Type(), biased));
    // (biased + half) / 1024 towards zero, half of its sign.
    Value positive = w.compare(arith::CmpIPredicate::sgt, biased, w.constant(0));
    Value up = w.right(w.add(biased, w.constant(512)), w.constant(10));
    Value down = w.right(w.add(biased, w.constant(1023 - 512)), w.constant(10));
    return saturate16(w, scale(w, w.select(positive, up, down), by));
  });
}

/// clip(f c + i m) from the gates before their functions.
Value LiteLstmEmitter::cell(Value forget, Value input, Value candidate, Value c) {
  SmallVector<Value> inputs{forget, candidate, c};
  if (!rule.coupled())
    inputs.push_back(input);
  return elements(cells(), inputs, b.getI16Type(), [&](Wide w, ValueRange in) {
    Value kept = emitLogistic16(w, w.extend(in[0]));
    Value opened = rule.coupled() ? w.sub(w.constant(32767), kept) : emitLogistic16(w, w.extend(in[3]));
    Value old = divideByPowerOfTwo(w, w.mul(kept, w.extend(in[2])), w.constant(15));
    Value product = w.mul(opened, emitTanh16(w, w.extend(in[1]), 3));
    Value sum = saturate16(w, w.add(old, divideByPowerOfTwo(w, product, w.constant(15 + rule.cellBits))));
    return rule.cellClip ? w.clamp(sum, -rule.cellClip, rule.cellClip) : sum;
  });
}

/// The new h: o tanh(c), or its projection.
Value LiteLstmEmitter::hidden(Value output, Value c) {
  int64_t zero = rule.projects() ? -rule.hiddenZero : rule.hiddenZero;
  Value shown = elements(cells(), {output, c}, b.getI8Type(), [&](Wide w, ValueRange in) {
    Value product = w.mul(emitLogistic16(w, w.extend(in[0])), emitTanh16(w, w.extend(in[1]), rule.cellBits));
    return w.clamp(w.add(scale(w, product, rule.hidden), w.constant(zero)), -128, 127);
  });
  if (!rule.projects())
    return shown;
  SmallVector<Value> inputs{dot(shown, input(kLiteProjection), -rule.hiddenZero)};
  if (rule.has(kLiteProjectionBias))
    inputs.push_back(input(kLiteProjectionBias));
  return elements({rule.batch, rule.out}, inputs, b.getI8Type(), [&](Wide w, ValueRange in) {
    Value sum = inputs.size() > 1 ? arith::AddIOp::create(w.b, in[0], in[1]).getResult() : in[0];
    Value code = w.clamp(w.add(scale(w, w.extend(sum), rule.projected), w.constant(call.output.zero)), -128, 127);
    return rule.projectionClip ? w.clamp(code, -rule.projectionClip, rule.projectionClip) : code;
  });
}

SmallVector<Value> LiteLstmEmitter::step(Value step, ValueRange carried) {
  SequenceStep at{step, rule.batch, rule.timeMajor};
  Value x = sliceStep(at, input(kLiteX)), h = carried[1], c = carried[2];
  Value forget = gate(kForgetGate, x, h, c), candidate = gate(kCandidate, x, h, c);
  Value opened = rule.coupled() ? Value() : gate(kInputGate, x, h, c);
  Value newC = cell(forget, opened, candidate, c);
  Value newH = hidden(gate(kOutputGate, x, h, newC), newC);
  return {insertStep(at, newH, carried[0]), newH, newC};
}

void LiteLstmEmitter::run() {
  readCodes();
  Value empty = tensor::EmptyOp::create(b, call.output.shape, codeType(call.output));
  replace(overSteps(rule.steps, {empty, input(kLiteH), input(kLiteC)},
                    [&](Value at, ValueRange carried) { return step(at, carried); }));
}

LogicalResult integer::emitLiteLstm(AsOp op, const RuleCall &call) {
  return emitRule<LiteLstmRule, LiteLstmEmitter>(op, call);
}
