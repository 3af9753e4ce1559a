// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/ONNX/Importer.h"
#include "lib/Import/Graph/Fold.h"
#include "lib/Import/Graph/Function.h"
#include "lib/Import/ONNX/Registry.h"
#include "llvm/ADT/StringExtras.h"

namespace mlir::qtensor::onnx {
namespace {
/// Functions of a model may call each other, but not without end.
constexpr unsigned kMaxCallDepth = 32;
/// Above this a tensor can't be what its author meant; products of extents below it can't overflow.
constexpr int64_t kMaxElements = int64_t(1) << 40;

std::optional<int64_t> versionOf(const OpsetMap &opsets, const std::string &domain) {
  auto found = opsets.find(domain);
  if (found != opsets.end())
    return found->second;
  // Contributed domains are often left out of the imports; they have one version.
  return domain.empty() ? std::nullopt : std::optional<int64_t>(1);
}
} // namespace

Importer::Importer(Model &model, MLIRContext *context, const ONNXImportOptions &options, ReportFn report)
    : model(model), options(options), report(report), builder(context), math(builder), emit(builder, math) {}

LogicalResult Importer::fail(const Twine &what) {
  report(model.file + ": " + what);
  return failure();
}

LogicalResult Importer::failNode(const Node &node, const Twine &what) {
  return fail(node.place() + what);
}

OwningOpRef<ModuleOp> Importer::run() {
  Scope scope{model.opsets, "", {}};
  if (failed(checkOperators()) || failed(makeInitializers(scope)))
    return nullptr;
  emit.setLoc(NameLoc::get(builder.getStringAttr(model.graph.name.empty() ? "main" : model.graph.name)));
  OwningOpRef<ModuleOp> module = ModuleOp::create(emit.loc);
  FailureOr<func::FuncOp> function = makeFunction(*module, scope);
  if (failed(function) || failed(bindInputs(*function, scope)))
    return nullptr;
  for (const Node &node : model.graph.nodes)
    if (failed(importNode(node, scope)))
      return nullptr;
  if (failed(makeReturn(*function, scope)))
    return nullptr;
  eraseDeadOps(*function);
  // A hole in the checks above must not hand broken IR to the rest of the compiler.
  std::string problem = verifyQuietly(*module);
  if (problem.empty())
    return module;
  (void)fail("shapes contradict each other at " + problem + "; check the model with onnx.checker and shape inference");
  return nullptr;
}

void Importer::collectUnsupported(ArrayRef<Node> nodes, const OpsetMap &opsets, std::map<std::string, unsigned> &found,
                                  std::set<const Function *> &seen) {
  for (const Node &node : nodes) {
    if (auto call = model.functions.find({node.domain, node.op}); call != model.functions.end()) {
      if (seen.insert(&call->second).second)
        collectUnsupported(call->second.nodes, call->second.opsets, found, seen);
      continue;
    }
    std::optional<int64_t> version = versionOf(opsets, node.domain);
    if (version && Registry::get().find(node.domain, node.op, *version))
      continue;
    std::string name = node.domain.empty() ? node.op : node.domain + "." + node.op;
    if (version && Registry::get().knows(node.domain, node.op))
      name += " of operator set " + std::to_string(*version);
    ++found[name];
  }
}

LogicalResult Importer::checkOperators() {
  std::map<std::string, unsigned> found;
  std::set<const Function *> seen;
  collectUnsupported(model.graph.nodes, model.opsets, found, seen);
  if (found.empty())
    return success();
  std::string list =
      llvm::join(llvm::map_range(
                     found, [](const auto &entry) { return entry.first + " (" + std::to_string(entry.second) + "x)"; }),
                 ", ");
  return fail("operators that can't be imported: " + list +
              "; `quant-import --list-operators` prints those that can; unroll control flow (If, Loop, Scan) and "
              "convert the rest before export");
}

LogicalResult Importer::replaceWeights(TensorData &tensor) {
  if (!options.weights)
    return success();
  FailureOr<ArrayRef<char>> bytes = options.weights(tensor);
  if (failed(bytes))
    return fail("the replacement of initializer '" + tensor.name + "' is of another shape or type");
  if (!bytes->empty())
    tensor.bytes = *bytes;
  return success();
}

LogicalResult Importer::makeInitializers(Scope &scope) {
  for (TensorData &tensor : model.graph.initializers) {
    if (failed(replaceWeights(tensor)))
      return failure();
    if (tensor.name.empty() || !scope.values.try_emplace(tensor.name).second)
      return fail("initializer '" + tensor.name + "' has no name or is defined twice");
    scope.values[tensor.name] = emit.constant(std::make_shared<TensorData>(tensor));
  }
  for (const ValueInfo &input : model.graph.inputs) {
    if (auto fixed = options.inputs.find(input.name); fixed != options.inputs.end())
      scope.values[input.name] = emit.constant(fixed->second);
    // Up to IR version 3 initializers were listed as inputs too.
    if (scope.values.count(input.name))
      continue;
    if (llvm::any_of(inputs, [&](const ValueInfo *other) { return other->name == input.name; }))
      return fail("input '" + input.name + "' is defined twice");
    inputs.push_back(&input);
  }
  return success();
}

LogicalResult Importer::importNode(const Node &node, Scope &scope) {
  auto name = llvm::find_if(node.outputs, [](const std::string &output) { return !output.empty(); });
  if (name == node.outputs.end())
    return failNode(node, "has no output");
  emit.setLoc(NameLoc::get(builder.getStringAttr(scope.prefix + *name)), node.place());
  if (auto found = model.functions.find({node.domain, node.op}); found != model.functions.end())
    return callFunction(node, found->second, scope);
  std::optional<int64_t> version = versionOf(scope.opsets, node.domain);
  const OpEntry *entry = version ? Registry::get().find(node.domain, node.op, *version) : nullptr;
  if (!entry)
    return failNode(node, "can't be imported");
  return runHandler(node, *entry, *version, scope);
}

LogicalResult Importer::gatherInputs(const Node &node, Scope &scope, SmallVectorImpl<Val *> &values) {
  for (const std::string &input : node.inputs) {
    auto found = scope.values.find(input);
    if (!input.empty() && found == scope.values.end())
      return failNode(node, "reads '" + input +
                                "', which is no input, no initializer and no result of an earlier node; nodes must be "
                                "sorted and must not form a cycle");
    values.push_back(input.empty() ? nullptr : &found->second);
  }
  return success();
}

LogicalResult Importer::runHandler(const Node &node, const OpEntry &entry, int64_t opset, Scope &scope) {
  SmallVector<Val *> values;
  if (failed(gatherInputs(node, scope, values)))
    return failure();
  for (int i = 0; i < entry.minInputs; ++i)
    if (i >= static_cast<int>(values.size()) || !values[i])
      return failNode(node, "input " + Twine(i) + " is missing");
  if (static_cast<int>(values.size()) > entry.maxInputs)
    return failNode(node, "has " + Twine(values.size()) + " inputs, at most " + Twine(entry.maxInputs) + " are known");
  SmallVector<StringRef> known;
  StringRef(entry.attributes).split(known, ' ', -1, /*KeepEmpty=*/false);
  for (const auto &[name, attribute] : node.attributes)
    if (!llvm::is_contained(known, name))
      return failNode(node, "attribute '" + name + "' is not supported; known are: " + entry.attributes);
  auto reportNode = [&](const Twine &what) { (void)fail(what); };
  bool constant = !values.empty() && llvm::all_of(values, [](Val *value) { return !value || isSmallConstant(*value); });
  NodeContext context(emit, node, opset, std::move(values), reportNode);
  if (failed(entry.handler(context)))
    return failure();
  if (context.mistyped())
    return context.fail("");
  if (math.overflowed())
    return failNode(node, "an extent does not fit in 64 bits; the shapes in the file are damaged");
  for (unsigned i = 0; i < context.numOutputs(); ++i) {
    if (!context.wants(i))
      continue;
    if (!context.output(i))
      return failNode(node, "output " + Twine(i) + " ('" + node.outputs[i] + "') is not supported");
    std::optional<Val> folded = constant ? foldToConstant(emit, *context.output(i)) : std::nullopt;
    if (failed(define(node, i, folded ? *folded : *context.output(i), scope)))
      return failure();
  }
  return success();
}

LogicalResult Importer::checkResult(const Node &node, const Val &value) {
  int64_t count = 1;
  for (OpFoldResult dim : value.dims) {
    int64_t number = DimMath::number(dim).value_or(1);
    if (number < 0 || (number > 0 && count > kMaxElements / number))
      return failNode(node, "its result has a negative extent or more elements than can be meant");
    count *= number;
  }
  return success();
}

LogicalResult Importer::define(const Node &node, unsigned output, Val value, Scope &scope) {
  if (failed(checkResult(node, value)))
    return failure();
  if (!scope.values.try_emplace(node.outputs[output], std::move(value)).second)
    return failNode(node, "output '" + node.outputs[output] + "' is defined twice");
  return success();
}

LogicalResult Importer::callFunction(const Node &node, const Function &function, Scope &scope) {
  if (scope.depth >= kMaxCallDepth)
    return failNode(node, "functions call each other more than " + Twine(kMaxCallDepth) + " deep, or without end");
  SmallVector<Val *> values;
  if (failed(gatherInputs(node, scope, values)))
    return failure();
  if (values.size() > function.inputs.size() || node.outputs.size() > function.outputs.size())
    return failNode(node, "is called with more inputs or outputs than function '" + function.name + "' has");
  Scope inner{function.opsets, scope.prefix + node.name + "/", {}, scope.depth + 1};
  for (auto [value, name] : llvm::zip(values, function.inputs))
    if (value)
      inner.values[name] = *value;
  for (Node body : function.nodes) {
    // An absent optional input of the function is an absent input of the nodes that read it.
    for (std::string &input : body.inputs)
      if (llvm::is_contained(function.inputs, input) && !inner.values.count(input))
        input.clear();
    for (auto it = body.attributes.begin(); it != body.attributes.end();) {
      auto current = it++;
      if (current->second.kind != NodeAttribute::Kind::Reference)
        continue;
      auto given = node.attributes.find(current->second.s), standard = function.defaults.find(current->second.s);
      if (given != node.attributes.end())
        current->second = given->second;
      else if (standard != function.defaults.end())
        current->second = standard->second;
      else
        body.attributes.erase(current);
    }
    if (failed(importNode(body, inner)))
      return failure();
  }
  for (auto [i, name] : llvm::enumerate(node.outputs)) {
    auto found = inner.values.find(function.outputs[i]);
    if (name.empty())
      continue;
    if (found == inner.values.end())
      return failNode(node,
                      "function '" + function.name + "' does not compute its output '" + function.outputs[i] + "'");
    if (failed(define(node, i, found->second, scope)))
      return failure();
  }
  return success();
}

} // namespace mlir::qtensor::onnx
