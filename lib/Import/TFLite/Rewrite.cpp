// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/TFLite/Rewrite.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Endian.h"
#include <list>

using namespace mlir::qtensor::tflite;
using llvm::Twine;

namespace {
/// Whom constants of our own belong to, with what they belonged to before.
struct Owner {
  std::shared_ptr<void> file;
  std::list<std::vector<char>> made;
};

/// Takes the graph of one composite into the entry graph.
class Inliner {
public:
  Inliner(Model &model, const Operator &composite, ReportFn report) : model(model), composite(composite), report(report) {}

  /// Appends the operators of the decomposition to `to`.
  bool run(std::vector<Operator> &to);

private:
  bool fail(const Twine &what) {
    auto name = composite.options.strings.find("name");
    report(model.file + ": the composite '" + (name == composite.options.strings.end() ? "" : name->second) + "' " + what);
    return false;
  }
  bool mapTensors(const Graph &from);
  void renumber(std::vector<int32_t> &tensors) const {
    for (int32_t &tensor : tensors)
      tensor = tensor < 0 ? tensor : places[tensor];
  }

  Model &model;
  const Operator &composite;
  ReportFn report;
  std::vector<int32_t> places; ///< By tensor of the decomposition: its number in the entry graph.
};
} // namespace

bool Inliner::mapTensors(const Graph &from) {
  if (from.inputs.size() != composite.inputs.size() || from.outputs.size() != composite.outputs.size())
    return fail("has other inputs or outputs than its decomposition; write the model anew");
  places.assign(from.tensors.size(), -1);
  auto place = [&](llvm::ArrayRef<int32_t> inner, llvm::ArrayRef<int32_t> outer) {
    for (auto [tensor, to] : llvm::zip_equal(inner, outer)) {
      if (to < 0 || places[tensor] >= 0)
        return false;
      places[tensor] = to;
    }
    return true;
  };
  if (!place(from.inputs, composite.inputs) || !place(from.outputs, composite.outputs))
    return fail("lacks an input, or its decomposition returns one unchanged, which is not supported");
  Graph &entry = model.graphs.front();
  for (auto [i, tensor] : llvm::enumerate(from.tensors))
    if (places[i] < 0) {
      places[i] = int32_t(entry.tensors.size());
      entry.tensors.push_back(tensor);
    }
  for (auto [i, tensor] : llvm::enumerate(from.tensors)) {
    Quantization &q = entry.tensors[places[i]].quantization;
    if (llvm::is_contained(from.inputs, int32_t(i)) || llvm::is_contained(from.outputs, int32_t(i)))
      continue;
    q.blockScales = q.blockScales < 0 ? -1 : places[tensor.quantization.blockScales];
    q.blockZeros = q.blockZeros < 0 ? -1 : places[tensor.quantization.blockZeros];
  }
  return true;
}

bool Inliner::run(std::vector<Operator> &to) {
  auto found = composite.options.numbers.find("subgraph");
  size_t number = found == composite.options.numbers.end() ? 0 : size_t(found->second);
  if (number == 0 || number >= model.graphs.size())
    return fail("has no decomposition in the file, and none is known for its name");
  const Graph from = model.graphs[number];
  if (!mapTensors(from))
    return false;
  for (Operator op : from.operators) {
    renumber(op.inputs);
    renumber(op.outputs);
    renumber(op.intermediates);
    to.push_back(std::move(op));
  }
  return true;
}

static bool inlineComposites(Model &model, ReportFn report) {
  // Decompositions hold no others but for mistakes: this is more than any file has.
  constexpr int kDepth = 8;
  constexpr size_t kOperators = 1 << 16;
  int32_t code = operatorCode("STABLEHLO_COMPOSITE");
  auto isComposite = [&](const Operator &op) { return op.code == code; };
  for (int depth = 0; llvm::any_of(model.graphs.front().operators, isComposite); ++depth) {
    std::vector<Operator> operators;
    for (const Operator &op : std::vector<Operator>(model.graphs.front().operators)) {
      if (!isComposite(op))
        operators.push_back(op);
      else if (!Inliner(model, op, report).run(operators))
        return false;
      if (depth == kDepth || operators.size() > kOperators)
        return report(model.file + ": composites hold themselves, or more than 2^16 operators; write the model anew"), false;
    }
    model.graphs.front().operators = std::move(operators);
  }
  return true;
}

/// Sums of 16-bit codes have biases of 64 bits, of which no more than 32 are used.
static bool narrowBiases(Model &model, ReportFn report) {
  auto owner = std::make_shared<Owner>();
  owner->file = model.owner;
  for (Tensor &tensor : model.graphs.front().tensors) {
    if (tensor.type != ElemType::I64 || tensor.quantization.scale.empty() || !tensor.hasData)
      continue;
    std::vector<char> &bytes = owner->made.emplace_back(tensor.data.size() / 2);
    for (size_t i = 0; i < bytes.size() / 4; ++i) {
      auto wide = int64_t(llvm::support::endian::read64le(tensor.data.data() + 8 * i));
      if (wide != int32_t(wide))
        return report(model.file + ": tensor '" + tensor.name + "' has the quantized number " + Twine(wide) +
                      ", which has no place in the 32 bits of a sum; quantize the model again"), false;
      llvm::support::endian::write32le(bytes.data() + 4 * i, uint32_t(wide));
    }
    tensor.type = ElemType::I32;
    tensor.data = bytes;
  }
  model.owner = owner;
  return true;
}

bool mlir::qtensor::tflite::rewriteModel(Model &model, ReportFn report) {
  return inlineComposites(model, report) && narrowBiases(model, report);
}
