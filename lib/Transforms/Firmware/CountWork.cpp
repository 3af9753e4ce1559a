// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/CountWork.h"
#include "dialects/QTensor/IR/QTensorOps.h"
#include "dialects/QTile/IR/QTile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

static int64_t elementsOf(Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  return shaped && shaped.hasStaticShape() ? shaped.getNumElements() : 0;
}

/// Behind widenings and narrowings.
static Value stripCasts(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<arith::ExtSIOp, arith::ExtUIOp, arith::TruncIOp, arith::ExtFOp, arith::TruncFOp>(op))
      break;
    value = op->getOperand(0);
  }
  return value;
}

/// Whether the body adds a product to what it is given of its result.
static bool addsProducts(linalg::LinalgOp op) {
  if (op.getNumReductionLoops() == 0)
    return false;
  Operation *sum = stripCasts(op.getBlock()->getTerminator()->getOperand(0)).getDefiningOp();
  if (isa_and_nonnull<math::FmaOp>(sum))
    return true;
  return isa_and_nonnull<arith::AddFOp, arith::AddIOp>(sum) && llvm::any_of(sum->getOperands(), [](Value term) {
           return isa_and_nonnull<arith::MulFOp, arith::MulIOp>(stripCasts(term).getDefiningOp());
         });
}

static Work countLinalg(linalg::LinalgOp op) {
  Work work;
  work.elements = 1;
  for (int64_t range : op.getStaticLoopRanges())
    work.elements *= ShapedType::isDynamic(range) ? 1 : range;
  if (addsProducts(op)) {
    work.multiplications = work.elements;
    work.kind = "product";
  } else if (op.getNumReductionLoops()) {
    work.kind = "reduction";
  } else {
    bool constant = op.getNumDpsInputs() == 0 || isa<linalg::FillOp>(op.getOperation());
    work.kind = constant ? "fill" : "map";
  }
  return work;
}

/// The extents that an operand of this shape shows of the iterators.
static void showExtents(AffineMap map, ArrayRef<int64_t> shape, SmallVectorImpl<int64_t> &extents) {
  for (auto [position, expr] : llvm::enumerate(map.getResults()))
    if (auto plain = dyn_cast<AffineDimExpr>(expr); plain && position < shape.size() && !ShapedType::isDynamic(shape[position]))
      extents[plain.getPosition()] = shape[position];
}

static Work countContract(ContractOp op) {
  SmallVector<int64_t> extents(op.getIteratorTypes().size(), 1);
  auto packed = dyn_cast_or_null<qtile::PackedAttr>(op.getRhsLayout().value_or(nullptr));
  if (packed)
    showExtents(op.getRhsMap(), packed.getShape(), extents);
  else if (!op.getRhs().empty())
    showExtents(op.getRhsMap(), cast<ShapedType>(op.getRhs().front().getType()).getShape(), extents);
  showExtents(op.getLhsMap(), cast<ShapedType>(op.getLhs().front().getType()).getShape(), extents);
  showExtents(op.getOutputMap(), cast<ShapedType>(op.getOutput().getType()).getShape(), extents);
  Work work;
  work.multiplications = work.elements = 1;
  for (int64_t extent : extents)
    work.elements = work.multiplications *= extent;
  work.kind = "product";
  return work;
}

/// Scores and their sums with the values: both products of every query with every token.
static Work countAttention(AttentionOp op) {
  ArrayRef<int64_t> query = cast<ShapedType>(op.getQuery().getType()).getShape();
  ArrayRef<int64_t> key = cast<ShapedType>(op.getKey().front().getType()).getShape();
  int64_t tokens = key[op.getKeyDims()[2]], outputs = elementsOf(op.getOutput().getType());
  Work work;
  work.elements = outputs;
  work.multiplications = (query[0] * query[1] * query[2] * query[3] + outputs) * std::max<int64_t>(tokens, 1);
  work.kind = "attention";
  return work;
}

/// Bounds that are not constant stay unknown.
static std::optional<llvm::APSInt> noDifference(Value, Value, bool) { return std::nullopt; }

static Work countRegions(Operation *op) {
  Work work;
  work.kind = isa<LoopLikeOpInterface>(op) ? "loop" : op->getName().stripDialect().str();
  for (Region &region : op->getRegions())
    for (Block &block : region)
      for (Operation &inner : block) {
        Work part = countWork(&inner);
        work.multiplications += part.multiplications;
        work.elements = std::max(work.elements, part.elements);
      }
  int64_t rounds = 1;
  if (auto loop = dyn_cast<LoopLikeOpInterface>(op)) {
    auto lower = loop.getLoopLowerBounds(), upper = loop.getLoopUpperBounds(), steps = loop.getLoopSteps();
    if (lower && upper && steps)
      for (auto [from, to, step] : llvm::zip_equal(*lower, *upper, *steps))
        if (auto count = constantTripCount(from, to, step, /*isSigned=*/true, noDifference))
          rounds *= std::max<int64_t>(count->getSExtValue(), 1);
  }
  work.multiplications *= rounds;
  work.elements *= rounds;
  return work;
}

Work mlir::qtensor::firmware::countWork(Operation *op) {
  if (auto contract = dyn_cast<ContractOp>(op))
    return countContract(contract);
  if (auto attention = dyn_cast<AttentionOp>(op))
    return countAttention(attention);
  if (auto generic = dyn_cast<linalg::LinalgOp>(op))
    return countLinalg(generic);
  if (op->getNumRegions())
    return countRegions(op);
  Work work;
  // What qtensor-lower-checks makes of it: groups keep their names.
  work.kind = isa<cf::AssertOp>(op) ? "if" : op->getName().stripDialect().str();
  if (!isa<memref::LoadOp>(op) && !op->getOperands().empty() && !isPure(op))
    work.elements = std::max<int64_t>(elementsOf(op->getOperands().back().getType()), 1);
  return work;
}
