// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/TFLite/Ops/Lstm.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::tflite {

namespace {
Val clip(Emit &e, const Val &x, double most) {
  if (!(most > 0))
    return x;
  return e.map(x, Elem::F32,
               [&](Scalar &s, ValueRange in) { return s.clamp(in[0], s.like(in[0], -most), s.like(in[0], most)); });
}

/// (x - mean) / deviation over the cells.
Val normalize(Emit &e, const Val &x) {
  Val centered = e.map({x, e.mean(x, {1}, /*keep=*/true)}, Elem::F32,
                       [](Scalar &s, ValueRange in) { return s.sub(in[0], in[1]); });
  Val squares = e.map(centered, Elem::F32, [](Scalar &s, ValueRange in) { return s.mul(in[0], in[0]); });
  return e.map({centered, e.mean(squares, {1}, /*keep=*/true)}, Elem::F32,
               [](Scalar &s, ValueRange in) { return s.div(in[0], s.sqrt(s.add(in[1], s.like(in[1], 1e-8)))); });
}

/// x * W + h * R + p c + b of one gate, squashed; a normalization comes before the bias.
Val emitGate(Emit &e, const Lstm &all, unsigned gate, const RowFactor &x, const RowFactor &hidden, const Val &cell) {
  auto product = [&](const RowFactor &of, unsigned i) { return multiplyRows(e, of, all[i], all.scales[i]); };
  SmallVector<Val> parts{product(x, kWeights + gate), product(hidden, kRecurrent + gate)};
  bool normalized = all.has(kNorm + gate);
  if (unsigned at = kPeephole + (gate == kOutputGate ? 2 : gate); gate != kCandidate && all.has(at))
    parts.push_back(e.map({cell, all[at]}, Elem::F32, [](Scalar &s, ValueRange in) { return s.mul(in[0], in[1]); }));
  if (!normalized)
    parts.push_back(all[kBias + gate]);
  auto total = [&](Scalar &s, ValueRange in) {
    Value sum = in[0];
    for (size_t i = 1; i < parts.size(); ++i)
      sum = s.add(sum, in[i]);
    return sum;
  };
  auto squash = [&](Scalar &s, Value x) { return gate == kCandidate ? s.tanh(x) : s.sigmoid(x); };
  if (!normalized)
    return e.mapTo(cell.dims, parts, Elem::F32, [&](Scalar &s, ValueRange in) { return squash(s, total(s, in)); });
  Val standard = normalize(e, e.mapTo(cell.dims, parts, Elem::F32, total));
  return e.map({standard, all[kNorm + gate], all[kBias + gate]}, Elem::F32,
               [&](Scalar &s, ValueRange in) { return squash(s, s.add(s.mul(in[0], in[1]), in[2])); });
}

/// The states after one step: h, c.
std::pair<Val, Val> emitStep(Emit &e, const Lstm &all, const Val &now, const Val &before, const Val &cell) {
  auto factor = [&](const Val &of) { return rowFactor(e, of, all.hybrid, all.asymmetric); };
  RowFactor x = factor(now), hidden = factor(before);
  Val forget = emitGate(e, all, kForgetGate, x, hidden, cell),
      candidate = emitGate(e, all, kCandidate, x, hidden, cell);
  Val opened = all.has(kWeights)
                   ? emitGate(e, all, kInputGate, x, hidden, cell)
                   : e.map(forget, Elem::F32, [](Scalar &s, ValueRange in) { return s.sub(s.like(in[0], 1), in[0]); });
  Val sum = e.map({forget, cell, opened, candidate}, Elem::F32,
                  [](Scalar &s, ValueRange in) { return s.add(s.mul(in[0], in[1]), s.mul(in[2], in[3])); });
  Val kept = clip(e, sum, all.cellClip), output = emitGate(e, all, kOutputGate, x, hidden, kept);
  Val shown = e.map({output, kept}, Elem::F32, [](Scalar &s, ValueRange in) { return s.mul(in[0], s.tanh(in[1])); });
  if (!all.has(kProjection))
    return {shown, kept};
  Val projected = multiplyRows(e, factor(shown), all[kProjection], all.scales[kProjection]);
  if (all.has(kProjectionBias))
    projected = e.map({projected, all[kProjectionBias]}, Elem::F32,
                      [](Scalar &s, ValueRange in) { return s.add(in[0], in[1]); });
  return {clip(e, projected, all.projectionClip), kept};
}
} // namespace

SmallVector<Val> emitSequence(Emit &e, Lstm all) {
  // Whatever the loop reads is made before it. Between steps the states are reals: the rounding of each step is the
  // rule's.
  for (unsigned i = 0; i < kInputs; ++i) {
    if (!all.has(i))
      continue;
    Value value = e.tensor(all[i]);
    bool encoded = (i == kHidden || i == kCell) && cast<RankedTensorType>(value.getType()).getEncoding();
    if (encoded)
      value = DequantizeOp::create(e.b, e.loc, e.type(all[i]), value);
    all.inputs[i] = e.wrap(value, all[i].elem, all[i].dims);
  }
  const Val x = all[0], hidden = all[kHidden], cell = all[kCell];
  unsigned timeAxis = all.timeMajor ? 0 : 1;
  Dims sequence = {x.dims[0], x.dims[1], hidden.dims[1]}, stepSizes = x.dims, outSizes = sequence;
  stepSizes[timeAxis] = outSizes[timeAxis] = e.b.getIndexAttr(1);
  int64_t steps = *DimMath::number(x.dims[timeAxis]);
  auto index = [&](int64_t value) { return arith::ConstantIndexOp::create(e.b, e.loc, value).getResult(); };
  SmallVector<Value> first{e.empty(sequence, e.b.getF32Type()), e.tensor(hidden), e.tensor(cell)};
  // Each iteration has constants of its own.
  auto loop = scf::ForOp::create(
      e.b, e.loc, index(0), index(steps), index(1), first, [&](OpBuilder &, Location, Value step, ValueRange kept) {
        Emit inner(e.b, e.math);
        inner.setLoc(e.loc);
        Dims offsets(3, e.b.getIndexAttr(0)), strides(3, e.b.getIndexAttr(1));
        if (all.backward)
          step = arith::SubIOp::create(e.b, e.loc, arith::ConstantIndexOp::create(e.b, e.loc, steps - 1), step);
        offsets[timeAxis] = step;
        Dims perBatch = {hidden.dims[0], x.dims[2]};
        Val now = inner.reshape(inner.slice(x, offsets, stepSizes, strides), perBatch);
        auto [h, c] =
            emitStep(inner, all, now, e.wrap(kept[1], Elem::F32, hidden.dims), e.wrap(kept[2], Elem::F32, cell.dims));
        Value out = tensor::InsertSliceOp::create(e.b, e.loc, inner.tensor(h), kept[0], offsets, outSizes, strides);
        scf::YieldOp::create(e.b, e.loc, ValueRange{out, inner.tensor(h), inner.tensor(c)});
      });
  return {e.wrap(loop.getResult(0), Elem::F32, sequence), e.wrap(loop.getResult(1), Elem::F32, hidden.dims),
          e.wrap(loop.getResult(2), Elem::F32, cell.dims)};
}

LogicalResult LstmInputs::checkPresence() const {
  bool coupled = !has(kWeights), normalized = has(kNorm + kForgetGate), peepholes = has(kPeephole + 1);
  for (unsigned gate = 0; gate < 4; ++gate) {
    bool wanted = gate != kInputGate || !coupled;
    for (unsigned first : {kWeights, kRecurrent, kBias})
      if (has(first + gate) != wanted)
        return n.fail("lacks weights or a bias of a gate; only the whole input gate may be absent (coupled gates)");
    if (has(kNorm + gate) != (normalized && wanted))
      return n.fail("lacks the layer normalization of a gate");
  }
  if (has(kPeephole) != (peepholes && !coupled) || has(kPeephole + 2) != peepholes)
    return n.fail("lacks the peephole weights of a gate");
  if (has(kProjectionBias) && !has(kProjection))
    return n.fail("has a bias of a projection and no projection");
  if (n.option("activation") != 4)
    return n.fail("has the activation " + Twine(n.option("activation")) + "; it must be tanh (4)");
  if (n.option("diagonal_recurrent"))
    return n.fail("has diagonal recurrent weights, which is not supported");
  if (!has(kHidden) || !has(kCell) || !tensor(kHidden).isVariable || !tensor(kCell).isVariable)
    return n.fail("its states must be variables of the model");
  return success();
}

LogicalResult LstmInputs::checkExtents(const Val &given, bool timeMajor) const {
  auto shape = [&](unsigned i) { return DimMath::shape((*this)[i].dims); };
  SmallVector<int64_t> x = DimMath::shape(given.dims), hidden = shape(kHidden), cell = shape(kCell);
  if (x.size() != 3 || ShapedType::isDynamicShape(x) || hidden.size() != 2 || cell.size() != 2)
    return n.fail("takes a sequence [batch, time, inputs] of fixed extents and states [batch, cells]");
  int64_t cells = cell[1], outputs = hidden[1], batch = x[timeMajor ? 1 : 0];
  bool fit = hidden[0] == batch && cell[0] == batch && (has(kProjection) || outputs == cells);
  auto expect = [&](unsigned first, unsigned count, SmallVector<int64_t> expected) {
    for (unsigned i = first; i < first + count; ++i)
      fit &= !has(i) || shape(i) == expected;
  };
  expect(kWeights, 4, {cells, x[2]});
  expect(kRecurrent, 4, {cells, outputs});
  expect(kPeephole, 3, {cells});
  expect(kBias, 4, {cells});
  expect(kProjection, 1, {outputs, cells});
  expect(kProjectionBias, 1, {outputs});
  expect(kNorm, 4, {cells});
  return fit ? success() : n.fail("its weights, biases and states do not have the extents of its input and its cells");
}

FailureOr<bool> LstmInputs::isHybrid() const {
  bool hybrid = false;
  for (unsigned i = kWeights; i < kInputs; ++i)
    hybrid |= has(i) && isQuantized(tensor(i));
  for (unsigned i = kWeights; i < kInputs; ++i) {
    if (!has(i))
      continue;
    bool matrix = i < kBias || i == kProjection; // And peepholes.
    if (hybrid && matrix && failed(checkRowCodes(n, tensor(i))))
      return failure();
    if (!(hybrid && matrix) && ((*this)[i].elem != Elem::F32))
      return n.fail("has float activations and '" + tensor(i).name + "' of " + elemName((*this)[i].elem) +
                    ", which is no matrix of codes with a scale");
  }
  return hybrid;
}

FailureOr<Val> runRealLayer(const Node &n, const LstmInputs &inputs, const Val &x, bool timeMajor, bool backward) {
  if (x.elem != Elem::F32)
    return n.fail("has activations of " + elemName(x.elem) +
                  "; it takes floats: of codes UNIDIRECTIONAL_SEQUENCE_LSTM is supported");
  FailureOr<bool> hybrid = inputs.isHybrid();
  if (failed(hybrid) || failed(inputs.checkPresence()) || failed(inputs.checkExtents(x, timeMajor)))
    return failure();
  Lstm layer;
  layer.cellClip = n.realOption("cell_clip"), layer.projectionClip = n.realOption("proj_clip");
  layer.timeMajor = timeMajor, layer.backward = backward;
  layer.hybrid = *hybrid, layer.asymmetric = n.option("asymmetric_quantize_inputs");
  layer.inputs[0] = x;
  for (unsigned i = kWeights; i < kInputs; ++i) {
    if (!inputs.has(i))
      continue;
    bool codes = *hybrid && isQuantized(inputs.tensor(i)), peephole = i >= kPeephole && i < kBias;
    FailureOr<Val> given = codes && peephole ? n.real(inputs.place(i)) : FailureOr<Val>(inputs[i]);
    if (failed(given))
      return failure();
    layer.inputs[i] = codes && !peephole ? asContainer(n.e, *given) : *given;
    if (codes && !peephole)
      layer.scales[i] = inputs.tensor(i).quantization.scale[0];
  }
  SmallVector<Val> results = emitSequence(n.e, layer);
  n.value(n.op.inputs[inputs.place(kHidden)]) = results[1];
  n.value(n.op.inputs[inputs.place(kCell)]) = results[2];
  return results[0];
}

} // namespace mlir::qtensor::tflite
