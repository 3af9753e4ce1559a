// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/TFLite/Composites.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir::qtensor::tflite;
using llvm::Twine;

namespace {
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
  constexpr size_t kTensors = 1 << 20;
  if (entry.tensors.size() + from.tensors.size() > kTensors)
    return fail("takes the graph beyond 2^20 tensors; write the model anew");
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
  double number = found == composite.options.numbers.end() ? 0 : found->second;
  if (!(number >= 1) || !(number < double(model.graphs.size())))
    return fail("has no decomposition in the file, and none is known for its name");
  const Graph from = model.graphs[size_t(number)];
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

bool mlir::qtensor::tflite::inlineComposites(Model &model, ReportFn report) {
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
