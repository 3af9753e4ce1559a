// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Recurrent layers of floats: LSTM cells in both directions and of single steps, and plain cells.
#include "lib/Import/TFLite/Ops/Lstm.h"
#include "lib/Import/TFLite/Registry.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::tflite {
namespace {
LogicalResult requireFloats(const Node &n) {
  for (unsigned i = 0; i < n.numInputs(); ++i)
    if (n.has(i) && (isQuantized(n.inTensor(i)) || n.in(i).elem != Elem::F32))
      return n.fail("has " + elemName(n.in(i).elem) +
                    " in it; it takes floats alone: of codes UNIDIRECTIONAL_SEQUENCE_LSTM is supported");
  return success();
}

/// The outputs of an LSTM layer over `x` in place of input 0, whose states become what they are behind it.
FailureOr<Val> runLayer(const Node &n, const LstmInputs &inputs, const Val &x, bool timeMajor, bool backward) {
  if (failed(inputs.checkPresence()) || failed(inputs.checkExtents(x, timeMajor)))
    return failure();
  Lstm layer;
  layer.cellClip = n.realOption("cell_clip"), layer.projectionClip = n.realOption("proj_clip");
  layer.timeMajor = timeMajor, layer.backward = backward;
  layer.inputs[0] = x;
  for (unsigned i = 1; i < kInputs; ++i)
    if (inputs.has(i))
      layer.inputs[i] = inputs[i];
  SmallVector<Val> results = emitSequence(n.e, layer);
  n.value(n.op.inputs[inputs.place(kHidden)]) = results[1];
  n.value(n.op.inputs[inputs.place(kCell)]) = results[2];
  return results[0];
}

/// Inputs of one direction: weights and biases from `first` on, states at `state` and behind it.
SmallVector<int> placesOf(int first, int state) {
  SmallVector<int> places(kInputs, -1);
  places[0] = 0;
  for (int i = kWeights; i < int(kHidden); ++i)
    places[i] = first + i - int(kWeights);
  places[kHidden] = state, places[kCell] = state + 1;
  return places;
}

/// Two layers over one sequence, of which the second runs from its end; over the auxiliary input if it has one.
LogicalResult importBidirectional(const Node &n) {
  constexpr unsigned kBackwardWeights = 18, kForwardStates = 35, kBackwardStates = 37, kAuxiliary = 39;
  bool timeMajor = n.option("time_major"), merges = n.option("merge_outputs");
  if (failed(requireFloats(n)))
    return failure();
  for (unsigned i = kAuxiliary + 1; i < n.numInputs(); ++i)
    if (n.has(i))
      return n.fail(
          "has weights for an auxiliary input, which are not supported; stack the layers without cross links");
  if (n.op.outputs.size() < (merges ? 1 : 2))
    return n.fail("gives the outputs of both directions apart and has one output");
  const Val &x = n.in(0), &behind = n.has(kAuxiliary) ? n.in(kAuxiliary) : x;
  FailureOr<Val> forward = runLayer(n, LstmInputs(n, placesOf(kWeights, kForwardStates)), x, timeMajor, false);
  if (failed(forward))
    return failure();
  FailureOr<Val> backward =
      runLayer(n, LstmInputs(n, placesOf(kBackwardWeights, kBackwardStates)), behind, timeMajor, true);
  if (failed(backward))
    return failure();
  if (!llvm::equal(ArrayRef(forward->dims).drop_back(), ArrayRef(backward->dims).drop_back(), DimMath::same))
    return n.fail("its auxiliary input has another batch or number of steps than its input");
  if (merges)
    return n.set(n.e.concat({*forward, *backward}, 2));
  return success(succeeded(n.set(*forward)) && succeeded(n.set(*backward, 1)));
}

/// One step of an LSTM layer: a sequence of one.
LogicalResult importStep(const Node &n) {
  Emit &e = n.e;
  if (n.in(0).rank() != 2)
    return n.fail("takes an input [batch, inputs]");
  SmallVector<int> places = llvm::to_vector(llvm::seq<int>(0, kInputs));
  FailureOr<Val> made = runLayer(n, LstmInputs(n, places), e.unsqueeze(n.in(0), 0), /*timeMajor=*/true, false);
  return failed(made) ? failure() : n.set(e.squeeze(*made, 0));
}

/// One step with all weights in one matrix: the new output, the new cells, what the matrix sees and what it gives. The
/// states, inputs 1 and 4, become the first two.
LogicalResult importBasic(const Node &n) {
  Emit &e = n.e;
  bool complete = n.numInputs() == 5 && n.op.outputs.size() == 4;
  for (unsigned i = 0; i < 5; ++i)
    complete &= n.has(i);
  if (!complete)
    return n.fail("has the basic kernel, with which it has five inputs and four outputs");
  auto shape = [&](unsigned i) { return DimMath::shape(n.in(i).dims); };
  SmallVector<int64_t> x = shape(0), weights = shape(2), state = shape(4);
  if (x.size() != 2 || weights.size() != 2 || state.size() != 2 || shape(1) != state || state[0] != x[0] ||
      weights != SmallVector<int64_t>{4 * state[1], x[1] + state[1]} || shape(3) != SmallVector<int64_t>{4 * state[1]})
    return n.fail("its weights, biases and states do not have the extents of its input and its cells");
  if (n.option("activation") != 4 || n.realOption("cell_clip") != 0 || n.realOption("proj_clip") != 0)
    return n.fail("has another activation than tanh (4), or clips, which the basic kernel does not");
  if (!n.inTensor(1).isVariable || !n.inTensor(4).isVariable)
    return n.fail("its states must be variables of the model");
  Val seen = e.concat({n.in(0), n.in(1)}, 1);
  Val sums = e.map({contractRows(e, seen, n.in(2)), n.in(3)}, Elem::F32,
                   [](Scalar &s, ValueRange in) { return s.add(in[0], in[1]); });
  auto gate = [&](int64_t i) { return e.sliceAxis(sums, 1, e.math.constant(i * state[1]), e.math.constant(state[1])); };
  Val next = e.map({gate(0), gate(1), gate(2), n.in(4)}, Elem::F32, [](Scalar &s, ValueRange in) {
    return s.add(s.mul(s.sigmoid(in[0]), s.tanh(in[1])), s.mul(s.sigmoid(in[2]), in[3]));
  });
  Val out = e.map({gate(3), next}, Elem::F32,
                  [](Scalar &s, ValueRange in) { return s.mul(s.sigmoid(in[0]), s.tanh(in[1])); });
  n.value(n.op.inputs[1]) = out;
  n.value(n.op.inputs[4]) = next;
  return success(succeeded(n.set(out)) && succeeded(n.set(next, 1)) && succeeded(n.set(seen, 2)) &&
                 succeeded(n.set(sums, 3)));
}

LogicalResult importLstmStep(const Node &n) {
  if (failed(requireFloats(n)))
    return failure();
  return n.option("kernel_type") ? importBasic(n) : importStep(n);
}

/// h = activation(x * W + h * R + b), over the steps of x [time, batch, inputs] or [batch, time, inputs].
FailureOr<Val> runPlain(const Node &n, const Val &x, bool timeMajor) {
  Emit &e = n.e;
  auto shape = [&](unsigned i) { return DimMath::shape(n.in(i).dims); };
  FailureOr<int64_t> activation = n.activation();
  if (failed(activation))
    return failure();
  SmallVector<int64_t> extents = DimMath::shape(x.dims), state = shape(4);
  if (extents.size() != 3 || state.size() != 2 || ShapedType::isDynamicShape(extents) ||
      extents[timeMajor ? 1 : 0] != state[0] || shape(1) != SmallVector<int64_t>{state[1], extents[2]} ||
      shape(2) != SmallVector<int64_t>{state[1], state[1]} || shape(3) != SmallVector<int64_t>{state[1]})
    return n.fail("its weights, biases and state do not have the extents of its input and its units");
  if (!n.inTensor(4).isVariable)
    return n.fail("its state must be a variable of the model");
  Value weights[] = {e.tensor(n.in(1)), e.tensor(n.in(2)), e.tensor(n.in(3))}, source = e.tensor(x);
  unsigned timeAxis = timeMajor ? 0 : 1;
  Dims sequence = {x.dims[0], x.dims[1], n.in(4).dims[1]}, read = x.dims, write = sequence,
       perBatch = {n.in(4).dims[0], x.dims[2]};
  read[timeAxis] = write[timeAxis] = e.b.getIndexAttr(1);
  auto index = [&](int64_t value) { return arith::ConstantIndexOp::create(e.b, e.loc, value).getResult(); };
  SmallVector<Value> first{e.empty(sequence, e.b.getF32Type()), e.tensor(n.in(4))};
  auto loop = scf::ForOp::create(
      e.b, e.loc, index(0), index(extents[timeAxis]), index(1), first,
      [&](OpBuilder &, Location, Value step, ValueRange kept) {
        Emit inner(e.b, e.math);
        inner.setLoc(e.loc);
        Dims offsets(3, e.b.getIndexAttr(0)), strides(3, e.b.getIndexAttr(1));
        offsets[timeAxis] = step;
        auto given = [&](unsigned i) { return inner.wrap(weights[i], Elem::F32, n.in(i + 1).dims); };
        Val now = inner.reshape(inner.slice(inner.wrap(source, Elem::F32, x.dims), offsets, read, strides), perBatch);
        Val before = inner.wrap(kept[1], Elem::F32, n.in(4).dims);
        Val parts[] = {contractRows(inner, now, given(0)), contractRows(inner, before, given(1)), given(2)};
        Val after = inner.map(parts, Elem::F32, [&](Scalar &s, ValueRange in) {
          return n.activate(s, s.add(s.add(in[0], in[1]), in[2]), *activation);
        });
        Value out = tensor::InsertSliceOp::create(e.b, e.loc, inner.tensor(after), kept[0], offsets, write, strides);
        scf::YieldOp::create(e.b, e.loc, ValueRange{out, inner.tensor(after)});
      });
  n.value(n.op.inputs[4]) = e.wrap(loop.getResult(1), Elem::F32, n.in(4).dims);
  return e.wrap(loop.getResult(0), Elem::F32, sequence);
}

LogicalResult importPlainSequence(const Node &n) {
  if (failed(requireFloats(n)))
    return failure();
  FailureOr<Val> made = runPlain(n, n.in(0), n.option("time_major"));
  return failed(made) ? failure() : n.set(*made);
}

LogicalResult importPlainStep(const Node &n) {
  if (failed(requireFloats(n)))
    return failure();
  if (n.in(0).rank() != 2)
    return n.fail("takes an input [batch, inputs]");
  FailureOr<Val> made = runPlain(n, n.e.unsqueeze(n.in(0), 0), /*timeMajor=*/true);
  return failed(made) ? failure() : n.set(n.e.squeeze(*made, 0));
}
} // namespace

void registerCells(Registry &r) {
  r.add({
      {"BIDIRECTIONAL_SEQUENCE_LSTM", 1, 48, importBidirectional, "f32; no weights for an auxiliary input"},
      {"LSTM", 1, 24, importLstmStep, "f32"},
      {"RNN", 5, 5, importPlainStep, "f32"},
      {"UNIDIRECTIONAL_SEQUENCE_RNN", 5, 5, importPlainSequence, "f32"},
  });
}

} // namespace mlir::qtensor::tflite
