// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Recurrent layers of floats, also beside matrices of codes: LSTM cells in both directions and of single steps, and
// plain cells.
#include "lib/Import/TFLite/Ops/Lstm.h"
#include "lib/Import/TFLite/Registry.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::tflite {
namespace {
/// Inputs of one direction: weights and biases from `first` on, states at `state` and behind it.
SmallVector<int> placesOf(int first, int state) {
  SmallVector<int> places(kInputs, -1);
  places[0] = 0;
  for (int i = kWeights; i < int(kHidden); ++i)
    places[i] = first + i - int(kWeights);
  places[kHidden] = state, places[kCell] = state + 1;
  return places;
}

/// One step of an LSTM layer: a sequence of one.
LogicalResult importStep(const Node &n) {
  Emit &e = n.e;
  if (n.in(0).rank() != 2)
    return n.fail("takes an input [batch, inputs]");
  SmallVector<int> places = llvm::to_vector(llvm::seq<int>(0, kInputs));
  FailureOr<Val> made = runRealLayer(n, LstmInputs(n, places), e.unsqueeze(n.in(0), 0), /*timeMajor=*/true, false);
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
  for (unsigned i = 0; i < 5; ++i)
    if (n.in(i).elem != Elem::F32)
      return n.fail("has the basic kernel and " + elemName(n.in(i).elem) + " in it; there it takes floats alone");
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

LogicalResult importLstmStep(const Node &n) { return n.option("kernel_type") ? importBasic(n) : importStep(n); }

/// A layer of plain cells: where an operator has its weights, recurrent weights, biases and state, and what is seen
/// when.
struct PlainLayer {
  unsigned first;
  bool timeMajor, backward = false;
};

/// Whether the matrices are codes beside float activations; fails for other types and extents than such a layer has.
FailureOr<bool> checkPlain(const Node &n, const Val &x, const PlainLayer &layer) {
  auto shape = [&](unsigned i) { return DimMath::shape(n.in(layer.first + i).dims); };
  for (unsigned i = 0; i < 4; ++i)
    if (!n.has(layer.first + i))
      return n.fail("lacks weights, biases or a state");
  SmallVector<int64_t> extents = DimMath::shape(x.dims), state = shape(3);
  if (extents.size() != 3 || state.size() != 2 || ShapedType::isDynamicShape(extents) ||
      extents[layer.timeMajor ? 1 : 0] != state[0] || shape(0) != SmallVector<int64_t>{state[1], extents[2]} ||
      shape(1) != SmallVector<int64_t>{state[1], state[1]} || shape(2) != SmallVector<int64_t>{state[1]})
    return n.fail("its weights, biases and state do not have the extents of its input and its units");
  if (!n.inTensor(layer.first + 3).isVariable)
    return n.fail("its state must be a variable of the model");
  bool hybrid = isQuantized(n.inTensor(layer.first)) || isQuantized(n.inTensor(layer.first + 1));
  for (unsigned i = 0; i < 2; ++i)
    if (hybrid && failed(checkRowCodes(n, n.inTensor(layer.first + i))))
      return failure();
  bool real = x.elem == Elem::F32;
  for (unsigned i = hybrid ? 2 : 0; i < 4; ++i)
    real &= n.in(layer.first + i).elem == Elem::F32;
  if (!real)
    return n.fail("takes floats, also with int8 matrices, and has other types in it");
  return hybrid;
}

/// h = activation(x * W + h * R + b), over the steps of x [time, batch, inputs] or [batch, time, inputs].
FailureOr<Val> runPlain(const Node &n, const Val &x, const PlainLayer &layer) {
  Emit &e = n.e;
  FailureOr<int64_t> activation = n.activation();
  FailureOr<bool> hybrid = checkPlain(n, x, layer);
  if (failed(activation) || failed(hybrid))
    return failure();
  auto given = [&](unsigned i) {
    return *hybrid && i < 2 ? asContainer(e, n.in(layer.first + i)) : n.in(layer.first + i);
  };
  auto scale = [&](unsigned i) {
    return *hybrid ? std::optional<float>(n.inTensor(layer.first + i).quantization.scale[0]) : std::nullopt;
  };
  const Val state = given(3), seen = e.wrap(e.tensor(x), x.elem, x.dims);
  SmallVector<Val> parts;
  for (unsigned i = 0; i < 3; ++i)
    parts.push_back(e.wrap(e.tensor(given(i)), given(i).elem, given(i).dims));
  unsigned timeAxis = layer.timeMajor ? 0 : 1;
  int64_t steps = *DimMath::number(x.dims[timeAxis]);
  Dims sequence = {x.dims[0], x.dims[1], state.dims[1]}, read = x.dims, write = sequence,
       perBatch = {state.dims[0], x.dims[2]};
  read[timeAxis] = write[timeAxis] = e.b.getIndexAttr(1);
  auto index = [&](int64_t value) { return arith::ConstantIndexOp::create(e.b, e.loc, value).getResult(); };
  SmallVector<Value> first{e.empty(sequence, e.b.getF32Type()), e.tensor(state)};
  auto loop = scf::ForOp::create(
      e.b, e.loc, index(0), index(steps), index(1), first, [&](OpBuilder &, Location, Value step, ValueRange kept) {
        Emit inner(e.b, e.math);
        inner.setLoc(e.loc);
        Dims offsets(3, e.b.getIndexAttr(0)), strides(3, e.b.getIndexAttr(1));
        if (layer.backward)
          step = arith::SubIOp::create(e.b, e.loc, index(steps - 1), step);
        offsets[timeAxis] = step;
        auto product = [&](const Val &of, unsigned i) {
          return multiplyRows(inner, rowFactor(inner, of, *hybrid, n.option("asymmetric_quantize_inputs")), parts[i],
                              scale(i));
        };
        Val now = inner.reshape(inner.slice(seen, offsets, read, strides), perBatch);
        Val sums[] = {product(now, 0), product(inner.wrap(kept[1], Elem::F32, state.dims), 1), parts[2]};
        Val after = inner.map(sums, Elem::F32, [&](Scalar &s, ValueRange in) {
          return n.activate(s, s.add(s.add(in[0], in[1]), in[2]), *activation);
        });
        Value out = tensor::InsertSliceOp::create(e.b, e.loc, inner.tensor(after), kept[0], offsets, write, strides);
        scf::YieldOp::create(e.b, e.loc, ValueRange{out, inner.tensor(after)});
      });
  n.value(n.op.inputs[layer.first + 3]) = e.wrap(loop.getResult(1), Elem::F32, state.dims);
  return e.wrap(loop.getResult(0), Elem::F32, sequence);
}

LogicalResult importPlainSequence(const Node &n) {
  FailureOr<Val> made = runPlain(n, n.in(0), {1, n.option("time_major") != 0});
  return failed(made) ? failure() : n.set(*made);
}

LogicalResult importPlainStep(const Node &n) {
  if (n.in(0).rank() != 2)
    return n.fail("takes an input [batch, inputs]");
  FailureOr<Val> made = runPlain(n, n.e.unsqueeze(n.in(0), 0), {1, /*timeMajor=*/true});
  return failed(made) ? failure() : n.set(n.e.squeeze(*made, 0));
}

/// What two directions give: side by side in one output, or an output each.
LogicalResult setBoth(const Node &n, const Val &forward, const Val &backward) {
  if (!llvm::equal(ArrayRef(forward.dims).drop_back(), ArrayRef(backward.dims).drop_back(), DimMath::same))
    return n.fail("its auxiliary input has another batch or number of steps than its input");
  if (n.option("merge_outputs"))
    return n.set(n.e.concat({forward, backward}, 2));
  return success(succeeded(n.set(forward)) && succeeded(n.set(backward, 1)));
}

/// The input of the direction that runs from the end: the auxiliary one if there is one. Weights behind it are for
/// stacked layers with cross links, which are refused.
FailureOr<Val> behind(const Node &n, unsigned auxiliary) {
  for (unsigned i = auxiliary + 1; i < n.numInputs(); ++i)
    if (n.has(i))
      return n.fail(
          "has weights for an auxiliary input, which are not supported; stack the layers without cross links");
  if (n.op.outputs.size() < (n.option("merge_outputs") ? 1 : 2))
    return n.fail("gives the outputs of both directions apart and has one output");
  return n.has(auxiliary) ? n.in(auxiliary) : n.in(0);
}

LogicalResult importPlainBothWays(const Node &n) {
  constexpr unsigned kBackward = 5, kAuxiliary = 9;
  bool timeMajor = n.option("time_major");
  FailureOr<Val> other = behind(n, kAuxiliary);
  if (failed(other))
    return failure();
  FailureOr<Val> forward = runPlain(n, n.in(0), {1, timeMajor});
  if (failed(forward))
    return failure();
  FailureOr<Val> backward = runPlain(n, *other, {kBackward, timeMajor, /*backward=*/true});
  return failed(backward) ? failure() : setBoth(n, *forward, *backward);
}

/// Two layers over one sequence, of which the second runs from its end; over the auxiliary input if it has one.
LogicalResult importBidirectional(const Node &n) {
  constexpr unsigned kBackwardWeights = 18, kForwardStates = 35, kBackwardStates = 37, kAuxiliary = 39;
  bool timeMajor = n.option("time_major");
  FailureOr<Val> other = behind(n, kAuxiliary);
  if (failed(other))
    return failure();
  FailureOr<Val> forward =
      runRealLayer(n, LstmInputs(n, placesOf(kWeights, kForwardStates)), n.in(0), timeMajor, false);
  if (failed(forward))
    return failure();
  FailureOr<Val> backward =
      runRealLayer(n, LstmInputs(n, placesOf(kBackwardWeights, kBackwardStates)), *other, timeMajor, true);
  return failed(backward) ? failure() : setBoth(n, *forward, *backward);
}
} // namespace

void registerCells(Registry &r) {
  constexpr const char *hybrid = "f32, also with int8 matrices by LiteRT's rule",
                       *both = "f32, also with int8 matrices by LiteRT's rule; no weights for an auxiliary input";
  r.add({
      {"BIDIRECTIONAL_SEQUENCE_LSTM", 1, 48, importBidirectional, both},
      {"BIDIRECTIONAL_SEQUENCE_RNN", 9, 12, importPlainBothWays, both},
      {"LSTM", 1, 24, importLstmStep, hybrid},
      {"RNN", 5, 5, importPlainStep, hybrid},
      {"UNIDIRECTIONAL_SEQUENCE_RNN", 5, 5, importPlainSequence, hybrid},
  });
}

} // namespace mlir::qtensor::tflite
