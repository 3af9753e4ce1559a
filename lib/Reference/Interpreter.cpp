// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/Interpreter.h"
#include "lib/Reference/EncodedRules.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;
using namespace mlir::qtensor::reference;

static const RuleTable &rules() {
  static const RuleTable table = [] {
    RuleTable table;
    addControlFlowRules(table);
    addTensorRules(table);
    addTensorSliceRules(table);
    addLinalgRules(table);
    addEncodedRules(table);
    addContractRules(table);
    return table;
  }();
  return table;
}

static Rule findRule(Operation *op) {
  auto row = rules().find(op->getName().getStringRef());
  if (row != rules().end())
    return row->second;
  if (isa<linalg::LinalgOp>(op))
    return evaluateStructured;
  return isElementwise(op) ? evaluateElementwise : nullptr;
}

bool mlir::qtensor::reference::isSupported(Operation *op) { return findRule(op) != nullptr; }

bool mlir::qtensor::reference::matches(const Tensor &tensor, Type type) {
  if (getElementTypeOrSelf(type) != tensor.getElementType())
    return false;
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped)
    return tensor.getRank() == 0;
  BlockAttr encoding = getBlockEncoding(type);
  if (encoding ? getComponentTypes(encoding, tensor.getShape()).size() != tensor.getComponents().size()
               : !tensor.getComponents().empty())
    return false;
  return !shaped.hasRank() || succeeded(verifyCompatibleShape(shaped.getShape(), tensor.getShape()));
}

//===----------------------------------------------------------------------===//
// Evaluation
//===----------------------------------------------------------------------===//

const Tensor *Evaluation::lookup(Value value) const {
  auto known = values.find(value);
  return known == values.end() ? nullptr : &known->second;
}

SmallVector<int64_t> Evaluation::getIndices(ValueRange range) const {
  return llvm::map_to_vector(range, [&](Value value) { return getIndex(value); });
}

SmallVector<int64_t> Evaluation::getIndices(ArrayRef<OpFoldResult> range) const {
  return llvm::map_to_vector(range, [&](OpFoldResult value) {
    if (auto attribute = dyn_cast<Attribute>(value))
      return cast<IntegerAttr>(attribute).getInt();
    return getIndex(cast<Value>(value));
  });
}

Tensor Evaluation::take(OpOperand &operand) {
  Value value = operand.get();
  if (!value.hasOneUse() || value.getParentBlock() != operand.getOwner()->getBlock())
    return get(value);
  Tensor tensor = std::move(values[value]);
  values.erase(value);
  return tensor;
}

FailureOr<Tensor> Evaluation::allocate(Operation *op, Type elementType, ArrayRef<int64_t> shape) {
  FailureOr<Tensor> tensor = Tensor::zeros(elementType, shape, options.maxElements);
  if (failed(tensor))
    op->emitOpError("reference: a result of shape [")
        << shape << "] and element type " << elementType << " is negative, too large, or of an unsupported type";
  return tensor;
}

LogicalResult Evaluation::checkResults(Operation *op) {
  for (OpResult result : op->getResults()) {
    const Tensor *value = lookup(result);
    if (!value)
      return op->emitOpError("reference: result ") << result.getResultNumber() << " was not computed";
    if (!matches(*value, result.getType()))
      return op->emitOpError("reference: result ")
             << result.getResultNumber() << " has shape [" << value->getShape() << "] of " << value->getElementType()
             << (value->getComponents().empty() ? "" : " with components") << ", which its type " << result.getType()
             << " does not allow";
  }
  return success();
}

LogicalResult Evaluation::evaluateOp(Operation *op) {
  Rule rule = findRule(op);
  if (!rule)
    return op->emitOpError("the reference has no rule for this op");
  if (++operations > options.maxOperations)
    return op->emitOpError("reference: stopped after ") << options.maxOperations << " operations";
  if (failed(rule(op, *this)) || failed(checkResults(op)))
    return failure();
  if (options.observer) {
    SmallVector<Tensor> results = llvm::map_to_vector(op->getResults(), [&](Value value) { return get(value); });
    options.observer(op, results);
  }
  return success();
}

LogicalResult Evaluation::evaluateBody(Block &block, ArrayRef<Tensor> arguments) {
  for (auto [argument, value] : llvm::zip_equal(block.getArguments(), arguments))
    set(argument, value);
  for (Operation &op : block.without_terminator())
    if (failed(evaluateOp(&op)))
      return failure();
  return success();
}

FailureOr<SmallVector<Tensor>> Evaluation::evaluateBlock(Block &block, ArrayRef<Tensor> arguments) {
  if (failed(evaluateBody(block, arguments)))
    return failure();
  SmallVector<Tensor> results;
  for (OpOperand &operand : block.getTerminator()->getOpOperands())
    results.push_back(take(operand));
  return results;
}

FailureOr<SmallVector<Tensor>> Evaluation::call(Operation *caller, func::FuncOp callee, ArrayRef<Tensor> arguments) {
  if (!callee.getBody().hasOneBlock())
    return caller->emitOpError("reference: the function '") << callee.getName() << "' must have one block";
  if (depth >= options.maxCallDepth)
    return caller->emitOpError("reference: calls are nested deeper than ") << options.maxCallDepth;
  FunctionType type = callee.getFunctionType();
  if (type.getNumInputs() != arguments.size())
    return caller->emitOpError("reference: '") << callee.getName() << "' takes " << type.getNumInputs()
                                               << " arguments, " << arguments.size() << " are given";
  for (auto [index, argument, input] : llvm::enumerate(arguments, type.getInputs()))
    if (!matches(argument, input))
      return caller->emitOpError("reference: argument ")
             << index << " of '" << callee.getName() << "' has shape [" << argument.getShape() << "] of "
             << argument.getElementType() << ", expected " << input;
  Evaluation activation(options, operations, depth + 1);
  return activation.evaluateBlock(callee.getBody().front(), arguments);
}

//===----------------------------------------------------------------------===//
// Entry points
//===----------------------------------------------------------------------===//

FailureOr<SmallVector<Tensor>> mlir::qtensor::reference::evaluate(func::FuncOp function, ArrayRef<Tensor> arguments,
                                                                  const EvaluateOptions &options) {
  int64_t operations = 0;
  return Evaluation(options, operations).call(function, function, arguments);
}

SmallVector<Value> mlir::qtensor::reference::getReadValues(Operation *op) {
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  SmallVector<Value> values(op->getOperands());
  values.append(captured.begin(), captured.end());
  return values;
}

FailureOr<SmallVector<Tensor>> mlir::qtensor::reference::evaluateOp(Operation *op, ArrayRef<Tensor> values,
                                                                    const EvaluateOptions &options) {
  int64_t operations = 0;
  Evaluation evaluation(options, operations);
  for (auto [value, tensor] : llvm::zip_equal(getReadValues(op), values))
    evaluation.set(value, tensor);
  if (failed(evaluation.evaluateOp(op)))
    return failure();
  SmallVector<Tensor> results;
  for (Value result : op->getResults())
    results.push_back(evaluation.get(result));
  return results;
}
