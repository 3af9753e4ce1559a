// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/TFLite/Importer.h"
#include "dialects/QTensor/IR/ModuleAttrs.h"
#include "lib/Import/Graph/Function.h"
#include "lib/Import/TFLite/Registry.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::tflite;

Importer::Importer(const Model &model, MLIRContext *context, const ImportOptions &options, ReportFn report)
    : model(model), graph(model.graphs.front()), options(options), report(report), builder(context), math(builder),
      emit(builder, math), values(graph.tensors.size()) {}

Importer::Importer(Importer &outer, const Graph &graph, const OpBuilder &at)
    : model(outer.model), graph(graph), options(outer.options), report(outer.report), root(outer.root),
      depth(outer.depth + 1), builder(at), math(builder), emit(builder, math), values(graph.tensors.size()) {
  emit.setLoc(outer.emit.loc);
}

LogicalResult Importer::fail(const Twine &what) {
  report(model.file + ": " + what);
  return failure();
}

/// One diagnostic with all operators that cannot be imported.
LogicalResult Importer::checkOperators() {
  std::map<std::string, unsigned> found;
  for (const Graph *reached : reachableGraphs())
    for (const Operator &op : reached->operators)
      if (!Registry::get().find(op))
        ++found[op.code == kCustom ? "custom operator " + op.custom : operatorName(op.code)];
  if (found.empty())
    return success();
  std::string list = llvm::join(
      llvm::map_range(found, [](const auto &entry) { return entry.first + " (" + std::to_string(entry.second) + "x)"; }),
      ", ");
  return fail("operators that can't be imported: " + list +
              "; `quant-import --list-operators` prints those that can");
}

/// One element after the other, a byte each where the file packs several into one.
static std::shared_ptr<graph::TensorData> unpack(const Tensor &tensor, const std::shared_ptr<void> &owner) {
  auto data = std::make_shared<graph::TensorData>();
  data->name = tensor.name;
  data->elem = elemOf(tensor.type);
  data->dims.assign(tensor.shape.begin(), tensor.shape.end());
  data->bytes = tensor.data;
  data->owner = owner;
  unsigned bits = bitWidth(tensor.type);
  if (bits >= 8)
    return data;
  auto bytes = std::make_shared<std::vector<char>>(data->numElements());
  for (size_t i = 0; i < bytes->size(); ++i) {
    unsigned code = (uint8_t(tensor.data[i * bits / 8]) >> (i * bits % 8)) & ((1u << bits) - 1);
    (*bytes)[i] = char(graph::isSigned(data->elem) ? llvm::SignExtend32(code, bits) : int32_t(code));
  }
  data->bytes = llvm::ArrayRef<char>(bytes->data(), bytes->size());
  data->owner = bytes;
  return data;
}

LogicalResult Importer::makeConstants() {
  for (auto [i, tensor] : llvm::enumerate(graph.tensors)) {
    if (!tensor.hasData)
      continue;
    if (elemOf(tensor.type) == graph::Elem::Undefined)
      continue;
    std::shared_ptr<graph::TensorData> data = unpack(tensor, model.owner);
    FailureOr<ArrayRef<char>> replaced = options.weights ? options.weights(*data) : FailureOr<ArrayRef<char>>(ArrayRef<char>());
    if (failed(replaced))
      return fail("the replacement of '" + tensor.name + "' is of another shape or type");
    if (!replaced->empty())
      data->bytes = *replaced;
    values[i] = emit.constant(data);
  }
  return success();
}

LogicalResult Importer::makeFunction(ModuleOp module) {
  if (failed(findVariables()))
    return failure();
  SmallVector<Type> types;
  for (int32_t input : graph.inputs) {
    const Tensor &tensor = graph.tensors[input];
    graph::Elem elem = elemOf(tensor.type);
    if (elem == graph::Elem::Undefined || tensor.hasData)
      return fail("input '" + tensor.name + "' has type " + typeName(tensor.type) + ", which is not supported");
    SmallVector<int64_t> shape(tensor.shape.begin(), tensor.shape.end());
    for (auto [axis, extent] : llvm::enumerate(shape))
      if (auto chosen = options.dims.find(tensor.name + ":" + std::to_string(axis)); chosen != options.dims.end())
        extent = chosen->second;
    types.push_back(RankedTensorType::get(shape, elemType(elem, builder.getContext())));
  }
  for (const Variable &variable : variables) {
    const Tensor &tensor = graph.tensors[variable.described];
    types.push_back(RankedTensorType::get(tensor.shape, elemType(elemOf(tensor.type), builder.getContext())));
  }
  builder.setInsertionPointToEnd(module.getBody());
  function = func::FuncOp::create(builder, emit.loc, "main", builder.getFunctionType(types, {}));
  Block *body = function.addEntryBlock();
  builder.setInsertionPointToEnd(body);
  for (auto [i, input] : llvm::enumerate(graph.inputs)) {
    const Tensor &tensor = graph.tensors[input];
    NamedAttrList attributes(describeBorder(tensor, elemOf(tensor.type)));
    function.setArgAttrs(i, attributes);
    body->getArgument(i).setLoc(NameLoc::get(builder.getStringAttr(tensor.name)));
    graph::Dims dims;
    for (int64_t extent : cast<RankedTensorType>(types[i]).getShape())
      dims.push_back(math.constant(extent));
    values[input] = emit.wrap(body->getArgument(i), elemOf(tensor.type), dims);
  }
  readVariables(graph.inputs.size());
  return success();
}

static bool readsComplex(const Operator &op) {
  return llvm::is_contained({operatorCode("REAL"), operatorCode("IMAG"), operatorCode("COMPLEX_ABS")}, op.code);
}

LogicalResult Importer::importOperator(unsigned number) {
  const Operator &op = graph.operators[number];
  Node node(emit, model, graph, op, number, values, options, report);
  const OpEntry &entry = *Registry::get().find(op);
  for (int32_t input : op.inputs)
    if (input >= 0 && values[input].elem == graph::Elem::Complex64 && !readsComplex(op))
      return node.fail("its input '" + graph.tensors[input].name +
                       "' is complex; only REAL, IMAG and COMPLEX_ABS take such numbers");
  if (!entry.handler)
    return isControlFlow(op) ? importControlFlow(op, node) : importVariable(op, node);
  int count = int(op.inputs.size());
  if (count < entry.minInputs || count > entry.maxInputs || op.outputs.empty())
    return node.fail("has " + Twine(count) + " inputs and " + Twine(op.outputs.size()) + " outputs; it needs other ones");
  for (auto [i, input] : llvm::enumerate(op.inputs)) {
    if (input < 0 && int(i) < entry.minInputs)
      return node.fail("input " + Twine(i) + " is absent");
    if (input < 0)
      continue;
    const graph::Val &value = values[input];
    const Tensor &tensor = graph.tensors[input];
    if (value.constant || value.tensor || value.encoded || value.ints)
      continue;
    if (tensor.isVariable && depth > 0)
      return node.fail("keeps a state inside of a subgraph, which is not supported");
    // A constant without elements has no data that would tell it from a tensor that something computes.
    if (!llvm::is_contained(tensor.shape, 0) || elemOf(tensor.type) == graph::Elem::Undefined)
      return node.fail("input " + Twine(i) + " ('" + tensor.name + "') is not computed before it");
    values[input] = emit.constant(unpack(tensor, model.owner));
  }
  for (int32_t output : op.outputs) {
    const Tensor &tensor = graph.tensors[output];
    bool known = elemOf(tensor.type) != graph::Elem::Undefined ||
                 (tensor.type == ElemType::C64 && op.code == operatorCode("RFFT2D"));
    if (!known)
      return node.fail("its output '" + tensor.name + "' has the type " + typeName(tensor.type) +
                       ", which is not supported");
  }
  emit.setLoc(NameLoc::get(builder.getStringAttr(graph.tensors[op.outputs[0]].name)));
  if (failed(entry.handler(node)))
    return failure();
  for (int32_t output : op.outputs) {
    const graph::Val &value = values[output];
    const Tensor &tensor = graph.tensors[output];
    if (value.elem == graph::Elem::Undefined)
      return node.fail("its output '" + tensor.name + "' is not supported");
  }
  return success();
}

/// The outputs of the model, or those that the options name ("*": every result of an operator, in order).
FailureOr<SmallVector<int32_t>> Importer::chooseOutputs() {
  SmallVector<int32_t> chosen;
  if (options.outputs.empty())
    return SmallVector<int32_t>(graph.outputs.begin(), graph.outputs.end());
  for (const std::string &name : options.outputs) {
    size_t before = chosen.size();
    for (const Operator &op : graph.operators)
      for (int32_t output : op.outputs)
        if ((name == "*" && !handles.count(output)) || graph.tensors[output].name == name)
          chosen.push_back(output);
    if (chosen.size() == before)
      return fail("no operator computes a tensor '" + name + "', which the options name as an output");
  }
  return chosen;
}

/// Attributes of an input or output; codes with the scale and zero point that give them their meaning.
DictionaryAttr Importer::describeBorder(const Tensor &tensor, graph::Elem elem) {
  NamedAttrList attributes(graph::borderAttrs(builder, tensor.name, elem));
  if (tensor.quantization.scale.size() == 1) {
    attributes.set("qtensor.scale", builder.getF32FloatAttr(tensor.quantization.scale[0]));
    attributes.set("qtensor.zero", builder.getI64IntegerAttr(tensor.quantization.zero.empty() ? 0 : tensor.quantization.zero[0]));
  }
  return attributes.getDictionary(builder.getContext());
}

LogicalResult Importer::makeReturn() {
  SmallVector<Value> results;
  SmallVector<DictionaryAttr> attributes;
  FailureOr<SmallVector<int32_t>> outputs = chooseOutputs();
  if (failed(outputs))
    return failure();
  std::set<std::string> names;
  for (int32_t output : *outputs) {
    const Tensor &tensor = graph.tensors[output];
    const graph::Val &value = values[output];
    if (value.elem == graph::Elem::Undefined)
      return fail("output '" + tensor.name + "' is computed by no operator");
    if (value.elem == graph::Elem::Complex64)
      return fail("output '" + tensor.name +
                  "' is complex; give its parts (REAL, IMAG) or its magnitude (COMPLEX_ABS)");
    emit.setLoc(NameLoc::get(builder.getStringAttr(tensor.name)));
    results.push_back(emit.tensor(value));
    attributes.push_back(describeBorder(tensor, value.elem));
  }
  returnVariables(results, attributes);
  function.setType(builder.getFunctionType(function.getArgumentTypes(), ValueRange(results).getTypes()));
  for (auto [i, dictionary] : llvm::enumerate(attributes))
    function.setResultAttrs(i, dictionary);
  func::ReturnOp::create(builder, function.getLoc(), results);
  return success();
}

OwningOpRef<ModuleOp> Importer::run() {
  if (failed(checkOperators()) || failed(makeConstants()))
    return nullptr;
  emit.setLoc(NameLoc::get(builder.getStringAttr(graph.name.empty() ? "main" : graph.name)));
  OwningOpRef<ModuleOp> module = ModuleOp::create(emit.loc);
  (*module)->setAttr(kRoundingAttr, builder.getStringAttr(options.rounding));
  if (failed(makeFunction(*module)))
    return nullptr;
  for (unsigned i = 0; i < graph.operators.size(); ++i)
    if (failed(importOperator(i)))
      return nullptr;
  if (failed(makeReturn()))
    return nullptr;
  graph::eraseDeadOps(function);
  std::string problem = graph::verifyQuietly(*module);
  if (problem.empty())
    return module;
  (void)fail("shapes contradict each other at " + problem + "; the file is damaged: write it anew");
  return nullptr;
}
