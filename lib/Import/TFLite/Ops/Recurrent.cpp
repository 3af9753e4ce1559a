// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Layers of LSTM cells over a sequence. Their states are variables of the model.
#include "lib/Import/TFLite/Ops/Lstm.h"
#include "lib/Import/TFLite/Registry.h"

namespace mlir::qtensor::tflite {
namespace {
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

/// A layer whose activations are codes, by a rule.
LogicalResult importCodes(const Node &n, const LstmInputs &layered) {
  if (failed(layered.checkPresence()) || failed(layered.checkExtents(n.in(0), n.option("time_major"))))
    return failure();
  SmallVector<unsigned> inputs;
  for (unsigned i = 0; i < kInputs; ++i)
    if (n.has(i))
      inputs.push_back(i);
  for (unsigned i : inputs)
    if (!isQuantized(n.inTensor(i)) && !isWideBias(n, i))
      return n.fail("has quantized activations and '" + n.inTensor(i).name + "' of floats; quantize it fully");
  Lstm layer;
  layer.cellClip = n.realOption("cell_clip"), layer.projectionClip = n.realOption("proj_clip");
  layer.timeMajor = n.option("time_major");
  auto meaning = [&](Emit &e, ArrayRef<Val> reals) {
    for (auto [i, real] : llvm::zip_equal(inputs, reals))
      layer.inputs[i] = real;
    return emitSequence(e, layer);
  };
  bool wide = n.in(0).elem == Elem::I16;
  if ((n.in(0).elem != Elem::I8 && !wide) || n.in(kHidden).elem != n.in(0).elem || n.in(kCell).elem != Elem::I16)
    return n.fail("has codes of " + elemName(n.in(0).elem) + " and cells of " + elemName(n.in(kCell).elem) +
                  "; quantized layers have codes of int8 or int16 and cells of int16");
  if (!isQuantized(n.outTensor()) || n.outTensor().quantization.scale.size() != 1)
    return n.fail("is quantized and its output has no scale");
  SmallVector<NamedAttribute> parameters{n.param("cell_clip", layer.cellClip),
                                         n.param("time_major", int64_t(layer.timeMajor))};
  if (n.has(kPeephole + 1) && n.in(kHidden).dims[1] != n.in(kCell).dims[1])
    return n.fail(
        "is quantized and has peepholes and a projection to another number of outputs than of cells, where TFLite's "
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

LogicalResult importLstm(const Node &n) {
  SmallVector<int> places = llvm::to_vector(llvm::seq<int>(0, kInputs));
  LstmInputs layered(n, places);
  if (isQuantized(n.inTensor(0)))
    return importCodes(n, layered);
  FailureOr<Val> made = runRealLayer(n, layered, n.in(0), n.option("time_major"), /*backward=*/false);
  return failed(made) ? failure() : n.set(*made);
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
          "f32, also with int8 matrices by LiteRT's rule, int8 with int16 cells; peepholes, projection, layer "
          "normalization and coupled gates. The plain int8 cell follows TFLite Micro's rule, with --runtime=litert "
          "TFLite's own, which the others always follow. "
          "int16 x int8: the plain cell, by TFLite Micro's rule"}});
}

} // namespace mlir::qtensor::tflite
