// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Normalize/Support.h"
#include "lib/Reference/Interpreter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::qtensor::normalize {

bool isIdentity(ArrayRef<int64_t> permutation) {
  return llvm::equal(permutation, llvm::seq<int64_t>(0, permutation.size()));
}

Permutation invert(ArrayRef<int64_t> permutation) {
  Permutation inverse(permutation.size());
  for (auto [position, source] : llvm::enumerate(permutation))
    inverse[source] = position;
  return inverse;
}

Permutation compose(ArrayRef<int64_t> first, ArrayRef<int64_t> second) { return permute(first, second); }

RankedTensorType permute(RankedTensorType type, ArrayRef<int64_t> permutation) {
  return RankedTensorType::get(permute(type.getShape(), permutation), type.getElementType(), type.getEncoding());
}

linalg::TransposeOp getTranspose(Value value) {
  auto op = value.getDefiningOp<linalg::TransposeOp>();
  if (!op || !op.hasPureTensorSemantics() || cast<RankedTensorType>(op.getInput().getType()).getEncoding())
    return {};
  return op;
}

Value transpose(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> permutation) {
  if (isIdentity(permutation))
    return value;
  if (linalg::TransposeOp inner = getTranspose(value))
    return transpose(builder, loc, inner.getInput(), compose(inner.getPermutation(), permutation));
  SmallVector<OpFoldResult> sizes = permute<OpFoldResult>(tensor::getMixedSizes(builder, loc, value), permutation);
  Value init = tensor::EmptyOp::create(builder, loc, sizes, getElementTypeOrSelf(value.getType()));
  return linalg::TransposeOp::create(builder, loc, value, init, permutation)->getResult(0);
}

AffineMap permuteResults(AffineMap map, ArrayRef<int64_t> permutation) {
  return AffineMap::get(map.getNumDims(), map.getNumSymbols(), permute(map.getResults(), permutation),
                        map.getContext());
}

AffineMap permuteLoops(AffineMap map, ArrayRef<int64_t> order) {
  SmallVector<AffineExpr> replacements = llvm::map_to_vector(
      invert(order), [&](int64_t position) { return getAffineDimExpr(position, map.getContext()); });
  return map.replaceDimsAndSymbols(replacements, {}, map.getNumDims(), 0);
}

bool isEvaluable(Operation *op) {
  return isa<linalg::LinalgDialect, tensor::TensorDialect, arith::ArithDialect, math::MathDialect>(op->getDialect()) &&
         isMemoryEffectFree(op);
}

static bool isConstant(Value value, unsigned depth) {
  Operation *op = value.getDefiningOp();
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!op || (type && (!type.hasStaticShape() || type.getEncoding())))
    return false;
  if (isa<arith::ConstantOp, tensor::EmptyOp>(op))
    return true;
  return depth != 0 && isEvaluable(op) &&
         llvm::all_of(reference::getReadValues(op), [&](Value value) { return isConstant(value, depth - 1); });
}

bool isConstant(Value value) {
  constexpr unsigned kDepth = 16; // longer chains are rare and have been evaluated before they matter here
  return isConstant(value, kDepth);
}

bool isZeroFilled(Value value) {
  if (auto fill = value.getDefiningOp<linalg::FillOp>())
    value = fill.getInputs()[0];
  return matchPattern(value, m_AnyZeroFloat()) || matchPattern(value, m_Zero());
}

Value permuteInit(OpBuilder &builder, Location loc, Value value, ArrayRef<int64_t> permutation) {
  if (isIdentity(permutation))
    return value;
  auto fill = value.getDefiningOp<linalg::FillOp>();
  if (!fill && !value.getDefiningOp<tensor::EmptyOp>())
    return transpose(builder, loc, value, permutation);
  Value destination = fill ? fill.getOutputs()[0] : value;
  SmallVector<OpFoldResult> sizes =
      permute<OpFoldResult>(tensor::getMixedSizes(builder, loc, destination), permutation);
  Value empty = tensor::EmptyOp::create(builder, loc, sizes, getElementTypeOrSelf(value.getType()));
  return fill ? linalg::FillOp::create(builder, fill.getLoc(), fill.getInputs()[0], empty).getResult(0) : empty;
}

Location fuse(Location a, Location b) { return FusedLoc::get(a.getContext(), {a, b}); }

void copyAttributes(Operation *from, Operation *to) {
  for (NamedAttribute attribute : from->getDiscardableAttrs())
    if (attribute.getName() != linalg::LinalgDialect::kMemoizedIndexingMapsAttrName)
      to->setDiscardableAttr(attribute.getName(), attribute.getValue());
}

linalg::GenericOp withOperands(RewriterBase &rewriter, Location loc, linalg::LinalgOp op, ArrayRef<int64_t> order,
                               ValueRange inputs, ValueRange inits, ArrayRef<AffineMap> maps) {
  SmallVector<utils::IteratorType> iterators = permute<utils::IteratorType>(op.getIteratorTypesArray(), order);
  auto generic = linalg::GenericOp::create(rewriter, loc, TypeRange(inits), inputs, inits, maps, iterators);
  rewriter.cloneRegionBefore(op->getRegion(0), generic.getRegion(), generic.getRegion().begin());
  Permutation positions = invert(order);
  generic.walk([&](linalg::IndexOp index) { index.setDim(positions[index.getDim()]); });
  copyAttributes(op, generic);
  return generic;
}

} // namespace mlir::qtensor::normalize
