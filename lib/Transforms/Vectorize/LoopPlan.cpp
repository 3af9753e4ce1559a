// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Vectorize/LoopPlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"

using namespace mlir;
using namespace mlir::qtensor;

Access mlir::qtensor::classify(AffineMap map, Type type, unsigned dim) {
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref || !map.isFunctionOfDim(dim))
    return Access::Uniform;
  for (AffineExpr result : map.getResults().drop_back())
    if (result.isFunctionOfDim(dim))
      return Access::Strided;
  AffineExpr last = map.getResults().back();
  AffineExpr d = getAffineDimExpr(dim, map.getContext());
  AffineExpr step = simplifyAffineExpr(last.replace(d, d + 1) - last, map.getNumDims(), 0);
  auto constant = dyn_cast<AffineConstantExpr>(step);
  return constant && constant.getValue() == 1 && memref.isLastDimUnitStride() ? Access::Contiguous : Access::Strided;
}

Operation *mlir::qtensor::findCombiner(linalg::LinalgOp op, unsigned index) {
  BlockArgument accumulator = op.getRegionOutputArgs()[index];
  Operation *combiner = op.getBlock()->getTerminator()->getOperand(index).getDefiningOp();
  if (!combiner || combiner->getNumOperands() != 2 || !accumulator.hasOneUse() ||
      *accumulator.getUsers().begin() != combiner || !combiner->hasOneUse() || !arith::getNeutralElement(combiner))
    return nullptr;
  return combiner;
}

/// Whether the body can be evaluated on vectors whose lanes are loop `lane`: elementwise ops, and loads whose last
/// index alone moves with the lanes.
static bool isVectorizable(linalg::LinalgOp op, unsigned lane, ArrayRef<Access> access) {
  DenseSet<Value> moving, lanes;
  for (auto [argument, how] : llvm::zip_equal(op.getBlock()->getArguments(), access))
    if (how != Access::Uniform || op.isDpsInit(op.getMatchingOpOperand(argument)))
      moving.insert(argument);
  for (Operation &inner : op.getBlock()->without_terminator()) {
    bool moves = llvm::any_of(inner.getOperands(), [&](Value v) { return moving.contains(v) || lanes.contains(v); });
    if (auto index = dyn_cast<linalg::IndexOp>(inner)) {
      if (index.getDim() == lane)
        lanes.insert(index.getResult());
      continue;
    }
    if (auto load = dyn_cast<memref::LoadOp>(inner)) {
      if (!moves)
        continue;
      auto indices = load.getIndices();
      if (!load.getMemRefType().isLastDimUnitStride() || load.getType().isInteger(1) ||
          !lanes.contains(indices.back()) ||
          llvm::any_of(indices.drop_back(), [&](Value v) { return moving.contains(v) || lanes.contains(v); }))
        return false;
      moving.insert(load.getResult());
      continue;
    }
    if (inner.getNumRegions() || !isPure(&inner))
      return false;
    if (moves && !OpTrait::hasElementwiseMappableTraits(&inner))
      return false;
    if (moves)
      moving.insert(inner.result_begin(), inner.result_end());
  }
  return true;
}

/// Whether partial results along the lanes can be combined at the end.
static bool isLaneReduction(linalg::LinalgOp op) {
  for (int64_t i = 0, e = op.getNumDpsInits(); i < e; ++i)
    if (!findCombiner(op, i))
      return false;
  return true;
}

/// Lower is better; none if `lane` cannot become lanes. Fills `access`.
static std::optional<int64_t> rate(linalg::LinalgOp op, unsigned lane, SmallVectorImpl<Access> &access) {
  bool isReduction = op.getIteratorTypesArray()[lane] == utils::IteratorType::reduction;
  int64_t cost = isReduction ? 10 : 0;
  access.clear();
  for (OpOperand &operand : op->getOpOperands()) {
    Type type = operand.get().getType();
    Access how = classify(op.getMatchingIndexingMap(&operand), type, lane);
    // A truth value in memory is a byte, in a vector a bit: such operands are read one by one or not at all.
    bool isBit = getElementTypeOrSelf(type).isInteger(1);
    if (op.isDpsInit(&operand) && (isBit || how != (isReduction ? Access::Uniform : Access::Contiguous)))
      return std::nullopt;
    if (isBit && how == Access::Contiguous)
      how = Access::Strided;
    cost += how == Access::Strided ? 100 : 0;
    access.push_back(how);
  }
  int64_t extent = op.getStaticLoopRanges()[lane];
  if (!ShapedType::isDynamic(extent) && extent % kLanes)
    cost += 20 * (kLanes - extent % kLanes) / (extent + kLanes);
  if (!isVectorizable(op, lane, access) || (isReduction && !isLaneReduction(op)))
    return std::nullopt;
  return cost;
}

/// The parallel loop to tile by rows: one whose rows share the vectors of some input, if there is any.
static std::optional<unsigned> chooseRow(linalg::LinalgOp op, const LoopPlan &plan) {
  std::optional<unsigned> fallback;
  for (unsigned dim : llvm::reverse(plan.outer)) {
    if (op.getStaticLoopRanges()[dim] == 1)
      continue;
    for (OpOperand *input : op.getDpsInputOperands())
      if (plan.access[input->getOperandNumber()] != Access::Uniform &&
          !op.getMatchingIndexingMap(input).isFunctionOfDim(dim))
        return dim;
    if (!fallback)
      fallback = dim;
  }
  return fallback;
}

/// With lanes along a reduction: a loop that shares the vectors of one input among columns, as rows share another's.
static std::optional<unsigned> chooseColumn(linalg::LinalgOp op, const LoopPlan &plan) {
  for (unsigned dim : llvm::reverse(plan.outer)) {
    if (op.getStaticLoopRanges()[dim] == 1)
      continue;
    for (OpOperand *input : op.getDpsInputOperands()) {
      AffineMap map = op.getMatchingIndexingMap(input);
      if (plan.access[input->getOperandNumber()] != Access::Uniform && map.isFunctionOfDim(*plan.row) &&
          !map.isFunctionOfDim(dim))
        return dim;
    }
  }
  return std::nullopt;
}

std::optional<LoopPlan> mlir::qtensor::planLoops(linalg::LinalgOp op) {
  LoopPlan plan;
  std::optional<int64_t> best;
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim) {
    SmallVector<Access> access;
    std::optional<int64_t> cost = rate(op, dim, access);
    // On a tie the innermost loop wins.
    if (!cost || (best && *cost > *best))
      continue;
    best = cost;
    plan.lane = dim;
    plan.access = access;
  }
  if (!best)
    return std::nullopt;
  auto iterators = op.getIteratorTypesArray();
  plan.laneIsReduction = iterators[plan.lane] == utils::IteratorType::reduction;
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim)
    if (dim != plan.lane)
      (iterators[dim] == utils::IteratorType::reduction ? plan.reductions : plan.outer).push_back(dim);
  if (plan.hasReduction())
    plan.row = chooseRow(op, plan);
  if (plan.row)
    llvm::erase(plan.outer, *plan.row);
  if (plan.row && plan.laneIsReduction)
    plan.column = chooseColumn(op, plan);
  if (plan.column)
    llvm::erase(plan.outer, *plan.column);
  return plan;
}
