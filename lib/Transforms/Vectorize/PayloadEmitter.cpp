// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Vectorize/PayloadEmitter.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::qtensor;

static VectorType vectorOf(Type element) { return VectorType::get({kLanes}, element); }

Value PayloadEmitter::broadcast(OpBuilder &b, Value value) {
  if (isa<VectorType>(value.getType()))
    return value;
  return vector::BroadcastOp::create(b, loc, vectorOf(value.getType()), value);
}

SmallVector<Value> PayloadEmitter::subscripts(OpBuilder &b, AffineMap map, ValueRange indices) {
  SmallVector<OpFoldResult> operands = getAsOpFoldResult(indices);
  SmallVector<OpFoldResult> results = affine::makeComposedFoldedMultiResultAffineApply(b, loc, map, operands);
  return getValueOrCreateConstantIndexOp(b, loc, results);
}

Value PayloadEmitter::loadRow(OpBuilder &b, Value buffer, ValueRange indices, Value mask) {
  auto type = vectorOf(cast<MemRefType>(buffer.getType()).getElementType());
  if (!mask)
    return vector::LoadOp::create(b, loc, type, buffer, indices);
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  return vector::MaskedLoadOp::create(b, loc, type, buffer, indices, mask, zero);
}

/// Loads lane by lane. Lanes beyond the end repeat the last element, which nobody looks at.
Value PayloadEmitter::gather(OpBuilder &b, OpOperand &operand, const Point &point) {
  SmallVector<Value> elements, indices = point.indices;
  for (int64_t lane = 0; lane < kLanes; ++lane) {
    Value offset = arith::ConstantIndexOp::create(b, loc, lane);
    Value index = arith::AddIOp::create(b, loc, point.indices[plan.lane], offset);
    if (point.mask) {
      Value one = arith::ConstantIndexOp::create(b, loc, 1);
      Value last = arith::SubIOp::create(b, loc, point.laneLimit, one);
      index = arith::MinSIOp::create(b, loc, index, last);
    }
    indices[plan.lane] = index;
    auto at = subscripts(b, op.getMatchingIndexingMap(&operand), indices);
    elements.push_back(memref::LoadOp::create(b, loc, operand.get(), at));
  }
  return vector::FromElementsOp::create(b, loc, vectorOf(elements[0].getType()), elements);
}

Value PayloadEmitter::load(OpBuilder &b, OpOperand &operand, const Point &point) {
  if (!isa<MemRefType>(operand.get().getType()))
    return operand.get();
  Access access = plan.access[operand.getOperandNumber()];
  if (access == Access::Strided)
    return gather(b, operand, point);
  auto at = subscripts(b, op.getMatchingIndexingMap(&operand), point.indices);
  if (access == Access::Contiguous)
    return loadRow(b, operand.get(), at, point.mask);
  return memref::LoadOp::create(b, loc, operand.get(), at);
}

/// True for a mask that is known to have its first lane alone.
static bool isOneLane(Value mask) {
  auto create = mask.getDefiningOp<vector::CreateMaskOp>();
  return create && getConstantIntValue(create.getOperands()[0]) == 1;
}

void PayloadEmitter::store(OpBuilder &b, Value value, OpOperand &operand, const Point &point) {
  auto at = subscripts(b, op.getMatchingIndexingMap(&operand), point.indices);
  bool isUniform = plan.access[operand.getOperandNumber()] == Access::Uniform;
  // One lane is stored as an element: of narrowed integers LLVM 22 would write the four bytes of the wide one.
  bool isElement = isUniform || (point.mask && isOneLane(point.mask));
  if (isElement && isa<VectorType>(value.getType()))
    value = vector::ExtractOp::create(b, loc, value, ArrayRef<int64_t>{0});
  if (isElement)
    memref::StoreOp::create(b, loc, value, operand.get(), at);
  else if (point.mask)
    vector::MaskedStoreOp::create(b, loc, operand.get(), at, point.mask, broadcast(b, value));
  else
    vector::StoreOp::create(b, loc, broadcast(b, value), operand.get(), at);
}

/// acc + a * b as one fused operation, where the sum is the accumulator of a reduction.
Value PayloadEmitter::tryFuse(OpBuilder &b, Operation &inner, IRMapping &map) {
  auto add = dyn_cast<arith::AddFOp>(inner);
  if (!add || !plan.hasReduction())
    return {};
  for (auto [accumulator, term] : {std::pair(add.getLhs(), add.getRhs()), std::pair(add.getRhs(), add.getLhs())}) {
    auto multiply = term.getDefiningOp<arith::MulFOp>();
    if (!multiply || !term.hasOneUse() || !llvm::is_contained(op.getRegionOutputArgs(), accumulator))
      continue;
    Value operands[] = {map.lookupOrDefault(multiply.getLhs()), map.lookupOrDefault(multiply.getRhs()), map.lookup(accumulator)};
    if (llvm::any_of(operands, [](Value v) { return isa<VectorType>(v.getType()); }))
      for (Value &value : operands)
        value = broadcast(b, value);
    return math::FmaOp::create(b, loc, operands[0], operands[1], operands[2]);
  }
  return {};
}

Value PayloadEmitter::evaluateOp(OpBuilder &b, Operation &inner, IRMapping &map, const Point &point) {
  if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
    Value base = point.indices[index.getDim()];
    if (index.getDim() != plan.lane)
      return base;
    Value step = vector::StepOp::create(b, loc, vectorOf(b.getIndexType()));
    return arith::AddIOp::create(b, loc, broadcast(b, base), step);
  }
  SmallVector<Value> operands =
      llvm::map_to_vector(inner.getOperands(), [&](Value v) { return map.lookupOrDefault(v); });
  bool moves = llvm::any_of(operands, [](Value v) { return isa<VectorType>(v.getType()); });
  if (auto load = dyn_cast<memref::LoadOp>(inner); load && moves) {
    SmallVector<Value> at(llvm::drop_begin(operands));
    at.back() = point.indices[plan.lane];
    return loadRow(b, load.getMemRef(), at, point.mask);
  }
  if (Value fused = tryFuse(b, inner, map))
    return fused;
  if (!moves)
    return b.clone(inner, map)->getResult(0);
  for (Value &operand : operands)
    operand = broadcast(b, operand);
  auto types = llvm::map_to_vector(inner.getResultTypes(), [](Type type) -> Type { return vectorOf(type); });
  Operation *wide = b.create(loc, inner.getName().getIdentifier(), operands, types, inner.getAttrs());
  return wide->getResult(0);
}

SmallVector<Value> PayloadEmitter::evaluate(OpBuilder &b, ArrayRef<Value> arguments, const Point &point) {
  IRMapping map;
  for (auto [argument, value] : llvm::zip_equal(op.getBlock()->getArguments(), arguments))
    if (value)
      map.map(argument, value);
  for (Operation &inner : op.getBlock()->without_terminator())
    map.map(inner.getResult(0), evaluateOp(b, inner, map, point));
  return llvm::map_to_vector(op.getBlock()->getTerminator()->getOperands(),
                             [&](Value v) { return map.lookupOrDefault(v); });
}
