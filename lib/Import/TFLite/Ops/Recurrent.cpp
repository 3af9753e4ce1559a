// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Layers of LSTM cells over a sequence. Their states are variables of the model.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Import/TFLite/Registry.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::tflite {
namespace {
// Inputs by number, as the file format has them; four gates (input, forget, candidate, output) each.
constexpr unsigned kWeights = 1, kRecurrent = 5, kBias = 12, kHidden = 18, kCell = 19;

/// What the meaning is emitted from, in the order of rule "tflite.lstm".
struct Lstm {
  Val x, weights[4], recurrent[4], bias[4], hidden, cell;
  double clip;
  bool timeMajor;

  static Lstm of(ArrayRef<Val> inputs, double clip, bool timeMajor) {
    Lstm all{inputs[0], {}, {}, {}, inputs[13], inputs[14], clip, timeMajor};
    for (unsigned gate = 0; gate < 4; ++gate)
      all.weights[gate] = inputs[1 + gate], all.recurrent[gate] = inputs[5 + gate], all.bias[gate] = inputs[9 + gate];
    return all;
  }
};

/// x * W + h * R + b of one gate, squashed.
Val emitGate(Emit &e, const Lstm &all, unsigned gate, const Val &x, const Val &hidden) {
  Val parts[] = {contractRows(e, x, all.weights[gate]), contractRows(e, hidden, all.recurrent[gate]), all.bias[gate]};
  return e.mapTo(hidden.dims, parts, Elem::F32, [&](Scalar &s, ValueRange in) {
    Value sum = s.add(s.add(in[0], in[2]), in[1]);
    return gate == 2 ? s.tanh(sum) : s.sigmoid(sum);
  });
}

/// The states after one step: h, c.
std::pair<Val, Val> emitStep(Emit &e, const Lstm &all, const Val &x, const Val &hidden, const Val &cell) {
  Val gates[4];
  for (unsigned gate = 0; gate < 4; ++gate)
    gates[gate] = emitGate(e, all, gate, x, hidden);
  Val kept = e.map({gates[1], cell, gates[0], gates[2]}, Elem::F32, [&](Scalar &s, ValueRange in) {
    Value sum = s.add(s.mul(in[0], in[1]), s.mul(in[2], in[3]));
    return all.clip > 0 ? s.clamp(sum, s.like(sum, -all.clip), s.like(sum, all.clip)) : sum;
  });
  Val shown = e.map({gates[3], kept}, Elem::F32, [](Scalar &s, ValueRange in) { return s.mul(in[0], s.tanh(in[1])); });
  return {shown, kept};
}

/// A loop over the steps: the outputs of all of them, and the states behind the last.
SmallVector<Val> emitSequence(Emit &e, Lstm all) {
  // Whatever the loop reads is made before it.
  for (Val *operands : {all.weights, all.recurrent, all.bias})
    for (unsigned gate = 0; gate < 4; ++gate)
      operands[gate] = e.wrap(e.tensor(operands[gate]), Elem::F32, operands[gate].dims);
  all.x = e.wrap(e.tensor(all.x), Elem::F32, all.x.dims);
  // Between steps the states are reals: the rounding of each step is the rule's.
  for (Val *state : {&all.hidden, &all.cell}) {
    Value value = e.tensor(*state);
    if (cast<RankedTensorType>(value.getType()).getEncoding())
      *state = e.wrap(DequantizeOp::create(e.b, e.loc, e.type(*state), value), Elem::F32, state->dims);
  }
  unsigned timeAxis = all.timeMajor ? 0 : 1;
  Dims sequence = {all.x.dims[0], all.x.dims[1], all.hidden.dims[1]}, stepSizes = all.x.dims, outSizes = sequence;
  stepSizes[timeAxis] = outSizes[timeAxis] = e.b.getIndexAttr(1);
  int64_t steps = *DimMath::number(all.x.dims[timeAxis]);
  auto index = [&](int64_t value) { return arith::ConstantIndexOp::create(e.b, e.loc, value).getResult(); };
  SmallVector<Value> first{e.empty(sequence, e.b.getF32Type()), e.tensor(all.hidden), e.tensor(all.cell)};
  // Each iteration has constants of its own.
  auto loop = scf::ForOp::create(
      e.b, e.loc, index(0), index(steps), index(1), first,
      [&](OpBuilder &, Location, Value step, ValueRange kept) {
        Emit inner(e.b, e.math);
        inner.setLoc(e.loc);
        Dims offsets(3, e.b.getIndexAttr(0)), strides(3, e.b.getIndexAttr(1));
        offsets[timeAxis] = step;
        Dims perBatch = {all.hidden.dims[0], all.x.dims[2]};
        Val x = inner.reshape(inner.slice(all.x, offsets, stepSizes, strides), perBatch);
        Val hidden = e.wrap(kept[1], Elem::F32, all.hidden.dims), cell = e.wrap(kept[2], Elem::F32, all.cell.dims);
        std::tie(hidden, cell) = emitStep(inner, all, x, hidden, cell);
        Value out = tensor::InsertSliceOp::create(e.b, e.loc, inner.tensor(hidden), kept[0], offsets, outSizes, strides);
        scf::YieldOp::create(e.b, e.loc, ValueRange{out, inner.tensor(hidden), inner.tensor(cell)});
      });
  return {e.wrap(loop.getResult(0), Elem::F32, sequence), e.wrap(loop.getResult(1), Elem::F32, all.hidden.dims),
          e.wrap(loop.getResult(2), Elem::F32, all.cell.dims)};
}

/// What the file format allows beyond the plain cell.
LogicalResult checkPlain(const Node &n) {
  static const struct {
    unsigned first, count;
    const char *what;
  } optional[] = {{9, 3, "peephole weights"}, {16, 2, "a projection"}, {20, 4, "a layer normalization"}};
  for (const auto &part : optional)
    for (unsigned i = part.first; i < part.first + part.count; ++i)
      if (n.has(i))
        return n.fail(Twine("has ") + part.what + ", which is not supported; train the layer without");
  for (unsigned first : {kWeights, kRecurrent, kBias})
    for (unsigned gate = 0; gate < 4; ++gate)
      if (!n.has(first + gate))
        return n.fail("lacks weights or a bias of a gate (coupled input and forget gates), which is not supported");
  if (n.option("activation") != 4)
    return n.fail("has the activation " + Twine(n.option("activation")) + "; it must be tanh (4)");
  if (n.option("diagonal_recurrent"))
    return n.fail("has diagonal recurrent weights, which is not supported");
  if (!n.has(kHidden) || !n.has(kCell) || !n.inTensor(kHidden).isVariable || !n.inTensor(kCell).isVariable)
    return n.fail("its states must be variables of the model");
  return success();
}

/// The extents of the plain cell, all fixed.
LogicalResult checkExtents(const Node &n) {
  auto shape = [&](unsigned i) { return DimMath::shape(n.in(i).dims); };
  SmallVector<int64_t> x = shape(0), hidden = shape(kHidden);
  if (x.size() != 3 || ShapedType::isDynamicShape(x) || hidden.size() != 2)
    return n.fail("takes a sequence [batch, time, inputs] of fixed extents and states [batch, cells]");
  int64_t cells = hidden[1], batch = x[n.option("time_major") ? 1 : 0];
  bool fit = hidden[0] == batch && shape(kCell) == hidden;
  for (unsigned gate = 0; gate < 4; ++gate)
    fit &= shape(kWeights + gate) == SmallVector<int64_t>{cells, x[2]} && shape(kBias + gate) == SmallVector<int64_t>{cells} &&
           shape(kRecurrent + gate) == SmallVector<int64_t>{cells, cells};
  return fit ? success() : n.fail("its weights, biases and states do not have the extents of its input and its cells");
}

LogicalResult importLstm(const Node &n) {
  if (failed(checkPlain(n)) || failed(checkExtents(n)))
    return failure();
  SmallVector<unsigned> inputs{0};
  for (unsigned first : {kWeights, kRecurrent, kBias})
    for (unsigned gate = 0; gate < 4; ++gate)
      inputs.push_back(first + gate);
  inputs.append({kHidden, kCell});
  bool timeMajor = n.option("time_major");
  double clip = n.realOption("cell_clip");
  bool quantized = isQuantized(n.inTensor(0));
  for (unsigned i : inputs)
    if (isQuantized(n.inTensor(i)) != quantized)
      return n.fail("mixes quantized and float tensors (a hybrid layer), which is not supported; quantize it fully");
  if (quantized)
    return n.setByRule("tflite.lstm", inputs, {kHidden, kCell},
                       {n.param("cell_clip", clip), n.param("time_major", int64_t(timeMajor))},
                       [&](Emit &e, ArrayRef<Val> reals) { return emitSequence(e, Lstm::of(reals, clip, timeMajor)); });
  SmallVector<Val> reals;
  for (unsigned i : inputs)
    reals.push_back(n.in(i));
  SmallVector<Val> results = emitSequence(n.e, Lstm::of(reals, clip, timeMajor));
  n.value(n.op.inputs[kHidden]) = results[1];
  n.value(n.op.inputs[kCell]) = results[2];
  return n.set(results[0]);
}
} // namespace

void registerRecurrent(Registry &r) {
  const char *variables = "variables of plain or quantized numbers that start at zero: states of the function";
  for (const char *name : {"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE"})
    r.add({{name, 0, kAny, nullptr, variables}});
  r.add({{"UNIDIRECTIONAL_SEQUENCE_LSTM", 1, 24, importLstm,
          "f32, int8 with int16 cells by TFLite Micro's rule; no peepholes, projection, layer normalization or coupled gates"}});
}

} // namespace mlir::qtensor::tflite
