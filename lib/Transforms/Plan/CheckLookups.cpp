// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Plan/CheckLookups.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// What `values` are computed from, inside of a body.
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
  }
};
} // namespace

/// The index itself, or the nearest one inside of dimension `dim` of what `read` reads.
static Value bound(tensor::ExtractOp read, unsigned dim, linalg::GenericOp op) {
  ImplicitLocOpBuilder outside(op.getLoc(), op), b(read.getLoc(), read);
  auto type = cast<RankedTensorType>(read.getTensor().getType());
  Value last;
  if (type.isDynamicDim(dim))
    last = arith::SubIOp::create(outside, tensor::DimOp::create(outside, read.getTensor(), dim),
                                 arith::ConstantIndexOp::create(outside, 1));
  else
    last = arith::ConstantIndexOp::create(outside, std::max<int64_t>(type.getDimSize(dim), 1) - 1);
  Value none = arith::ConstantIndexOp::create(outside, 0), index = read.getIndices()[dim];
  return arith::MaxSIOp::create(b, arith::MinSIOp::create(b, index, last), none);
}

/// The loops of `op` that what is in the slice depends on.
static llvm::SmallBitVector getLoops(linalg::GenericOp op, const Slice &slice) {
  llvm::SmallBitVector loops(op.getNumLoops());
  for (unsigned argument : slice.arguments)
    for (unsigned loop = 0; loop < op.getNumLoops(); ++loop)
      if (op.getIndexingMapsArray()[argument].isFunctionOfDim(loop))
        loops.set(loop);
  for (Operation *inner : slice.ops)
    if (auto index = dyn_cast<linalg::IndexOp>(inner))
      loops.set(index.getDim());
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

/// A tensor<i1>: whether any index differs from its bounded one. All loops of `op` that matter are reductions of it.
static Value findBroken(ImplicitLocOpBuilder &b, linalg::GenericOp op, ArrayRef<std::pair<Value, Value>> indices) {
  Slice slice;
  for (auto [index, bounded] : indices) {
    slice.add(index, op.getBody());
    slice.add(bounded, op.getBody());
  }
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
        if (auto index = dyn_cast<linalg::IndexOp>(inner.clone(each, mapping)))
          index.setDim(position[index.getDim()]);
    Value broken = in.back();
    for (auto [index, bounded] : indices)
      broken =
          arith::OrIOp::create(inner, loc, broken,
                               arith::CmpIOp::create(inner, loc, arith::CmpIPredicate::ne,
                                                     mapping.lookupOrDefault(index), mapping.lookupOrDefault(bounded)));
    linalg::YieldOp::create(inner, loc, broken);
  };
  return linalg::GenericOp::create(b, init.getType(), inputs, init, maps, iterators, body).getResult(0);
}

void qtensor::checkLookups(linalg::GenericOp op, StringRef place) {
  if (!op.hasPureTensorSemantics())
    return;
  SmallVector<tensor::ExtractOp> reads(op.getBody()->getOps<tensor::ExtractOp>());
  SmallVector<std::pair<Value, Value>> indices;
  for (tensor::ExtractOp read : reads)
    for (unsigned dim = 0; dim < read.getIndices().size(); ++dim) {
      Value index = read.getIndices()[dim];
      Slice slice;
      slice.add(index, op.getBody());
      if (slice.arguments.empty()) // Computed from the loops alone: no data.
        continue;
      Value bounded = bound(read, dim, op);
      read.getIndicesMutable().slice(dim, 1).assign(bounded);
      indices.push_back({index, bounded});
    }
  if (indices.empty())
    return;
  ImplicitLocOpBuilder b(op.getLoc(), op);
  Value broken = tensor::ExtractOp::create(b, findBroken(b, op, indices), ValueRange());
  Value holds = arith::XOrIOp::create(b, broken, arith::ConstantOp::create(b, b.getBoolAttr(true)));
  cf::AssertOp::create(b, holds, (place + ": an index is outside of the data that it reads").str());
}
