// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// linalg: every structured op through its payload region, the few others directly. Elementwise arith and math ops are
// the simplest loop nest.
#include "lib/Reference/Evaluation.h"
#include "lib/Reference/LoopNest.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor::reference;

/// The extent of every loop: that of an operand dimension which is indexed by the loop alone.
static FailureOr<SmallVector<int64_t>> computeExtents(linalg::LinalgOp op, ArrayRef<const Tensor *> operands) {
  SmallVector<int64_t> extents(op.getNumLoops(), -1);
  for (auto [map, tensor] : llvm::zip_equal(op.getIndexingMapsArray(), operands))
    for (auto [expr, extent] : llvm::zip_equal(map.getResults(), tensor->getShape()))
      if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
        int64_t &known = extents[dim.getPosition()];
        if (known >= 0 && known != extent)
          return op->emitOpError("reference: loop ")
                 << dim.getPosition() << " has extent " << known << " in one operand and " << extent << " in another";
        known = extent;
      }
  for (auto [loop, extent] : llvm::enumerate(extents))
    if (extent < 0)
      return op->emitOpError("reference: the extent of loop ") << loop << " follows from no operand";
  return extents;
}

/// Interprets the payload at every point: for payloads with ops that have no scalar instruction (calls, control flow).
static LogicalResult runPointwise(linalg::LinalgOp op, LoopNest &nest, Evaluation &evaluation) {
  if (llvm::is_contained(nest.extents, 0))
    return success();
  SmallVector<int64_t> point(nest.extents.size(), 0);
  auto advance = [&] {
    for (int64_t loop = int64_t(point.size()) - 1; loop >= 0; --loop) {
      if (++point[loop] < nest.extents[loop])
        return true;
      point[loop] = 0;
    }
    return false;
  };
  Block &block = *op.getBlock();
  do {
    SmallVector<Tensor> arguments;
    SmallVector<int64_t> positions;
    for (auto [index, access] : llvm::enumerate(nest.accesses)) {
      const Tensor &tensor =
          index < nest.inputs.size() ? nest.inputs[index] : *nest.outputs[index - nest.inputs.size()];
      std::optional<int64_t> position = access.getPosition(point);
      if (!position)
        return op->emitOpError("reference: an indexing map leaves its operand");
      positions.push_back(*position);
      arguments.push_back(Tensor::integer(tensor.getFormat(), int64_t(tensor.getBits(*position))));
    }
    arguments.resize(block.getNumArguments());
    op->walk([&](linalg::IndexOp index) {
      std::optional<NumericFormat> format = NumericFormat::get(index.getType());
      evaluation.set(index.getResult(), Tensor::integer(*format, point[index.getDim()]));
    });
    FailureOr<SmallVector<Tensor>> yielded = evaluation.evaluateBlock(block, arguments);
    if (failed(yielded))
      return failure();
    for (auto [index, output] : llvm::enumerate(nest.outputs))
      output->setBits(positions[nest.inputs.size() + index], (*yielded)[index].getBits(0));
  } while (advance());
  return success();
}

LogicalResult mlir::qtensor::reference::evaluateStructured(Operation *op, Evaluation &evaluation) {
  auto structured = cast<linalg::LinalgOp>(op);
  if (!structured.hasPureTensorSemantics())
    return op->emitOpError("the reference evaluates structured ops on tensors only");
  LoopNest nest;
  SmallVector<Tensor> outputs;
  for (OpOperand *input : structured.getDpsInputOperands())
    nest.inputs.push_back(evaluation.get(input->get()));
  for (OpOperand &init : structured.getDpsInitsMutable())
    outputs.push_back(evaluation.take(init));
  for (Tensor &output : outputs)
    nest.outputs.push_back(&output);
  SmallVector<const Tensor *> operands = llvm::map_to_vector(nest.inputs, [](const Tensor &input) { return &input; });
  operands.append(nest.outputs.begin(), nest.outputs.end());
  FailureOr<SmallVector<int64_t>> extents = computeExtents(structured, operands);
  if (failed(extents))
    return failure();
  nest.extents = std::move(*extents);
  std::string reason;
  for (auto [map, tensor] : llvm::zip_equal(structured.getIndexingMapsArray(), operands)) {
    FailureOr<Access> access = Access::get(*tensor, map, nest.extents, reason);
    if (failed(access))
      return op->emitOpError("reference: ") << reason;
    nest.accesses.push_back(std::move(*access));
  }
  FailureOr<Program> program =
      compileBlock(*structured.getBlock(), [&](Value value) { return evaluation.lookup(value); });
  if (failed(program)) {
    if (failed(runPointwise(structured, nest, evaluation)))
      return failure();
  } else if (failed(nest.run(*program, reason))) {
    return op->emitOpError("reference: ") << reason;
  }
  for (auto [result, output] : llvm::zip_equal(op->getResults(), outputs))
    evaluation.set(result, std::move(output));
  return success();
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

bool mlir::qtensor::reference::isElementwise(Operation *op) {
  Instruction instruction;
  std::optional<NumericFormat> index = NumericFormat::get(IndexType::get(op->getContext()));
  instruction.from = instruction.to = *index;
  return op->getNumOperands() > 0 && op->getNumRegions() == 0 &&
         (selectArith(op, instruction) || selectMath(op, instruction));
}

LogicalResult mlir::qtensor::reference::evaluateElementwise(Operation *op, Evaluation &evaluation) {
  FailureOr<Program> program = compileOp(op);
  if (failed(program))
    return op->emitOpError("reference: an operand or result type is not supported");
  LoopNest nest;
  for (Value operand : op->getOperands()) {
    nest.inputs.push_back(evaluation.get(operand));
    if (nest.inputs.back().getRank() > 0)
      nest.extents.assign(nest.inputs.back().getShape().begin(), nest.inputs.back().getShape().end());
  }
  SmallVector<Tensor> outputs;
  for (Value result : op->getResults()) {
    FailureOr<Tensor> output = evaluation.allocate(op, getElementTypeOrSelf(result.getType()), nest.extents);
    if (failed(output))
      return failure();
    outputs.push_back(std::move(*output));
  }
  for (Tensor &output : outputs)
    nest.outputs.push_back(&output);
  unsigned rank = nest.extents.size();
  std::string reason;
  auto addAccess = [&](const Tensor &tensor) -> LogicalResult {
    if (tensor.getRank() != 0 && tensor.getShape() != ArrayRef<int64_t>(nest.extents))
      return op->emitOpError("reference: elementwise operands have shapes [")
             << tensor.getShape() << "] and [" << ArrayRef<int64_t>(nest.extents) << "]";
    AffineMap map = tensor.getRank() == 0 ? AffineMap::get(rank, 0, op->getContext())
                                          : AffineMap::getMultiDimIdentityMap(rank, op->getContext());
    FailureOr<Access> access = Access::get(tensor, map, nest.extents, reason);
    nest.accesses.push_back(std::move(*access));
    return success();
  };
  for (const Tensor &input : nest.inputs)
    if (failed(addAccess(input)))
      return failure();
  for (Tensor *output : nest.outputs)
    if (failed(addAccess(*output)))
      return failure();
  if (failed(nest.run(*program, reason)))
    return op->emitOpError("reference: ") << reason;
  for (auto [result, output] : llvm::zip_equal(op->getResults(), outputs))
    evaluation.set(result, std::move(output));
  return success();
}

//===----------------------------------------------------------------------===//
// Linalg ops without a payload
//===----------------------------------------------------------------------===//

/// linalg.softmax: exp(x - max) / sum along one dimension, each step rounded to the element type.
static LogicalResult evaluateSoftmax(linalg::SoftmaxOp op, Evaluation &evaluation) {
  const Tensor &input = evaluation.get(op.getInput());
  Tensor output = evaluation.get(op.getOutput());
  const NumericFormat &format = input.getFormat();
  int64_t dim = op.getDimension();
  if (!format.isFloat() || dim >= input.getRank() || input.getShape() != output.getShape())
    return op.emitOpError("reference: softmax needs a float input of its output's shape");
  int64_t extent = input.getShape()[dim], stride = input.getStrides()[dim];
  for (int64_t start = 0, count = input.getNumElements(); start < count; ++start) {
    if ((start / stride) % extent != 0)
      continue;
    double largest = -HUGE_VAL, sum = 0;
    for (int64_t k = 0; k < extent; ++k)
      largest = std::max(largest, input.getReal(start + k * stride));
    for (int64_t k = 0; k < extent; ++k) {
      double power = format.round(std::exp(format.round(input.getReal(start + k * stride) - largest)));
      output.setReal(start + k * stride, power);
      sum = format.round(sum + power);
    }
    for (int64_t k = 0; k < extent; ++k)
      output.setReal(start + k * stride, output.getReal(start + k * stride) / sum);
  }
  evaluation.set(op->getResult(0), std::move(output));
  return success();
}

/// linalg.index inside a payload that is interpreted point by point: the value was set by the loops.
static LogicalResult evaluateIndex(linalg::IndexOp op, Evaluation &evaluation) {
  return evaluation.lookup(op.getResult()) ? success() : op.emitOpError("reference: outside of a structured op");
}

void mlir::qtensor::reference::addLinalgRules(RuleTable &table) {
  addRule<linalg::SoftmaxOp, evaluateSoftmax>(table);
  addRule<linalg::IndexOp, evaluateIndex>(table);
}
