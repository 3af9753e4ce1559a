// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Quantize/WeightLayout.h"
#include "mlir/Dialect/Linalg/Transforms/Transforms.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
enum Role { Batch, Output, Window, Channel };
} // namespace

static bool isPlainIn(unsigned dim, AffineMap map) {
  return llvm::is_contained(map.getResults(), getAffineDimExpr(dim, map.getContext()));
}

/// What loop `dim`, by which the weight is indexed, means.
static Role getRole(Contraction &c, unsigned dim) {
  bool inLhs = c.lhsMap.isFunctionOfDim(dim);
  if (c.op.getIteratorTypesArray()[dim] == utils::IteratorType::parallel)
    return inLhs ? Batch : Output;
  return inLhs && !isPlainIn(dim, c.lhsMap) ? Window : Channel;
}

FailureOr<SideLayout> qtensor::getWeightLayout(Contraction c) {
  SmallVector<Role> roles;
  for (AffineExpr expr : c.rhsMap.getResults()) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim)
      return failure();
    roles.push_back(getRole(c, dim.getPosition()));
  }
  SideLayout layout;
  for (size_t dim = 0; dim < roles.size(); ++dim)
    layout.permutation.push_back(dim);
  bool depthwise = llvm::is_contained(roles, Window) && !llvm::is_contained(roles, Output);
  if (!depthwise)
    llvm::sort(layout.permutation,
               [&](int64_t a, int64_t b) { return std::make_pair(roles[a], a) < std::make_pair(roles[b], b); });
  for (Role role : {Channel, Window})
    for (size_t dim = roles.size(); dim-- > 0;)
      if (roles[layout.permutation[dim]] == role)
        layout.axes.push_back(dim);
  return layout;
}

SideLayout qtensor::getActivationLayout(Contraction c) {
  SideLayout layout;
  SmallVector<int64_t> window;
  for (auto [index, expr] : llvm::enumerate(c.lhsMap.getResults())) {
    layout.permutation.push_back(index);
    bool summed = false;
    for (unsigned dim = 0; dim < c.lhsMap.getNumDims(); ++dim)
      summed |= expr.isFunctionOfDim(dim) && c.op.getIteratorTypesArray()[dim] == utils::IteratorType::reduction;
    if (summed && isa<AffineDimExpr>(expr))
      layout.axes.push_back(index);
    else if (summed)
      window.push_back(index);
  }
  // The innermost channels are the ones that blocks lie along.
  std::reverse(layout.axes.begin(), layout.axes.end());
  layout.axes.append(window.rbegin(), window.rend());
  return layout;
}

LogicalResult qtensor::replaceWeight(RewriterBase &rewriter, Contraction c, Value weight,
                                     ArrayRef<int64_t> permutation) {
  Operation *op = c.op;
  unsigned side = c.rhs->getOperandNumber();
  bool moved = !llvm::equal(permutation, llvm::seq<int64_t>(0, permutation.size()));
  if (moved && !op->hasAttr("indexing_maps")) {
    rewriter.setInsertionPoint(op);
    FailureOr<linalg::GenericOp> generic = linalg::generalizeNamedOp(rewriter, c.op);
    if (failed(generic))
      return op->emitError() << "the weight of this op cannot be laid out anew";
    op = *generic;
  }
  rewriter.modifyOpInPlace(op, [&] {
    op->setOperand(side, weight);
    if (!moved)
      return;
    SmallVector<AffineExpr> results;
    for (int64_t dim : permutation)
      results.push_back(c.rhsMap.getResult(dim));
    auto maps = llvm::to_vector(cast<linalg::LinalgOp>(op).getIndexingMapsArray());
    maps[side] = AffineMap::get(c.rhsMap.getNumDims(), 0, results, op->getContext());
    op->setAttr("indexing_maps", rewriter.getAffineMapArrayAttr(maps));
  });
  return success();
}
