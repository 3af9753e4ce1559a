// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a model keeps from call to call: tensors marked as variables, and variables behind handles. Both are states of the
// function, which start as zeros: what is stored of a variable that starts as something else is the bits in which it differs.
#include "lib/Import/Graph/Function.h"
#include "lib/Import/TFLite/Importer.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::tflite;

static std::string handleName(const Operator &op) {
  auto part = [&](const char *field) {
    auto found = op.options.strings.find(field);
    return found == op.options.strings.end() ? std::string() : found->second;
  };
  std::string container = part("container");
  return (container.empty() ? "" : container + "/") + part("shared_name");
}

static bool is(const Operator &op, StringRef name) { return op.code == operatorCode(name); }

/// The code of zero: a state starts as zeros, which stand for real zeros.
static int64_t zeroOf(const Tensor &tensor) {
  return tensor.quantization.scale.size() == 1 ? tensor.quantization.zero[0] : 0;
}

/// x + shift for integers, modulo their range: so every code is some state.
static graph::Val shiftCodes(graph::Emit &emit, const graph::Val &x, int64_t shift) {
  if (shift == 0)
    return x;
  return emit.map(x, x.elem, [&](graph::Scalar &s, ValueRange in) { return s.add(in[0], s.like(in[0], double(shift))); });
}

/// The bits in which x and the constant that a variable starts as differ; of these, x again.
static graph::Val differFrom(graph::Emit &emit, const graph::Val &x, const graph::Val &start) {
  Type bits = emit.b.getIntegerType(emit.type(x.elem).getIntOrFloatBitWidth());
  return emit.map({x, start}, x.elem, [&](graph::Scalar &s, ValueRange in) -> Value {
    if (!graph::isFloat(x.elem))
      return s.make<arith::XOrIOp>(in[0], in[1]);
    Value mixed = s.make<arith::XOrIOp>(s.make<arith::BitcastOp>(bits, in[0]), s.make<arith::BitcastOp>(bits, in[1]));
    return s.make<arith::BitcastOp>(emit.type(x.elem), mixed);
  });
}

static bool sameStorage(const Tensor &a, const Tensor &b) {
  return a.type == b.type && a.shape == b.shape && a.quantization.scale == b.quantization.scale &&
         a.quantization.zero == b.quantization.zero;
}

const Importer::Variable *Importer::findHandle(int32_t tensor) const {
  auto handle = handles.find(tensor);
  if (handle == handles.end())
    return nullptr;
  auto found = llvm::find_if(variables, [&](const Variable &variable) {
    return handles.count(variable.slot) && variable.name == handle->second;
  });
  return found == variables.end() ? nullptr : &*found;
}

/// Variables behind handles. What is read from or written to one has its type.
LogicalResult Importer::addHandles() {
  for (const Operator &op : graph.operators)
    if (is(op, "VAR_HANDLE") && op.outputs.size() == 1)
      handles[op.outputs[0]] = handleName(op);
  for (const Operator &op : graph.operators) {
    bool reads = is(op, "READ_VARIABLE"), assigns = is(op, "ASSIGN_VARIABLE");
    if (!reads && !assigns)
      continue;
    if (op.inputs.size() != (reads ? 1 : 2) || op.outputs.size() != (reads ? 1 : 0) || op.inputs.back() < 0 ||
        !handles.count(op.inputs[0]))
      return fail(operatorName(op.code) +
                  " has no handle that VAR_HANDLE makes, or other inputs and outputs than it needs; write the model anew");
    int32_t described = reads ? op.outputs[0] : op.inputs[1];
    const Variable *known = findHandle(op.inputs[0]);
    if (!known && elemOf(graph.tensors[described].type) == graph::Elem::Undefined)
      return fail("the variable '" + handles[op.inputs[0]] + "' is of type " + typeName(graph.tensors[described].type));
    if (known && !sameStorage(graph.tensors[known->described], graph.tensors[described]))
      return fail("the variable '" + known->name + "' has several types, shapes or scales; write the model anew");
    if (!known)
      variables.push_back({op.inputs[0], described, handles[op.inputs[0]], ""});
  }
  return success();
}

/// What a subgraph that runs once may do: assign constants.
LogicalResult Importer::readStart(const Operator &once) {
  auto index = once.options.numbers.find("init_subgraph");
  double number = index == once.options.numbers.end() ? 0 : index->second;
  if (!(number >= 1) || !(number < double(model.graphs.size())))
    return fail("CALL_ONCE names a subgraph that the file does not have");
  const Graph &start = model.graphs[size_t(number)];
  std::map<int32_t, std::string> names;
  for (const Operator &op : start.operators) {
    if (is(op, "VAR_HANDLE") && op.outputs.size() == 1) {
      names[op.outputs[0]] = handleName(op);
      continue;
    }
    if (!is(op, "ASSIGN_VARIABLE") || op.inputs.size() != 2 || op.inputs[1] < 0)
      return fail("the subgraph that CALL_ONCE runs has " + operatorName(op.code) +
                  "; it may only assign constants to variables");
    const Tensor &value = start.tensors[op.inputs[1]];
    if (!value.hasData || !names.count(op.inputs[0]))
      return fail("a variable starts as '" + value.name + "', which is no constant, or has no handle that VAR_HANDLE makes");
    starts[names[op.inputs[0]]] = &value;
  }
  return success();
}

/// Callers know states by their names, so each gets one: "state" where the file has none, with a number where it is taken.
void Importer::nameStates() {
  llvm::StringSet<> taken;
  for (Variable &variable : variables) {
    std::string base = variable.name.empty() ? "state" : variable.name;
    variable.state = base;
    for (unsigned number = 1; !taken.insert(variable.state).second; ++number)
      variable.state = base + "_" + std::to_string(number);
  }
}

LogicalResult Importer::findVariables() {
  for (const Operator &op : graph.operators) {
    if (is(op, "CALL_ONCE") && failed(readStart(op)))
      return failure();
    for (int32_t input : op.inputs) {
      if (input < 0 || !graph.tensors[input].isVariable ||
          llvm::any_of(variables, [&](const Variable &known) { return known.slot == input; }))
        continue;
      const Tensor &tensor = graph.tensors[input];
      if (tensor.hasData || elemOf(tensor.type) == graph::Elem::Undefined || llvm::is_contained(graph.inputs, input))
        return fail("the variable '" + tensor.name + "' is a constant, an input or of type " + typeName(tensor.type) +
                    "; it must be plain numbers that start at zero");
      variables.push_back({input, input, tensor.name, ""});
    }
  }
  if (failed(addHandles()))
    return failure();
  nameStates();
  for (Variable &variable : variables) {
    auto start = handles.count(variable.slot) ? starts.find(variable.name) : starts.end();
    if (start == starts.end())
      continue;
    const Tensor &described = graph.tensors[variable.described];
    if (!sameStorage(*start->second, described))
      return fail("the variable '" + variable.name + "' starts as a tensor of another type, shape or scale; write the model anew");
    unsigned bytes = bitWidth(described.type) / 8;
    bool zero = bytes <= 8 && llvm::all_of(llvm::enumerate(start->second->data), [&](auto entry) {
      return uint8_t(entry.value()) == uint8_t(zeroOf(described) >> (8 * (entry.index() % std::max(bytes, 1u))));
    });
    variable.start = zero ? nullptr : start->second;
  }
  return success();
}

/// Attributes of a state, which the function takes and returns.
DictionaryAttr Importer::describeState(const Variable &variable) {
  const Tensor &tensor = graph.tensors[variable.described];
  NamedAttrList attributes(graph::borderAttrs(builder, variable.state, elemOf(tensor.type)));
  if (tensor.quantization.scale.size() == 1 && zeroOf(tensor) == 0 && !variable.start)
    attributes.set("qtensor.scale", builder.getF32FloatAttr(tensor.quantization.scale[0]));
  attributes.set("qtensor.state", builder.getStringAttr(variable.state));
  return attributes.getDictionary(builder.getContext());
}

graph::Val Importer::startOf(const Variable &variable) {
  auto data = std::make_shared<graph::TensorData>();
  data->name = variable.start->name;
  data->elem = elemOf(variable.start->type);
  data->dims.assign(variable.start->shape.begin(), variable.start->shape.end());
  data->bytes = variable.start->data;
  data->owner = model.owner;
  return emit.constant(std::move(data));
}

graph::Val Importer::fromState(const Variable &variable, const graph::Val &state) {
  if (variable.start)
    return differFrom(emit, state, startOf(variable));
  return shiftCodes(emit, state, zeroOf(graph.tensors[variable.described]));
}

graph::Val Importer::toState(const Variable &variable, const graph::Val &value) {
  if (variable.start)
    return differFrom(emit, value, startOf(variable));
  return shiftCodes(emit, value, -zeroOf(graph.tensors[variable.described]));
}

void Importer::readVariables(unsigned firstArgument) {
  for (auto [i, variable] : llvm::enumerate(variables)) {
    const Tensor &tensor = graph.tensors[variable.described];
    graph::Dims dims;
    for (int64_t extent : tensor.shape)
      dims.push_back(math.constant(extent));
    BlockArgument argument = function.getArgument(firstArgument + i);
    argument.setLoc(NameLoc::get(builder.getStringAttr(variable.state)));
    emit.setLoc(argument.getLoc());
    function.setArgAttrs(firstArgument + i, describeState(variable));
    values[variable.slot] = fromState(variable, emit.wrap(argument, elemOf(tensor.type), dims));
  }
}

void Importer::returnVariables(SmallVectorImpl<Value> &results, SmallVectorImpl<DictionaryAttr> &attributes) {
  for (const Variable &variable : variables) {
    emit.setLoc(NameLoc::get(builder.getStringAttr(variable.state)));
    results.push_back(emit.tensor(toState(variable, values[variable.slot])));
    attributes.push_back(describeState(variable));
  }
}

LogicalResult Importer::importVariable(const Operator &op, const Node &node) {
  if (depth > 0)
    return node.fail("uses a variable inside of a subgraph, which is not supported");
  bool reads = is(op, "READ_VARIABLE");
  if (!reads && !is(op, "ASSIGN_VARIABLE"))
    return success(); // Handles and starts were read before.
  const Variable *variable = findHandle(op.inputs[0]);
  if (reads) {
    values[op.outputs[0]] = values[variable->slot];
    return success();
  }
  const graph::Val &value = values[op.inputs[1]];
  if (value.elem == graph::Elem::Undefined)
    return node.fail("input 1 is not computed before it");
  values[variable->slot] = value;
  return success();
}
