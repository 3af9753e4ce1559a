// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// func, scf, constants, assertions and affine index arithmetic.
#include "lib/Reference/Evaluation.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::qtensor::reference;

static NumericFormat indexFormat(Operation *op) { return *NumericFormat::get(IndexType::get(op->getContext())); }

static LogicalResult setResults(Operation *op, Evaluation &evaluation, FailureOr<SmallVector<Tensor>> results) {
  if (failed(results))
    return failure();
  for (auto [result, value] : llvm::zip_equal(op->getResults(), *results))
    evaluation.set(result, std::move(value));
  return success();
}

static SmallVector<Tensor> getAll(ValueRange values, Evaluation &evaluation) {
  return llvm::map_to_vector(values, [&](Value value) { return evaluation.get(value); });
}

static LogicalResult evaluateConstant(arith::ConstantOp op, Evaluation &evaluation) {
  FailureOr<Tensor> value = Tensor::fromAttribute(op.getValue(), [&] { return op.emitOpError("reference: "); });
  if (failed(value))
    return failure();
  evaluation.set(op.getResult(), std::move(*value));
  return success();
}

static LogicalResult evaluateCall(func::CallOp op, Evaluation &evaluation) {
  auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(op, op.getCalleeAttr());
  if (!callee || callee.isDeclaration())
    return op.emitOpError("reference: '") << op.getCallee() << "' is not a function with a body";
  return setResults(op, evaluation, evaluation.call(op, callee, getAll(op.getOperands(), evaluation)));
}

static LogicalResult evaluateAssert(cf::AssertOp op, Evaluation &evaluation) {
  if (evaluation.get(op.getArg()).getBits(0))
    return success();
  return op.emitOpError("reference: assertion failed: ") << op.getMsg();
}

//===----------------------------------------------------------------------===//
// scf
//===----------------------------------------------------------------------===//

static LogicalResult evaluateIf(scf::IfOp op, Evaluation &evaluation) {
  Region &region = evaluation.get(op.getCondition()).getBits(0) ? op.getThenRegion() : op.getElseRegion();
  if (region.empty())
    return success();
  return setResults(op, evaluation, evaluation.evaluateBlock(region.front(), {}));
}

static LogicalResult evaluateIndexSwitch(scf::IndexSwitchOp op, Evaluation &evaluation) {
  int64_t selector = evaluation.getIndex(op.getArg());
  const int64_t *match = llvm::find(op.getCases(), selector);
  Block &block = match == op.getCases().end() ? op.getDefaultBlock() : op.getCaseBlock(match - op.getCases().begin());
  return setResults(op, evaluation, evaluation.evaluateBlock(block, {}));
}

static LogicalResult evaluateExecuteRegion(scf::ExecuteRegionOp op, Evaluation &evaluation) {
  if (!op.getRegion().hasOneBlock())
    return op.emitOpError("reference: the region must have one block");
  return setResults(op, evaluation, evaluation.evaluateBlock(op.getRegion().front(), {}));
}

static LogicalResult evaluateFor(scf::ForOp op, Evaluation &evaluation) {
  Tensor induction = evaluation.get(op.getLowerBound());
  int64_t upper = evaluation.getIndex(op.getUpperBound()), step = evaluation.getIndex(op.getStep());
  if (step <= 0)
    return op.emitOpError("reference: the step must be positive, it is ") << step;
  SmallVector<Tensor> carried;
  for (OpOperand &init : op.getInitArgsMutable())
    carried.push_back(evaluation.take(init));
  for (int64_t index = induction.getInteger(0); index < upper; index += step) {
    SmallVector<Tensor> arguments{Tensor::integer(induction.getFormat(), index)};
    llvm::append_range(arguments, std::exchange(carried, {}));
    FailureOr<SmallVector<Tensor>> yielded = evaluation.evaluateBlock(*op.getBody(), arguments);
    if (failed(yielded))
      return failure();
    carried = std::move(*yielded);
  }
  return setResults(op, evaluation, carried);
}

static LogicalResult evaluateWhile(scf::WhileOp op, Evaluation &evaluation) {
  SmallVector<Tensor> carried = getAll(op.getInits(), evaluation);
  while (true) {
    if (failed(evaluation.evaluateBody(*op.getBeforeBody(), carried)))
      return failure();
    scf::ConditionOp condition = op.getConditionOp();
    SmallVector<Tensor> passed = getAll(condition.getArgs(), evaluation);
    if (!evaluation.get(condition.getCondition()).getBits(0))
      return setResults(op, evaluation, passed);
    FailureOr<SmallVector<Tensor>> yielded = evaluation.evaluateBlock(*op.getAfterBody(), passed);
    if (failed(yielded))
      return failure();
    carried = std::move(*yielded);
  }
}

/// One point of a forall: the body, then its parallel inserts into the shared results (block arguments).
static LogicalResult evaluateForallPoint(scf::ForallOp op, Evaluation &evaluation, ArrayRef<Tensor> arguments,
                                         MutableArrayRef<Tensor> shared) {
  if (failed(evaluation.evaluateBody(*op.getBody(), arguments)))
    return failure();
  for (Operation &yielding : op.getTerminator().getYieldingOps()) {
    auto insert = dyn_cast<tensor::ParallelInsertSliceOp>(yielding);
    if (!insert)
      return yielding.emitOpError("the reference has no rule for this op");
    if (failed(insertSlice(insert, evaluation.get(insert.getSource()), insert.getMixedOffsets(), insert.getMixedSizes(),
                           insert.getMixedStrides(), evaluation,
                           shared[cast<BlockArgument>(insert.getDest()).getArgNumber() - op.getRank()])))
      return failure();
  }
  return success();
}

static LogicalResult evaluateForall(scf::ForallOp op, Evaluation &evaluation) {
  SmallVector<int64_t> lower = evaluation.getIndices(op.getMixedLowerBound());
  SmallVector<int64_t> upper = evaluation.getIndices(op.getMixedUpperBound());
  SmallVector<int64_t> step = evaluation.getIndices(op.getMixedStep());
  SmallVector<Tensor> shared = getAll(op.getOutputs(), evaluation);
  SmallVector<int64_t> point = lower;
  bool empty = false;
  for (auto [low, high, by] : llvm::zip_equal(lower, upper, step)) {
    if (by <= 0)
      return op.emitOpError("reference: the steps must be positive");
    empty |= low >= high;
  }
  while (!empty) {
    SmallVector<Tensor> arguments;
    for (int64_t index : point)
      arguments.push_back(Tensor::integer(indexFormat(op), index));
    llvm::append_range(arguments, shared);
    if (failed(evaluateForallPoint(op, evaluation, arguments, shared)))
      return failure();
    int64_t loop = int64_t(point.size()) - 1;
    while (loop >= 0 && (point[loop] += step[loop]) >= upper[loop]) {
      point[loop] = lower[loop];
      --loop;
    }
    empty = loop < 0;
  }
  return setResults(op, evaluation, shared);
}

//===----------------------------------------------------------------------===//
// affine
//===----------------------------------------------------------------------===//

template <typename OpTy> static FailureOr<SmallVector<int64_t>> applyMap(OpTy op, Evaluation &evaluation) {
  Builder builder(op.getContext());
  SmallVector<Attribute> operands, results;
  for (Value operand : op->getOperands())
    operands.push_back(builder.getIndexAttr(evaluation.getIndex(operand)));
  if (failed(op.getAffineMap().constantFold(operands, results)))
    return op.emitOpError("reference: the map has no value (a division by zero?)");
  return llvm::map_to_vector(results, [](Attribute value) { return cast<IntegerAttr>(value).getInt(); });
}

static LogicalResult setIndex(Operation *op, Evaluation &evaluation, int64_t value) {
  evaluation.set(op->getResult(0), Tensor::integer(indexFormat(op), value));
  return success();
}
static LogicalResult evaluateApply(affine::AffineApplyOp op, Evaluation &evaluation) {
  FailureOr<SmallVector<int64_t>> values = applyMap(op, evaluation);
  return failed(values) ? failure() : setIndex(op, evaluation, values->front());
}
static LogicalResult evaluateMin(affine::AffineMinOp op, Evaluation &evaluation) {
  FailureOr<SmallVector<int64_t>> values = applyMap(op, evaluation);
  return failed(values) ? failure() : setIndex(op, evaluation, *llvm::min_element(*values));
}
static LogicalResult evaluateMax(affine::AffineMaxOp op, Evaluation &evaluation) {
  FailureOr<SmallVector<int64_t>> values = applyMap(op, evaluation);
  return failed(values) ? failure() : setIndex(op, evaluation, *llvm::max_element(*values));
}

void mlir::qtensor::reference::addControlFlowRules(RuleTable &table) {
  addRule<arith::ConstantOp, evaluateConstant>(table);
  addRule<func::CallOp, evaluateCall>(table);
  addRule<cf::AssertOp, evaluateAssert>(table);
  addRule<scf::IfOp, evaluateIf>(table);
  addRule<scf::IndexSwitchOp, evaluateIndexSwitch>(table);
  addRule<scf::ExecuteRegionOp, evaluateExecuteRegion>(table);
  addRule<scf::ForOp, evaluateFor>(table);
  addRule<scf::WhileOp, evaluateWhile>(table);
  addRule<scf::ForallOp, evaluateForall>(table);
  addRule<affine::AffineApplyOp, evaluateApply>(table);
  addRule<affine::AffineMinOp, evaluateMin>(table);
  addRule<affine::AffineMaxOp, evaluateMax>(table);
}
