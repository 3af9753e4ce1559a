// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Stores float weights with the outputs last, as the vector loops read them.
#include "lib/Transforms/Vectorize/Passes.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace mlir::qtensor {
#define GEN_PASS_DEF_LAYOUTWEIGHTS
#include "lib/Transforms/Vectorize/Passes.h.inc"
} // namespace mlir::qtensor

using namespace mlir;
using namespace mlir::qtensor;

/// Which result of the weight's map should come last: that of the output's last loop, if the weight is summed along its
/// own last dimension. None: leave it.
static std::optional<unsigned> findOutputDim(linalg::LinalgOp op, OpOperand &weight) {
  AffineMap map = op.getMatchingIndexingMap(&weight), result = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (!map.getNumResults() || !result.getNumResults())
    return std::nullopt;
  auto last = dyn_cast<AffineDimExpr>(map.getResults().back());
  auto output = dyn_cast<AffineDimExpr>(result.getResults().back());
  if (!last || !output || op.getIteratorTypesArray()[last.getPosition()] != utils::IteratorType::reduction)
    return std::nullopt;
  for (auto [position, expr] : llvm::enumerate(map.getResults().drop_back()))
    if (expr == output)
      return position;
  return std::nullopt;
}

static bool isFloatConstant(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && !type.getEncoding() && isa<FloatType>(type.getElementType()) && value.hasOneUse() &&
         value.getDefiningOp<arith::ConstantOp>();
}

static Value moveLast(OpBuilder &b, Value weight, ArrayRef<int64_t> permutation) {
  auto type = cast<RankedTensorType>(weight.getType());
  SmallVector<int64_t> shape;
  for (int64_t source : permutation)
    shape.push_back(type.getDimSize(source));
  // The name of the weight goes along, for plans and manifests.
  Location loc = weight.getLoc();
  Value empty = tensor::EmptyOp::create(b, loc, shape, type.getElementType());
  return linalg::TransposeOp::create(b, loc, weight, empty, permutation)->getResult(0);
}

static void layOut(IRRewriter &rewriter, linalg::LinalgOp op, unsigned operand, unsigned position) {
  rewriter.setInsertionPoint(op);
  auto generic = dyn_cast<linalg::GenericOp>(op.getOperation());
  if (!generic) {
    FailureOr<linalg::GenericOp> generalized = linalg::generalizeNamedOp(rewriter, op);
    if (failed(generalized))
      return;
    generic = *generalized;
  }
  OpOperand &weight = generic->getOpOperand(operand);
  AffineMap map = generic.getMatchingIndexingMap(&weight);
  SmallVector<int64_t> permutation;
  for (int64_t i = 0; i < map.getNumResults(); ++i)
    if (i != position)
      permutation.push_back(i);
  permutation.push_back(position);
  SmallVector<AffineExpr> results;
  for (int64_t source : permutation)
    results.push_back(map.getResult(source));
  SmallVector<AffineMap> maps = generic.getIndexingMapsArray();
  maps[operand] = AffineMap::get(map.getNumDims(), 0, results, map.getContext());
  rewriter.setInsertionPoint(generic);
  Value moved = moveLast(rewriter, weight.get(), permutation);
  rewriter.modifyOpInPlace(generic, [&] {
    generic->setOperand(operand, moved);
    generic.setIndexingMapsAttr(rewriter.getAffineMapArrayAttr(maps));
  });
}

namespace {
struct LayOutWeights : mlir::qtensor::impl::LayOutWeightsBase<LayOutWeights> {
  void runOnOperation() override {
    SmallVector<std::tuple<linalg::LinalgOp, unsigned, unsigned>> found;
    getOperation()->walk([&](linalg::LinalgOp op) {
      if (!op.hasPureTensorSemantics() || op.getNumDpsInits() != 1 || op.getNumReductionLoops() == 0)
        return;
      for (OpOperand *input : op.getDpsInputOperands())
        if (isFloatConstant(input->get()))
          if (std::optional<unsigned> position = findOutputDim(op, *input))
            found.push_back({op, input->getOperandNumber(), *position});
    });
    IRRewriter rewriter(&getContext());
    for (auto [op, operand, position] : found)
      layOut(rewriter, op, operand, position);
  }
};
} // namespace
