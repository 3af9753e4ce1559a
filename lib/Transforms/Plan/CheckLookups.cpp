// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Plan/CheckLookups.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// What values are computed from, inside of a body.
struct Slice {
  llvm::SetVector<Operation *> ops;
  llvm::SmallSetVector<unsigned, 4> arguments;

  void add(Value value, Block *body) {
    if (auto argument = dyn_cast<BlockArgument>(value); argument && argument.getOwner() == body)
      arguments.insert(argument.getArgNumber());
    Operation *op = value.getDefiningOp();
    if (!op || op->getBlock() != body || !ops.insert(op))
      return;
    for (Value operand : op->getOperands())
      add(operand, body);
    visitUsedValuesDefinedAbove(op->getRegions(), [&](OpOperand *operand) { add(operand->get(), body); });
  }
};

/// An index, and the extent that it has to stay below.
struct Lookup {
  OpOperand *index;
  Value extent; ///< In front of the op.
  Value raw;    ///< What the index was before it was bounded.
};
} // namespace

static tensor::ExtractOp getRead(OpOperand *index) { return cast<tensor::ExtractOp>(index->getOwner()); }

static RankedTensorType getTable(OpOperand *index) {
  return cast<RankedTensorType>(getRead(index).getTensor().getType());
}

static int64_t getDim(OpOperand *index) { return index->getOperandNumber() - 1; }

/// The index becomes the nearest one that there is; 0 where there is none.
static Lookup bound(OpOperand *index, linalg::GenericOp op) {
  ImplicitLocOpBuilder outside(op.getLoc(), op), b(op.getLoc(), index->getOwner());
  Value raw = index->get();
  Value extent = tensor::DimOp::create(outside, getRead(index).getTensor(), getDim(index)).getResult();
  if (!getTable(index).isDynamicDim(getDim(index)))
    extent = arith::ConstantIndexOp::create(outside, getTable(index).getDimSize(getDim(index)));
  Value last = arith::SubIOp::create(outside, extent, arith::ConstantIndexOp::create(outside, 1));
  Value none = arith::ConstantIndexOp::create(outside, 0);
  index->set(arith::MaxSIOp::create(b, arith::MinSIOp::create(b, raw, last), none));
  return {index, extent, raw};
}

/// The loops of `op` that what is in the slice depends on.
static llvm::SmallBitVector getLoops(linalg::GenericOp op, const Slice &slice) {
  llvm::SmallBitVector loops(op.getNumLoops());
  for (unsigned argument : slice.arguments)
    for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
      if (op.getIndexingMapsArray()[argument].isFunctionOfDim(loop))
        loops.set(loop);
  for (Operation *inner : slice.ops)
    inner->walk([&](linalg::IndexOp index) { loops.set(index.getDim()); });
  return loops;
}

/// Whether the extents of `loops` are those of operands that the slice reads.
static bool covers(linalg::GenericOp op, const Slice &slice, llvm::SmallBitVector loops) {
  for (unsigned argument : slice.arguments)
    for (AffineExpr expr : op.getIndexingMapsArray()[argument].getResults())
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        loops.reset(dim.getPosition());
  return loops.none();
}

/// A tensor<i1>: whether any index is outside. All loops of `op` that matter are reductions of it.
static FailureOr<Value> findBroken(ImplicitLocOpBuilder &b, linalg::GenericOp op, ArrayRef<Lookup> lookups,
                                   bool mayBeNone) {
  Slice slice;
  for (const Lookup &lookup : lookups)
    slice.add(lookup.raw, op.getBody());
  if (mayBeNone && llvm::any_of(slice.ops, llvm::IsaPred<tensor::ExtractOp>))
    return op.emitOpError("reads an index in a tensor whose extents are data, or looks it up for one that is; make its "
                          "extents follow from those of the inputs");
  llvm::SmallBitVector loops = getLoops(op, slice);
  if (!covers(op, slice, loops)) { // All operands together give all extents.
    loops.set();
    for (unsigned argument = 0; argument < op->getNumOperands(); ++argument)
      slice.arguments.insert(argument);
  }
  SmallVector<AffineExpr> places(op.getNumLoops(), b.getAffineConstantExpr(0));
  SmallVector<unsigned> position(op.getNumLoops());
  unsigned count = 0;
  for (unsigned loop : loops.set_bits()) {
    position[loop] = count;
    places[loop] = b.getAffineDimExpr(count++);
  }
  SmallVector<Value> inputs;
  SmallVector<AffineMap> maps;
  for (unsigned argument : slice.arguments) {
    inputs.push_back(op->getOperand(argument));
    maps.push_back(op.getIndexingMapsArray()[argument].replaceDimsAndSymbols(places, {}, count, 0));
  }
  maps.push_back(AffineMap::get(count, 0, b.getContext()));
  Value no = arith::ConstantOp::create(b, b.getBoolAttr(false));
  Value empty = tensor::EmptyOp::create(b, ArrayRef<int64_t>(), b.getI1Type());
  Value init = linalg::FillOp::create(b, no, empty).getResult(0);
  SmallVector<utils::IteratorType> iterators(count, utils::IteratorType::reduction);
  auto body = [&](OpBuilder &inner, Location loc, ValueRange in) {
    IRMapping mapping;
    for (auto [argument, value] : llvm::zip(slice.arguments, in))
      mapping.map(op.getBody()->getArgument(argument), value);
    for (Operation &each : op.getBody()->without_terminator())
      if (slice.ops.contains(&each))
        inner.clone(each, mapping)->walk([&](linalg::IndexOp index) { index.setDim(position[index.getDim()]); });
    Value broken = in.back();
    for (const Lookup &lookup : lookups) { // A negative one is a large unsigned one.
      Value outside = arith::CmpIOp::create(inner, loc, arith::CmpIPredicate::uge, mapping.lookupOrDefault(lookup.raw),
                                            lookup.extent);
      broken = arith::OrIOp::create(inner, loc, broken, outside);
    }
    linalg::YieldOp::create(inner, loc, broken);
  };
  return linalg::GenericOp::create(b, init.getType(), inputs, init, maps, iterators, body).getResult(0);
}

/// Nothing runs where one of the extents is 0. A loop of one round at most, since what a loop carries keeps its
/// extents.
static void skipWithout(linalg::GenericOp op, ArrayRef<Value> extents) {
  ImplicitLocOpBuilder b(op.getLoc(), op);
  Value zero = arith::ConstantIndexOp::create(b, 0), one = arith::ConstantIndexOp::create(b, 1), rounds = one;
  for (Value extent : extents)
    rounds = arith::MinSIOp::create(b, rounds, extent);
  auto loop = scf::ForOp::create(b, zero, rounds, one, op.getOutputs());
  op->replaceAllUsesWith(loop);
  op.getOutputsMutable().assign(loop.getRegionIterArgs());
  b.setInsertionPointToStart(loop.getBody());
  op->moveBefore(scf::YieldOp::create(b, op.getResults()));
}

LogicalResult qtensor::checkLookups(linalg::GenericOp op, StringRef place,
                                    llvm::function_ref<bool(OpOperand *)> isSettled) {
  SmallVector<Lookup> lookups;
  SmallVector<Value> mayBeNone;
  for (OpOperand *index : getLookups(op)) {
    bool settled = isSettled(index);
    if (settled && getPlace(index->get()))
      continue;
    lookups.push_back(bound(index, op));
    if (!settled)
      mayBeNone.push_back(lookups.back().extent);
  }
  if (lookups.empty())
    return success();
  ImplicitLocOpBuilder b(op.getLoc(), op);
  FailureOr<Value> found = findBroken(b, op, lookups, !mayBeNone.empty());
  if (failed(found))
    return failure();
  Value broken = tensor::ExtractOp::create(b, *found, ValueRange());
  Value holds = arith::XOrIOp::create(b, broken, arith::ConstantOp::create(b, b.getBoolAttr(true)));
  cf::AssertOp::create(b, holds, (place + ": an index is outside of the data that it reads").str());
  if (!mayBeNone.empty())
    skipWithout(op, mayBeNone);
  return success();
}
