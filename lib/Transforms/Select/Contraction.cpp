// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Recognises contractions in every spelling that linalg has.
#include "lib/Transforms/Select/Contraction.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace mlir::qtensor;

bool qtensor::isWeight(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (op->hasTrait<OpTrait::ConstantLike>())
      return true;
    if (auto assemble = dyn_cast<AssembleOp>(op))
      return llvm::all_of(assemble.getComponents(), isWeight);
    if (!isa<tensor::CastOp, tensor::CollapseShapeOp, tensor::ExpandShapeOp, linalg::TransposeOp, DequantizeOp, QuantizeOp>(
            op))
      return false;
    value = op->getOperand(0);
  }
  return false;
}

static FailureOr<Contraction> miss(std::string *why, const char *reason) {
  if (why)
    *why = reason;
  return failure();
}

/// The value under conversions of type OpTs.
template <typename... OpTs> static Value stripCasts(Value value) {
  while (isa_and_nonnull<OpTs...>(value.getDefiningOp()))
    value = value.getDefiningOp()->getOperand(0);
  return value;
}

/// Whether a body adds lhs * rhs to the accumulator, and nothing else happens to any of them: factors may be widened,
/// which is exact, and products and sums converted, since sums are kept in f32 and rounded once.
static bool multipliesAndAdds(Block &body) {
  if (body.getNumArguments() != 3)
    return false;
  auto number = [](Value value) { return stripCasts<arith::ExtFOp, arith::TruncFOp>(value); };
  auto factor = [](Value value) { return stripCasts<arith::ExtFOp>(value); };
  auto add = number(body.getTerminator()->getOperand(0)).getDefiningOp<arith::AddFOp>();
  if (!add)
    return false;
  Value lhs = body.getArgument(0), rhs = body.getArgument(1), sum = body.getArgument(2);
  for (auto [before, more] : {std::pair(add.getLhs(), add.getRhs()), std::pair(add.getRhs(), add.getLhs())}) {
    auto product = number(more).getDefiningOp<arith::MulFOp>();
    if (factor(before) != sum || !product)
      continue;
    Value a = factor(product.getLhs()), b = factor(product.getRhs());
    return (a == lhs && b == rhs) || (a == rhs && b == lhs);
  }
  return false;
}

FailureOr<Contraction> qtensor::matchContraction(Operation *op, std::string *why) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp || !linalgOp.hasPureTensorSemantics())
    return miss(why, "it is no linalg op on tensors");
  if (linalgOp.getNumDpsInputs() != 2 || linalgOp.getNumDpsInits() != 1)
    return miss(why, "it does not have two inputs and one result");
  if (!multipliesAndAdds(*linalgOp.getBlock()))
    return miss(why, "it does not just multiply and add");
  if (linalgOp.getNumReductionLoops() == 0)
    return miss(why, "it has no reduction");
  AffineMap output = linalgOp.getIndexingMapsArray()[2];
  if (!output.isProjectedPermutation())
    return miss(why, "its output map is no projected permutation");
  for (AffineExpr expr : output.getResults())
    if (linalgOp.getIteratorTypesArray()[cast<AffineDimExpr>(expr).getPosition()] != utils::IteratorType::parallel)
      return miss(why, "its output has a reduction dimension");
  OpOperand *lhs = linalgOp.getDpsInputOperand(0), *rhs = linalgOp.getDpsInputOperand(1);
  auto weigh = [](OpOperand *side) { return 2 * isWeight(side->get()) + bool(getEncoding(side->get().getType())); };
  if (weigh(lhs) > weigh(rhs))
    std::swap(lhs, rhs);
  return Contraction{linalgOp, lhs, rhs, linalgOp.getMatchingIndexingMap(lhs), linalgOp.getMatchingIndexingMap(rhs),
                     output};
}

/// The tensor that `op` copies to all positions of its result, with the map from result dimensions to its own.
static std::pair<Value, AffineMap> readBroadcast(Operation *op) {
  if (auto broadcast = dyn_cast<linalg::BroadcastOp>(op)) {
    SmallVector<AffineExpr> dims;
    int64_t rank = cast<ShapedType>(broadcast->getResult(0).getType()).getRank();
    for (int64_t dim = 0; dim < rank; ++dim)
      if (!llvm::is_contained(broadcast.getDimensions(), dim))
        dims.push_back(getAffineDimExpr(dim, op->getContext()));
    return {broadcast.getInput(), AffineMap::get(rank, 0, dims, op->getContext())};
  }
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic || generic.getNumDpsInputs() != 1 || generic.getNumDpsInits() != 1 || generic.getNumReductionLoops())
    return {};
  Block &body = generic.getRegion().front();
  AffineMap in = generic.getIndexingMapsArray()[0], out = generic.getIndexingMapsArray()[1];
  if (body.getTerminator()->getOperand(0) != body.getArgument(0) || !out.isIdentity() ||
      !in.isProjectedPermutation(/*allowZeroInResults=*/true))
    return {};
  return {generic.getDpsInputs()[0], in};
}

Init qtensor::readInit(Value init) {
  Operation *op = init.getDefiningOp();
  if (op && isa<linalg::FillOp>(op) && matchPattern(op->getOperand(0), m_AnyZeroFloat())) {
    Value destination = op->getOperand(1);
    return {destination.getDefiningOp<tensor::EmptyOp>() ? destination : Value(), {}, {}};
  }
  if (matchPattern(init, m_AnyZeroFloat()))
    return {};
  if (op)
    if (auto [source, map] = readBroadcast(op); source)
      return {{}, source, map};
  auto rank = cast<ShapedType>(init.getType()).getRank();
  return {{}, init, AffineMap::getMultiDimIdentityMap(rank, init.getContext())};
}
