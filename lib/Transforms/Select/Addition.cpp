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

bool qtensor::isPlainArithmetic(linalg::LinalgOp op) {
  return llvm::all_of(op.getBlock()->without_terminator(), [](Operation &inner) {
    return isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::NegFOp, arith::MaximumFOp,
               arith::MaxNumFOp, arith::MinimumFOp, arith::MinNumFOp, arith::ConstantOp>(inner);
  });
}

/// An elementwise op on one activation, without indices. `mayMove`: also one that writes its result transposed.
static bool isFunction(linalg::GenericOp op, bool mayMove = false) {
  return op && op.getNumDpsInputs() == 1 && op.getNumDpsInits() == 1 && isActivation(op.getDpsInputs()[0]) &&
         isActivation(op.getDpsInits()[0]) && !op.payloadUsesValueFromOperand(op.getDpsInitOperand(0)) &&
         llvm::all_of(op.getIndexingMapsArray(),
                      [&](AffineMap map) { return map.isIdentity() || (mayMove && map.isPermutation()); }) &&
         op.getIndexingMapsArray().back().isIdentity() &&
         !op->walk([](linalg::IndexOp) { return WalkResult::interrupt(); }).wasInterrupted();
}

/// Whether a body multiplies, or divides by, what it computes of its inputs: plain arithmetic that is no sum all the
/// same.
static bool multipliesItself(linalg::GenericOp op) {
  auto isNumber = [&](Value value) {
    return matchPattern(value, m_Constant()) || value.getParentBlock() != op.getBody();
  };
  return llvm::any_of(op.getBody()->without_terminator(), [&](Operation &inner) {
    return (isa<arith::MulFOp>(inner) && !isNumber(inner.getOperand(0)) && !isNumber(inner.getOperand(1))) ||
           (isa<arith::DivFOp>(inner) && !isNumber(inner.getOperand(1)));
  });
}

/// Whether parts lie between a value and the layers that make it: no layer can take in what is computed of it.
static bool isOfParts(Value value) {
  Value unmoved = getUnmoved(value);
  return getWhole(value) != unmoved || unmoved.getDefiningOp<tensor::InsertSliceOp>();
}

/// The product of two activations. One may be a function of the other, which then is all that is read.
static FailureOr<Addition> matchProduct(linalg::GenericOp op) {
  Block &body = *op.getBody();
  if (op.getNumDpsInputs() != 2 || op.getNumDpsInits() != 1 || op.getNumReductionLoops() ||
      !op.getIndexingMapsArray().back().isIdentity() || !isActivation(op.getDpsInits()[0]) ||
      !llvm::all_of(op.getDpsInputs(), isActivation) ||
      !combines<arith::MulFOp>(body, body.getArgument(0), body.getArgument(1)))
    return failure();
  Addition out{op, {op.getDpsInputOperand(0), op.getDpsInputOperand(1)}};
  for (unsigned i : {0u, 1u}) {
    auto function = out.inputs[i]->get().getDefiningOp<linalg::GenericOp>();
    if (isFunction(function) && function.getDpsInputs()[0] == out.inputs[1 - i]->get())
      return Addition{op, {out.inputs[1 - i], function.getDpsInputOperand(0)}};
  }
  return out;
}

FailureOr<Addition> qtensor::matchBetweenLayers(Operation *op) {
  FailureOr<Addition> addition = matchAddition(op);
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (succeeded(addition) || !generic || generic->getNumResults() != 1 || op->getParentOfType<AsOp>() ||
      !generic.hasPureTensorSemantics())
    return addition;
  if (FailureOr<Addition> product = matchProduct(generic); succeeded(product))
    return product;
  if (isFunction(generic, /*mayMove=*/true) &&
      (!isPlainArithmetic(generic) || multipliesItself(generic) || isOfParts(generic.getDpsInputs()[0])))
    return Addition{generic, {generic.getDpsInputOperand(0)}};
  FailureOr<Softmax> softmax = matchSoftmax(generic->getResult(0));
  if (failed(softmax) || !isActivation(softmax->scores))
    return failure();
  return Addition{generic, {softmax->terms, softmax->largest}};
}

Value qtensor::getPickedFrom(Operation *op) {
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic || generic.getNumReductionLoops() || generic->getNumResults() != 1 ||
      !generic.hasPureTensorSemantics() || !generic.getIndexingMapsArray().back().isIdentity() ||
      op->getParentOfType<AsOp>())
    return {};
  auto isFloat = [](Type type) { return isa<FloatType>(type); };
  Value picked = generic.getBody()->getTerminator()->getOperand(0);
  if (auto argument = dyn_cast<BlockArgument>(picked); argument && argument.getOwner() == generic.getBody()) {
    OpOperand &operand = generic->getOpOperand(argument.getArgNumber());
    return generic.isDpsInput(&operand) && isFloat(argument.getType()) ? operand.get() : Value();
  }
  auto extract = picked.getDefiningOp<tensor::ExtractOp>();
  if (!extract || extract->getBlock() != generic.getBody() || !isFloat(extract.getType()))
    return {};
  // Positions are made of indices and constants alone.
  for (Value input : generic.getDpsInputs())
    if (isFloat(getElementTypeOrSelf(input.getType())) || !isWeight(input))
      return {};
  return llvm::hasSingleElement(generic.getBody()->getOps<tensor::ExtractOp>()) ? Value(extract.getTensor()) : Value();
}

Value qtensor::getMoved(Operation *op) {
  if (isa<tensor::PadOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp, tensor::ExtractSliceOp, linalg::TransposeOp>(
          op))
    return op->getOperand(0);
  return getPickedFrom(op);
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

Value qtensor::getWhole(Value value) {
  while (true) {
    value = getUnmoved(value);
    Operation *op = value.getDefiningOp();
    Value from = op && !isa<tensor::PadOp>(op) ? getMoved(op) : Value();
    if (!from)
      return value;
    value = from;
  }
}

BlockAttr qtensor::coverTensor(BlockAttr encoding, int64_t rank) {
  SmallVector<int64_t> block(rank, ShapedType::kDynamic);
  return BlockAttr::get(encoding.getContext(), encoding.getCodec(), block, encoding.getScale(), encoding.getZero(),
                        encoding.getOffset());
}
