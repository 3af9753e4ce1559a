// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The border of the imported function: arguments with their extents, results with their names.
#include "lib/Import/Graph/Function.h"
#include "lib/Import/ONNX/Importer.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor::onnx {
namespace {
/// The names of the extents that the model leaves open ("" without one), or null when it names none. The artifact holds
/// the caller to extents of one name being equal.
Attribute dimNames(OpBuilder &builder, const ValueInfo &input) {
  if (llvm::all_of(input.dims, [](const auto &dim) { return dim.param.empty(); }))
    return {};
  SmallVector<StringRef> names;
  for (const auto &dim : input.dims)
    names.push_back(dim.param);
  return builder.getStrArrayAttr(names);
}
} // namespace

SmallVector<int64_t> Importer::inputDims(const ValueInfo &input) {
  SmallVector<int64_t> shape;
  for (auto [axis, dim] : llvm::enumerate(input.dims)) {
    shape.push_back(dim.value);
    if (!ShapedType::isDynamic(dim.value))
      continue;
    auto chosen = options.dims.find(dim.param);
    if (chosen == options.dims.end() || dim.param.empty())
      chosen = options.dims.find(input.name + ":" + std::to_string(axis));
    if (chosen != options.dims.end())
      shape.back() = chosen->second;
  }
  return shape;
}

FailureOr<func::FuncOp> Importer::makeFunction(ModuleOp module, Scope &scope) {
  SmallVector<Type> types;
  for (const ValueInfo *input : inputs) {
    Type elem = elemType(input->elem, builder.getContext());
    if (!elem)
      return fail("input '" + input->name + "' has element type " + elemName(input->elem) + ", which is not supported");
    if (!input->hasShape)
      return fail("input '" + input->name + "' has no shape; its rank must be known: export it with one");
    types.push_back(RankedTensorType::get(inputDims(*input), elem));
  }
  builder.setInsertionPointToEnd(module.getBody());
  auto function = func::FuncOp::create(builder, emit.loc, "main", builder.getFunctionType(types, {}));
  Block *body = function.addEntryBlock();
  for (auto [i, input] : llvm::enumerate(inputs)) {
    NamedAttrList attributes(borderAttrs(builder, input->name, input->elem));
    if (Attribute dims = dimNames(builder, *input))
      attributes.append("qtensor.dims", dims);
    function.setArgAttrs(i, attributes);
    body->getArgument(i).setLoc(NameLoc::get(builder.getStringAttr(input->name)));
  }
  builder.setInsertionPointToEnd(body);
  return function;
}

LogicalResult Importer::bindInputs(func::FuncOp function, Scope &scope) {
  for (auto [input, argument] : llvm::zip(inputs, function.getArguments())) {
    auto type = cast<RankedTensorType>(argument.getType());
    Dims dims;
    for (auto [axis, dim] : llvm::enumerate(input->dims)) {
      int64_t known = type.getDimSize(axis);
      if (!ShapedType::isDynamic(known)) {
        dims.push_back(math.constant(known));
        continue;
      }
      OpFoldResult &named = namedDims[dim.param];
      OpFoldResult made = named;
      // Dimensions with the same name are one extent everywhere.
      if (dim.param.empty() || !made)
        made = tensor::DimOp::create(builder, argument.getLoc(), argument, axis).getResult();
      named = made;
      dims.push_back(made);
    }
    scope.values[input->name] = emit.wrap(argument, input->elem, dims);
  }
  return success();
}

/// The outputs of the graph, or those that the options name ("*": every output of a node).
std::vector<ValueInfo> Importer::chooseOutputs() {
  if (options.outputs.empty())
    return model.graph.outputs;
  std::vector<ValueInfo> chosen;
  auto choose = [&](const std::string &name) {
    chosen.emplace_back();
    chosen.back().name = name;
  };
  for (const std::string &name : options.outputs) {
    if (name != "*") {
      choose(name);
      continue;
    }
    for (const Node &node : model.graph.nodes)
      for (const std::string &output : node.outputs)
        if (!output.empty())
          choose(output);
  }
  return chosen;
}

LogicalResult Importer::makeReturn(func::FuncOp function, Scope &scope) {
  SmallVector<Value> results;
  SmallVector<Type> types;
  SmallVector<DictionaryAttr> attributes;
  std::vector<ValueInfo> outputs = chooseOutputs();
  for (const ValueInfo &output : outputs) {
    auto found = scope.values.find(output.name);
    if (found == scope.values.end())
      return fail("output '" + output.name + "' is computed by no node");
    const Val &value = found->second;
    if (output.elem != Elem::Undefined && output.elem != value.elem)
      return fail("output '" + output.name + "' is declared as " + elemName(output.elem) + " but computed as " +
                  elemName(value.elem));
    emit.setLoc(NameLoc::get(builder.getStringAttr(output.name)));
    results.push_back(emit.tensor(value));
    types.push_back(results.back().getType());
    attributes.push_back(borderAttrs(builder, output.name, value.elem));
  }
  function.setType(builder.getFunctionType(function.getArgumentTypes(), types));
  for (auto [i, dictionary] : llvm::enumerate(attributes))
    function.setResultAttrs(i, dictionary);
  func::ReturnOp::create(builder, function.getLoc(), results);
  return success();
}

} // namespace mlir::qtensor::onnx
