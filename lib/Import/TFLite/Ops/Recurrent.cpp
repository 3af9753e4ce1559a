// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Layers of LSTM cells over a sequence. Their states are variables of the model.
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Import/TFLite/Registry.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::tflite {
namespace {
// Inputs by number, as the file format has them; four gates (input, forget, candidate, output) each, but no peephole for the
// candidate.
constexpr unsigned kInputs = 24, kWeights = 1, kRecurrent = 5, kPeephole = 9, kBias = 12, kProjection = 16,
                   kProjectionBias = 17, kHidden = 18, kCell = 19, kNorm = 20;
constexpr unsigned kInputGate = 0, kForgetGate = 1, kCandidate = 2, kOutputGate = 3;

/// What the meaning is emitted from: the inputs that the layer has.
struct Lstm {
  std::optional<Val> inputs[kInputs];
  double cellClip = 0, projectionClip = 0;
  bool timeMajor = false;

  bool has(unsigned i) const { return inputs[i].has_value(); }
  const Val &operator[](unsigned i) const { return *inputs[i]; }
};

Val clip(Emit &e, const Val &x, double most) {
  if (!(most > 0))
    return x;
  return e.map(x, Elem::F32, [&](Scalar &s, ValueRange in) { return s.clamp(in[0], s.like(in[0], -most), s.like(in[0], most)); });
}

/// (x - mean) / deviation over the cells.
Val normalize(Emit &e, const Val &x) {
  Val centered = e.map({x, e.mean(x, {1}, /*keep=*/true)}, Elem::F32, [](Scalar &s, ValueRange in) { return s.sub(in[0], in[1]); });
  Val squares = e.map(centered, Elem::F32, [](Scalar &s, ValueRange in) { return s.mul(in[0], in[0]); });
  return e.map({centered, e.mean(squares, {1}, /*keep=*/true)}, Elem::F32, [](Scalar &s, ValueRange in) {
    return s.div(in[0], s.sqrt(s.add(in[1], s.like(in[1], 1e-8))));
  });
}

/// x * W + h * R + p c + b of one gate, squashed; a normalization comes before the bias.
Val emitGate(Emit &e, const Lstm &all, unsigned gate, const Val &x, const Val &hidden, const Val &cell) {
  SmallVector<Val> parts{contractRows(e, x, all[kWeights + gate]), contractRows(e, hidden, all[kRecurrent + gate])};
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
std::pair<Val, Val> emitStep(Emit &e, const Lstm &all, const Val &x, const Val &hidden, const Val &cell) {
  Val forget = emitGate(e, all, kForgetGate, x, hidden, cell), candidate = emitGate(e, all, kCandidate, x, hidden, cell);
  Val opened = all.has(kWeights) ? emitGate(e, all, kInputGate, x, hidden, cell)
                                 : e.map(forget, Elem::F32, [](Scalar &s, ValueRange in) { return s.sub(s.like(in[0], 1), in[0]); });
  Val sum = e.map({forget, cell, opened, candidate}, Elem::F32, [](Scalar &s, ValueRange in) {
    return s.add(s.mul(in[0], in[1]), s.mul(in[2], in[3]));
  });
  Val kept = clip(e, sum, all.cellClip), output = emitGate(e, all, kOutputGate, x, hidden, kept);
  Val shown = e.map({output, kept}, Elem::F32, [](Scalar &s, ValueRange in) { return s.mul(in[0], s.tanh(in[1])); });
  if (!all.has(kProjection))
    return {shown, kept};
  Val projected = contractRows(e, shown, all[kProjection]);
  if (all.has(kProjectionBias))
    projected = e.map({projected, all[kProjectionBias]}, Elem::F32, [](Scalar &s, ValueRange in) { return s.add(in[0], in[1]); });
  return {clip(e, projected, all.projectionClip), kept};
}

/// A loop over the steps: the outputs of all of them, and the states behind the last.
SmallVector<Val> emitSequence(Emit &e, Lstm all) {
  // Whatever the loop reads is made before it. Between steps the states are reals: the rounding of each step is the rule's.
  for (unsigned i = 0; i < kInputs; ++i) {
    if (!all.has(i))
      continue;
    Value value = e.tensor(all[i]);
    bool encoded = (i == kHidden || i == kCell) && cast<RankedTensorType>(value.getType()).getEncoding();
    if (encoded)
      value = DequantizeOp::create(e.b, e.loc, e.type(all[i]), value);
    all.inputs[i] = e.wrap(value, Elem::F32, all[i].dims);
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
      e.b, e.loc, index(0), index(steps), index(1), first,
      [&](OpBuilder &, Location, Value step, ValueRange kept) {
        Emit inner(e.b, e.math);
        inner.setLoc(e.loc);
        Dims offsets(3, e.b.getIndexAttr(0)), strides(3, e.b.getIndexAttr(1));
        offsets[timeAxis] = step;
        Dims perBatch = {hidden.dims[0], x.dims[2]};
        Val now = inner.reshape(inner.slice(x, offsets, stepSizes, strides), perBatch);
        auto [h, c] = emitStep(inner, all, now, e.wrap(kept[1], Elem::F32, hidden.dims), e.wrap(kept[2], Elem::F32, cell.dims));
        Value out = tensor::InsertSliceOp::create(e.b, e.loc, inner.tensor(h), kept[0], offsets, outSizes, strides);
        scf::YieldOp::create(e.b, e.loc, ValueRange{out, inner.tensor(h), inner.tensor(c)});
      });
  return {e.wrap(loop.getResult(0), Elem::F32, sequence), e.wrap(loop.getResult(1), Elem::F32, hidden.dims),
          e.wrap(loop.getResult(2), Elem::F32, cell.dims)};
}

/// Whether inputs come together as the file format wants them.
LogicalResult checkPresence(const Node &n) {
  bool coupled = !n.has(kWeights), normalized = n.has(kNorm + kForgetGate), peepholes = n.has(kPeephole + 1);
  for (unsigned gate = 0; gate < 4; ++gate) {
    bool wanted = gate != kInputGate || !coupled;
    for (unsigned first : {kWeights, kRecurrent, kBias})
      if (n.has(first + gate) != wanted)
        return n.fail("lacks weights or a bias of a gate; only the whole input gate may be absent (coupled gates)");
    if (n.has(kNorm + gate) != (normalized && wanted))
      return n.fail("lacks the layer normalization of a gate");
  }
  if (n.has(kPeephole) != (peepholes && !coupled) || n.has(kPeephole + 2) != peepholes)
    return n.fail("lacks the peephole weights of a gate");
  if (n.has(kProjectionBias) && !n.has(kProjection))
    return n.fail("has a bias of a projection and no projection");
  if (n.option("activation") != 4)
    return n.fail("has the activation " + Twine(n.option("activation")) + "; it must be tanh (4)");
  if (n.option("diagonal_recurrent"))
    return n.fail("has diagonal recurrent weights, which is not supported");
  if (!n.has(kHidden) || !n.has(kCell) || !n.inTensor(kHidden).isVariable || !n.inTensor(kCell).isVariable)
    return n.fail("its states must be variables of the model");
  return success();
}

/// The extents of the layer, all fixed.
LogicalResult checkExtents(const Node &n) {
  auto shape = [&](unsigned i) { return DimMath::shape(n.in(i).dims); };
  SmallVector<int64_t> x = shape(0), hidden = shape(kHidden), cell = shape(kCell);
  if (x.size() != 3 || ShapedType::isDynamicShape(x) || hidden.size() != 2 || cell.size() != 2)
    return n.fail("takes a sequence [batch, time, inputs] of fixed extents and states [batch, cells]");
  int64_t cells = cell[1], outputs = hidden[1], batch = x[n.option("time_major") ? 1 : 0];
  bool fit = hidden[0] == batch && cell[0] == batch && (n.has(kProjection) || outputs == cells);
  auto expect = [&](unsigned first, unsigned count, SmallVector<int64_t> expected) {
    for (unsigned i = first; i < first + count; ++i)
      fit &= !n.has(i) || shape(i) == expected;
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

/// The parameters that only TFLite's own rule has: scales of what lies between its steps.
FailureOr<SmallVector<NamedAttribute>> liteParameters(const Node &n, ArrayRef<unsigned> inputs) {
  auto scaleOf = [&](unsigned i) -> const Quantization * {
    const Tensor *tensor = n.intermediate(i);
    return tensor && tensor->quantization.scale.size() == 1 ? &tensor->quantization : nullptr;
  };
  SmallVector<NamedAttribute> out;
  const Quantization *hidden = scaleOf(4);
  if (!hidden && n.has(kProjection))
    return n.fail("has a projection, and no intermediate tensor 4 with the scale of what it projects");
  if (!hidden)
    hidden = &n.outTensor().quantization;
  out.push_back(n.param("hidden_scale", double(hidden->scale[0])));
  out.push_back(n.param("hidden_zero", hidden->zero[0]));
  for (unsigned gate = 0; gate < 4 && n.has(kNorm + kForgetGate); ++gate) {
    const Quantization *scale = scaleOf(gate);
    if (!scale)
      return n.fail("has layer normalizations, and no intermediate tensor " + Twine(gate) + " with the scale of what they see");
    out.push_back(n.param(("gate_scale_" + Twine(gate)).str(), double(scale->scale[0])));
  }
  out.push_back(n.param("proj_clip", n.realOption("proj_clip")));
  out.push_back(n.param("inputs", SmallVector<int64_t>(inputs.begin(), inputs.end())));
  return out;
}

/// Sums of 16-bit codes have biases of 64.
bool isWideBias(const Node &n, unsigned i) {
  return i >= kBias && i < kProjection && n.in(0).elem == Elem::I16 && n.in(i).elem == Elem::I64 &&
         n.inTensor(i).quantization.scale.size() == 1;
}

LogicalResult importLstm(const Node &n) {
  if (failed(checkPresence(n)) || failed(checkExtents(n)))
    return failure();
  SmallVector<unsigned> inputs;
  for (unsigned i = 0; i < kInputs; ++i)
    if (n.has(i))
      inputs.push_back(i);
  bool quantized = isQuantized(n.inTensor(0));
  for (unsigned i : inputs)
    if ((isQuantized(n.inTensor(i)) || isWideBias(n, i)) != quantized)
      return n.fail("mixes quantized and float tensors (a hybrid layer), which is not supported; quantize it fully");
  Lstm layer;
  layer.cellClip = n.realOption("cell_clip"), layer.projectionClip = n.realOption("proj_clip");
  layer.timeMajor = n.option("time_major");
  auto meaning = [&](Emit &e, ArrayRef<Val> reals) {
    for (auto [i, real] : llvm::zip_equal(inputs, reals))
      layer.inputs[i] = real;
    return emitSequence(e, layer);
  };
  if (quantized) {
    bool wide = n.in(0).elem == Elem::I16;
    if ((n.in(0).elem != Elem::I8 && !wide) || n.in(kHidden).elem != n.in(0).elem || n.in(kCell).elem != Elem::I16)
      return n.fail("has codes of " + elemName(n.in(0).elem) + " and cells of " + elemName(n.in(kCell).elem) +
                    "; quantized layers have codes of int8 or int16 and cells of int16");
    if (isQuantized(n.outTensor()) != quantized || n.outTensor().quantization.scale.size() != 1)
      return n.fail("is quantized and its output has no scale");
    SmallVector<NamedAttribute> parameters{n.param("cell_clip", layer.cellClip), n.param("time_major", int64_t(layer.timeMajor))};
    if (n.has(kPeephole + 1) && n.in(kHidden).dims[1] != n.in(kCell).dims[1])
      return n.fail("is quantized and has peepholes and a projection to another number of outputs than of cells, where TFLite's "
                    "kernel weighs the wrong cells; train the layer without one of the two");
    // TFLite Micro has a definition of the plain cell alone.
    constexpr size_t kPlain = 15;
    bool plain = inputs.size() == kPlain && n.has(kWeights) && !n.has(kProjection);
    if (wide && !plain)
      return n.fail("has codes of int16 and peepholes, a projection, layer normalizations or coupled gates, which no "
                    "runtime has; quantize activations to int8");
    if (plain && (wide || !n.likeLiteRT()))
      return n.setByRule("tflite.lstm", inputs, {kHidden, kCell}, parameters, meaning);
    FailureOr<SmallVector<NamedAttribute>> further = liteParameters(n, inputs);
    if (failed(further))
      return failure();
    parameters.append(*further);
    return n.setByRule("litert.lstm", inputs, {kHidden, kCell}, parameters, meaning);
  }
  SmallVector<Val> reals;
  for (unsigned i : inputs)
    reals.push_back(n.in(i));
  SmallVector<Val> results = meaning(n.e, reals);
  n.value(n.op.inputs[kHidden]) = results[1];
  n.value(n.op.inputs[kCell]) = results[2];
  return n.set(results[0]);
}
} // namespace

void registerRecurrent(Registry &r) {
  const char *variables = "variables of plain or quantized numbers that start at zero: states of the function";
  for (const char *name : {"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE"})
    r.add({{name, 0, kAny, nullptr, variables}});
  const char *subgraphs = "subgraphs without states; tensors of one shape and scale in and out";
  for (const char *name : {"IF", "WHILE"})
    r.add({{name, 1, kAny, nullptr, subgraphs}});
  r.add({{"UNIDIRECTIONAL_SEQUENCE_LSTM", 1, 24, importLstm,
          "f32, int8 with int16 cells; peepholes, projection, layer normalization and coupled gates. The plain int8 "
          "cell follows TFLite Micro's rule, with --runtime=litert TFLite's own, which the others always follow. "
          "int16 x int8: the plain cell, by TFLite Micro's rule"}});
}

} // namespace mlir::qtensor::tflite
