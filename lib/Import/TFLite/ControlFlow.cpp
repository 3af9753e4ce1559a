// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// IF and WHILE: subgraphs become the regions of scf.if and scf.while, each imported where its operator stands.
#include "lib/Import/TFLite/Importer.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::tflite;

/// Subgraphs that an operator runs, by the names of the options that hold their numbers.
static SmallVector<StringRef> subgraphOptions(int32_t code) {
  std::string name = operatorName(code);
  if (name == "IF")
    return {"then_subgraph", "else_subgraph"};
  if (name == "WHILE")
    return {"cond_subgraph", "body_subgraph"};
  return {};
}

bool Importer::isControlFlow(const Operator &op) { return !subgraphOptions(op.code).empty(); }

/// The subgraph that an option names; null where the file lacks it. No operator runs the entry.
const Graph *Importer::subgraph(const Operator &op, StringRef name) const {
  auto found = op.options.numbers.find(name.str());
  double number = found == op.options.numbers.end() ? 0 : found->second;
  return number >= 1 && number < double(model.graphs.size()) ? &model.graphs[size_t(number)] : nullptr;
}

/// This graph and all that its operators run.
std::set<const Graph *> Importer::reachableGraphs() const {
  std::set<const Graph *> found{&graph};
  SmallVector<const Graph *> left{&graph};
  while (!left.empty())
    for (const Operator &op : left.pop_back_val()->operators)
      for (StringRef name : subgraphOptions(op.code))
        if (const Graph *inner = subgraph(op, name); inner && found.insert(inner).second)
          left.push_back(inner);
  return found;
}

/// Copies what a value is, so that another region may use it: a constant is made there anew.
static graph::Val shared(graph::Emit &emit, const graph::Val &value) {
  if (!value.constant && !value.ints)
    (void)emit.tensor(value);
  graph::Val out = value;
  if (out.constant || out.ints)
    out.tensor = nullptr;
  return out;
}

/// Whether codes of one tensor are those of the other.
static bool sameMeaning(const Tensor &a, const Tensor &b) {
  return a.type == b.type && a.shape == b.shape && a.quantization.scale == b.quantization.scale &&
         a.quantization.zero == b.quantization.zero && !a.quantization.isBlockwise() && !b.quantization.isBlockwise();
}

/// Whether a subgraph takes what its operator is given: tensors of the same type, shape and scale.
static LogicalResult checkInputs(const Node &node, const Graph &outer, const Graph *inner, ArrayRef<int32_t> inputs) {
  if (!inner)
    return node.fail("names a subgraph that the file does not have; write the model anew");
  if (inner->inputs.size() != inputs.size())
    return node.fail("has " + Twine(inputs.size()) + " inputs and its subgraph '" + inner->name + "' " +
                     Twine(inner->inputs.size()) + "; write the model anew");
  for (auto [here, there] : llvm::zip_equal(inputs, inner->inputs))
    if (there < 0 || inner->tensors[there].hasData || !sameMeaning(outer.tensors[here], inner->tensors[there]))
      return node.fail("an input of its subgraph '" + inner->name +
                       "' is a constant, or has another type, shape or scale than "
                       "what it is given; write the model anew");
  return success();
}

static LogicalResult checkBranch(const Node &node, const Graph &outer, const Graph *inner, ArrayRef<int32_t> inputs,
                                 ArrayRef<int32_t> outputs) {
  if (failed(checkInputs(node, outer, inner, inputs)))
    return failure();
  if (inner->outputs.size() != outputs.size())
    return node.fail("has " + Twine(outputs.size()) + " outputs and its subgraph '" + inner->name + "' " +
                     Twine(inner->outputs.size()) + "; write the model anew");
  for (auto [here, there] : llvm::zip_equal(outputs, inner->outputs))
    if (!sameMeaning(outer.tensors[here], inner->tensors[there]))
      return node.fail("an output of its subgraph '" + inner->name +
                       "' has another type, shape or scale than its own; write the "
                       "model anew");
  return success();
}

/// What a subgraph computes of the given values, at the insertion point of `at`.
FailureOr<SmallVector<Value>> Importer::importBranch(OpBuilder &at, const Graph &inner, ArrayRef<graph::Val> inputs,
                                                     ArrayRef<int32_t> outputs) {
  // More than any file has, and as many as the memory holds of a file whose subgraphs run each other.
  constexpr unsigned kDepth = 16;
  constexpr size_t kOperators = 1 << 16;
  size_t &imported = root->imported;
  imported += inner.operators.size() + 1;
  if (depth == kDepth || imported > kOperators)
    return fail("subgraphs run themselves, are nested more than 16 deep, or have more than 2^16 operators; write the "
                "model anew");
  Importer nested(*this, inner, at);
  if (failed(nested.makeConstants()))
    return failure();
  for (auto [tensor, value] : llvm::zip_equal(inner.inputs, inputs))
    nested.values[tensor] = value;
  for (unsigned i = 0; i < inner.operators.size(); ++i)
    if (failed(nested.importOperator(i)))
      return failure();
  SmallVector<Value> results;
  for (int32_t output : outputs) {
    const graph::Val &value = nested.values[output];
    const Tensor &tensor = inner.tensors[output];
    if (value.elem == graph::Elem::Undefined)
      return fail("output '" + tensor.name + "' of the subgraph '" + inner.name + "' is computed by no operator");
    if (DimMath::shape(value.dims) != ArrayRef(tensor.shape))
      return fail("output '" + tensor.name + "' of the subgraph '" + inner.name +
                  "' is computed in another shape than the file says");
    results.push_back(nested.emit.tensor(value));
  }
  return results;
}

LogicalResult Importer::importIf(const Operator &op, const Node &node) {
  const Graph *branches[] = {subgraph(op, "then_subgraph"), subgraph(op, "else_subgraph")};
  ArrayRef<int32_t> inputs = ArrayRef(op.inputs).drop_front();
  for (const Graph *branch : branches)
    if (failed(checkBranch(node, graph, branch, inputs, op.outputs)))
      return failure();
  const graph::Val &decision = values[op.inputs[0]];
  if (decision.elem != graph::Elem::Bool || DimMath::number(math.product(decision.dims)) != 1)
    return node.fail("its condition is not one truth value");
  Value condition = emit.element(decision);
  SmallVector<graph::Val> given;
  for (int32_t input : inputs)
    given.push_back(shared(emit, values[input]));
  SmallVector<Type> types;
  for (int32_t output : op.outputs)
    types.push_back(RankedTensorType::get(graph.tensors[output].shape, emit.type(elemOf(graph.tensors[output].type))));
  auto choice = scf::IfOp::create(builder, emit.loc, types, condition, /*addThenBlock=*/true, /*addElseBlock=*/true);
  for (auto [branch, region] : llvm::zip_equal(branches, choice->getRegions())) {
    OpBuilder at = OpBuilder::atBlockEnd(&region.front());
    FailureOr<SmallVector<Value>> results = importBranch(at, *branch, given, branch->outputs);
    if (failed(results))
      return failure();
    scf::YieldOp::create(at, emit.loc, *results);
  }
  setResults(op.outputs, choice.getResults());
  return success();
}

/// Results of an op with regions, in the types that the file gives its tensors.
void Importer::setResults(ArrayRef<int32_t> tensors, ValueRange results) {
  for (auto [tensor, result] : llvm::zip_equal(tensors, results)) {
    graph::Dims dims;
    for (int64_t extent : graph.tensors[tensor].shape)
      dims.push_back(math.constant(extent));
    values[tensor] = emit.wrap(result, elemOf(graph.tensors[tensor].type), dims);
  }
}

/// The loop carries what its body changes; what the body passes on is used where it is, so that constants stay
/// constants.
LogicalResult Importer::importWhile(const Operator &op, const Node &node) {
  const Graph *condition = subgraph(op, "cond_subgraph"), *body = subgraph(op, "body_subgraph");
  ArrayRef<int32_t> inputs = op.inputs;
  if (failed(checkBranch(node, graph, body, inputs, op.outputs)))
    return failure();
  if (condition && condition->outputs.size() != 1)
    return node.fail("the subgraph of its condition has " + Twine(condition->outputs.size()) +
                     " outputs; it has one truth value");
  if (failed(checkInputs(node, graph, condition, inputs)))
    return failure();
  SmallVector<graph::Val> given;
  SmallVector<unsigned> carried;
  SmallVector<int32_t> changed, results;
  SmallVector<Value> first;
  for (auto [i, input] : llvm::enumerate(inputs)) {
    given.push_back(shared(emit, values[input]));
    if (!sameMeaning(graph.tensors[input], graph.tensors[op.outputs[i]]))
      return node.fail(
          "an output has another type, shape or scale than the input that it replaces; write the model anew");
    if (body->outputs[i] == body->inputs[i])
      continue;
    carried.push_back(i);
    changed.push_back(body->outputs[i]);
    results.push_back(op.outputs[i]);
    first.push_back(emit.tensor(values[input]));
  }
  auto loop = scf::WhileOp::create(builder, emit.loc, TypeRange(ValueRange(first)), first);
  SmallVector<Location> places(first.size(), emit.loc);
  auto enter = [&](Region &region) {
    Block *block = builder.createBlock(&region, {}, TypeRange(ValueRange(first)), places);
    for (auto [i, argument] : llvm::zip_equal(carried, block->getArguments()))
      given[i] = emit.wrap(argument, given[i].elem, given[i].dims);
    return OpBuilder::atBlockEnd(block);
  };
  OpBuilder::InsertionGuard guard(builder);
  OpBuilder at = enter(loop.getBefore());
  FailureOr<SmallVector<Value>> decided = importBranch(at, *condition, given, condition->outputs);
  if (failed(decided))
    return failure();
  const Tensor &decision = condition->tensors[condition->outputs[0]];
  if (decision.type != ElemType::Bool || cast<RankedTensorType>((*decided)[0].getType()).getNumElements() != 1)
    return node.fail("its condition is not one truth value");
  SmallVector<Value> zeros(decision.shape.size(), arith::ConstantIndexOp::create(at, emit.loc, 0));
  Value goesOn = tensor::ExtractOp::create(at, emit.loc, (*decided)[0], zeros);
  scf::ConditionOp::create(at, emit.loc, goesOn, loop.getBefore().getArguments());
  at = enter(loop.getAfter());
  FailureOr<SmallVector<Value>> next = importBranch(at, *body, given, changed);
  if (failed(next))
    return failure();
  scf::YieldOp::create(at, emit.loc, *next);
  for (auto [i, output] : llvm::enumerate(op.outputs))
    values[output] = values[inputs[i]];
  setResults(results, loop.getResults());
  return success();
}

LogicalResult Importer::importControlFlow(const Operator &op, const Node &node) {
  bool isLoop = op.code == operatorCode("WHILE");
  if (op.inputs.empty() || op.outputs.empty())
    return node.fail("has no inputs or no outputs");
  for (int32_t input : op.inputs)
    if (input < 0 || values[input].elem == graph::Elem::Undefined)
      return node.fail("an input is absent, not computed before it, or of a type that is not supported");
  return isLoop ? importWhile(op, node) : importIf(op, node);
}
