// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Select/Addition.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "lib/Transforms/Select/Attention.h"
#include "lib/Transforms/Select/Contraction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::qtensor;

/// The only op of the body, if it combines exactly these two scalars.
template <typename... OpTs> static bool combines(Block &body, Value a, Value b) {
  Operation *op = body.getTerminator()->getOperand(0).getDefiningOp();
  if (!isa_and_nonnull<OpTs...>(op) || body.getOperations().size() != 2)
    return false;
  return (op->getOperand(0) == a && op->getOperand(1) == b) || (op->getOperand(0) == b && op->getOperand(1) == a);
}

static bool isActivation(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape() && type.getElementType().isF32() && !isWeight(value);
}

/// A sum over windows has a second input, of which only the extents are read.
static bool isReduction(linalg::LinalgOp op) {
  Block &body = *op.getBlock();
  bool windows = op.getNumDpsInputs() == 2 && op.getDpsInputs()[1].getDefiningOp<tensor::EmptyOp>();
  Init init = readInit(op.getDpsInits()[0]);
  return (op.getNumDpsInputs() == 1 || windows) && op.getNumReductionLoops() && !init.extra &&
         combines<arith::AddFOp>(body, body.getArgument(0), body.getArguments().back());
}

static bool isPair(linalg::LinalgOp op) {
  Block &body = *op.getBlock();
  return op.getNumDpsInputs() == 2 && op.getNumReductionLoops() == 0 && op.getIndexingMapsArray().back().isIdentity() &&
         isActivation(op.getDpsInputs()[1]) &&
         combines<arith::AddFOp, arith::SubFOp>(body, body.getArgument(0), body.getArgument(1));
}

FailureOr<Addition> qtensor::matchAddition(Operation *op) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp || op->getParentOfType<AsOp>() || !linalgOp.hasPureTensorSemantics() ||
      linalgOp.getNumDpsInits() != 1 || linalgOp.getNumDpsInputs() == 0 || !isActivation(linalgOp.getDpsInputs()[0]) ||
      !isActivation(linalgOp.getDpsInits()[0]))
    return failure();
  Addition out{linalgOp, {linalgOp.getDpsInputOperand(0)}};
  if (isReduction(linalgOp))
    return out;
  if (!isPair(linalgOp))
    return failure();
  out.inputs.push_back(linalgOp.getDpsInputOperand(1));
  return out;
}

FailureOr<Addition> qtensor::matchBetweenLayers(Operation *op) {
  FailureOr<Addition> addition = matchAddition(op);
  auto divide = dyn_cast<linalg::GenericOp>(op);
  if (succeeded(addition) || !divide || divide->getNumResults() != 1 || op->getParentOfType<AsOp>())
    return addition;
  FailureOr<Softmax> softmax = matchSoftmax(divide->getResult(0));
  if (failed(softmax) || !isActivation(softmax->scores))
    return failure();
  return Addition{divide, {softmax->terms, softmax->largest}};
}

Value qtensor::getUnmoved(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    auto pad = dyn_cast<tensor::PadOp>(op);
    Value padding = pad ? pad.getConstantPaddingValue() : Value();
    bool zeros = padding && matchPattern(padding, m_AnyZeroFloat());
    if (!zeros && !isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp, linalg::TransposeOp>(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

BlockAttr qtensor::coverTensor(BlockAttr encoding, int64_t rank) {
  SmallVector<int64_t> block(rank, ShapedType::kDynamic);
  return BlockAttr::get(encoding.getContext(), encoding.getCodec(), block, encoding.getScale(), encoding.getZero(),
                        encoding.getOffset());
}
