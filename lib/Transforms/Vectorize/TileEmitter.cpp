// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Vectorize/TileEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;

/// Ops with fewer points than this are not worth waking threads for.
static constexpr int64_t kParallelPoints = 1 << 15;

static bool isLarge(linalg::LinalgOp op) {
  int64_t points = 1;
  for (int64_t extent : op.getStaticLoopRanges()) {
    if (ShapedType::isDynamic(extent))
      extent = 64;
    points *= extent;
  }
  return points >= kParallelPoints;
}

TileEmitter::TileEmitter(linalg::LinalgOp op, const LoopPlan &plan, TileShape shape)
    : op(op), plan(plan), shape(shape), payload(op, plan), loc(op.getLoc()) {
  isParallelDone = !shape.parallel || !isLarge(op);
  if (!plan.row)
    this->shape.rows = 1;
  if (plan.laneIsReduction && !plan.column)
    this->shape.vectors = 1;
  // A square tile needs the fewest loads; each of its accumulators holds 16 partial sums, whatever the level.
  if (plan.column)
    this->shape.rows = this->shape.vectors = std::max<unsigned>(2, std::sqrt(shape.rows * shape.vectors + 4));
}

Value TileEmitter::constant(OpBuilder &b, int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

Value TileEmitter::roundDown(OpBuilder &b, Value value, int64_t factor) {
  if (std::optional<int64_t> known = getConstantIntValue(value))
    return constant(b, *known / factor * factor);
  Value factorValue = constant(b, factor);
  Value count = arith::DivUIOp::create(b, loc, value, factorValue);
  return arith::MulIOp::create(b, loc, count, factorValue);
}

Value TileEmitter::mask(OpBuilder &b, Value extent, Value begin) {
  Value left = b.createOrFold<arith::SubIOp>(loc, extent, begin);
  return vector::CreateMaskOp::create(b, loc, VectorType::get({kLanes}, b.getI1Type()), left);
}

void TileEmitter::loop(OpBuilder &b, Value begin, Value end, int64_t step, bool mayBeParallel, Body body) {
  std::optional<int64_t> first = getConstantIntValue(begin), last = getConstantIntValue(end);
  if (first && last && *first >= *last)
    return;
  if (first && last && *first + step >= *last)
    return body(b, begin);
  Value stepValue = constant(b, step);
  if (mayBeParallel && !isParallelDone) {
    isParallelDone = true;
    scf::ParallelOp::create(b, loc, begin, end, stepValue,
                            [&](OpBuilder &inner, Location, ValueRange ivs) { body(inner, ivs[0]); });
    isParallelDone = false; // A tail loop beside this one may be parallel too.
    return;
  }
  bool outside = isParallelDone;
  scf::ForOp::create(b, loc, begin, end, stepValue, ValueRange(),
                     [&](OpBuilder &inner, Location, Value iv, ValueRange) {
                       body(inner, iv);
                       scf::YieldOp::create(inner, loc);
                     });
  isParallelDone = outside;
}

void TileEmitter::emit(OpBuilder &b) {
  for (Range range : op.createLoopRanges(b, loc))
    extents.push_back(getValueOrCreateConstantIndexOp(b, loc, range.size));
  SmallVector<Value> indices(extents.size());
  outerLoops(b, 0, indices);
}

void TileEmitter::outerLoops(OpBuilder &b, unsigned depth, SmallVector<Value> &indices) {
  if (depth == plan.outer.size())
    return laneLoops(b, indices);
  unsigned dim = plan.outer[depth];
  loop(b, constant(b, 0), extents[dim], 1, /*mayBeParallel=*/true, [&](OpBuilder &inner, Value index) {
    indices[dim] = index;
    outerLoops(inner, depth + 1, indices);
  });
}

/// Full groups of vectors, then single vectors, then a masked one.
void TileEmitter::laneLoops(OpBuilder &b, SmallVector<Value> &indices) {
  Value zero = constant(b, 0);
  if (plan.laneIsReduction) { // The lane loop is the innermost reduction.
    indices[plan.lane] = zero;
    return columnLoops(b, indices);
  }
  Value extent = extents[plan.lane];
  int64_t group = kLanes * shape.vectors;
  Value groupsEnd = roundDown(b, extent, group), vectorsEnd = roundDown(b, extent, kLanes);
  auto body = [&](unsigned vectors) {
    return [&, vectors](OpBuilder &inner, Value index) {
      indices[plan.lane] = index;
      rowLoops(inner, {indices, shape.rows, vectors, Value()});
    };
  };
  loop(b, zero, groupsEnd, group, /*mayBeParallel=*/true, body(shape.vectors));
  if (shape.vectors > 1)
    loop(b, groupsEnd, vectorsEnd, kLanes, /*mayBeParallel=*/false, body(1));
  // At most one iteration, but a loop is the simplest "if anything is left".
  loop(b, vectorsEnd, extent, kLanes, /*mayBeParallel=*/false, [&](OpBuilder &inner, Value index) {
    indices[plan.lane] = index;
    rowLoops(inner, {indices, shape.rows, 1, mask(inner, extent, index)});
  });
}

void TileEmitter::columnLoops(OpBuilder &b, SmallVector<Value> &indices) {
  if (!plan.column)
    return rowLoops(b, {indices, shape.rows, 1, Value()});
  Value extent = extents[*plan.column], fullEnd = roundDown(b, extent, shape.vectors);
  auto body = [&](unsigned columns) {
    return [&, columns](OpBuilder &inner, Value index) {
      indices[*plan.column] = index;
      rowLoops(inner, {indices, shape.rows, columns, Value()});
    };
  };
  loop(b, constant(b, 0), fullEnd, shape.vectors, /*mayBeParallel=*/true, body(shape.vectors));
  loop(b, fullEnd, extent, 1, /*mayBeParallel=*/false, body(1));
}

void TileEmitter::rowLoops(OpBuilder &b, Tile tile) {
  if (!plan.row)
    return emitTile(b, tile);
  Value extent = extents[*plan.row], done = constant(b, 0);
  // Every tile reads all vectors of the other input, so as few tiles as possible: known rows are shared evenly among
  // them; of unknown ones, pairs and a single one are left.
  SmallVector<unsigned> sizes = {shape.rows, 1};
  if (std::optional<int64_t> known = getConstantIntValue(extent); known && *known > 0) {
    unsigned even = llvm::divideCeil(*known, llvm::divideCeil(*known, shape.rows));
    sizes = {even, std::max<unsigned>(1, *known % even)};
  } else if (shape.rows > 2 && shape.rows % 2 == 0) {
    sizes = {shape.rows, 2, 1};
  }
  auto body = [&](unsigned rows) {
    return [&, rows](OpBuilder &inner, Value index) {
      Tile at = tile;
      at.rows = rows;
      at.indices[*plan.row] = index;
      emitTile(inner, at);
    };
  };
  for (auto [i, rows] : llvm::enumerate(sizes)) {
    // Each size divides those before it, or is what they leave.
    Value end = i + 1 == sizes.size() ? extent : roundDown(b, extent, rows);
    loop(b, done, end, rows, /*mayBeParallel=*/i == 0, body(rows));
    done = end;
  }
}

Point TileEmitter::pointOf(OpBuilder &b, const Tile &tile, ArrayRef<Value> indices, unsigned row, unsigned vector) {
  Point point = {SmallVector<Value>(indices), tile.mask, extents[plan.lane]};
  auto shift = [&](Value &index, int64_t by) {
    if (by)
      index = b.createOrFold<arith::AddIOp>(loc, index, constant(b, by));
  };
  if (plan.row)
    shift(point.indices[*plan.row], row);
  if (plan.column)
    shift(point.indices[*plan.column], vector);
  else
    shift(point.indices[plan.lane], vector * kLanes);
  return point;
}

/// Whether the operand differs from one vector (or column) of the tile to the next.
bool TileEmitter::usesVector(OpOperand &operand) {
  if (plan.laneIsReduction)
    return plan.column && op.getMatchingIndexingMap(&operand).isFunctionOfDim(*plan.column);
  return plan.access[operand.getOperandNumber()] != Access::Uniform;
}

/// One evaluation of the body for every vector of the tile. An operand that does not move with the row (or with the
/// vector) is loaded once.
SmallVector<Value> TileEmitter::step(OpBuilder &b, const Tile &tile, ArrayRef<Value> indices,
                                     ArrayRef<Value> accumulators) {
  SmallVector<Value> results;
  DenseMap<std::tuple<unsigned, unsigned, unsigned>, Value> loaded;
  unsigned inits = op.getNumDpsInits();
  for (unsigned row = 0; row < tile.rows; ++row)
    for (unsigned vector = 0; vector < tile.vectors; ++vector) {
      Point point = pointOf(b, tile, indices, row, vector);
      SmallVector<Value> arguments(op->getNumOperands());
      for (OpOperand &operand : op->getOpOperands()) {
        unsigned number = operand.getOperandNumber();
        BlockArgument argument = op.getMatchingBlockArgument(&operand);
        if (argument.use_empty())
          continue;
        if (op.isDpsInit(&operand) && plan.hasReduction()) {
          unsigned init = number - op.getNumDpsInputs();
          arguments[number] = accumulators[(row * tile.vectors + vector) * inits + init];
          continue;
        }
        bool usesRow = plan.row && op.getMatchingIndexingMap(&operand).isFunctionOfDim(*plan.row);
        Value &value = loaded[{number, usesRow ? row : 0, usesVector(operand) ? vector : 0}];
        arguments[number] = value = value ? value : payload.load(b, operand, point);
      }
      llvm::append_range(results, payload.evaluate(b, arguments, point));
    }
  return results;
}

Value TileEmitter::combine(OpBuilder &b, Operation *combiner, Value lhs, Value rhs) {
  return b.create(loc, combiner->getName().getIdentifier(), {lhs, rhs}, {lhs.getType()}, combiner->getAttrs())
      ->getResult(0);
}

/// Adds (or multiplies, ...) the lanes by halves: the same tree on every level.
Value TileEmitter::foldLanes(OpBuilder &b, Operation *combiner, Value vector) {
  for (int64_t width = kLanes / 2; width >= 1; width /= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t i = 0; i < width; ++i) {
      low.push_back(i);
      high.push_back(i + width);
    }
    Value lower = vector::ShuffleOp::create(b, loc, vector, vector, low);
    Value upper = vector::ShuffleOp::create(b, loc, vector, vector, high);
    vector = combine(b, combiner, lower, upper);
  }
  return vector::ExtractOp::create(b, loc, vector, ArrayRef<int64_t>{0});
}

SmallVector<Value> TileEmitter::initialAccumulators(OpBuilder &b, const Tile &tile) {
  SmallVector<Value> values;
  for (unsigned row = 0; row < tile.rows; ++row)
    for (unsigned vector = 0; vector < tile.vectors; ++vector)
      for (OpOperand &init : op.getDpsInitsMutable()) {
        if (!plan.laneIsReduction) {
          values.push_back(payload.broadcast(b, payload.load(b, init, pointOf(b, tile, tile.indices, row, vector))));
          continue;
        }
        Operation *combiner = findCombiner(op, init.getOperandNumber() - op.getNumDpsInputs());
        Value neutral = arith::ConstantOp::create(b, loc, *arith::getNeutralElement(combiner));
        values.push_back(payload.broadcast(b, neutral));
      }
  return values;
}

void TileEmitter::finish(OpBuilder &b, const Tile &tile, ArrayRef<Value> accumulators) {
  unsigned next = 0;
  for (unsigned row = 0; row < tile.rows; ++row)
    for (unsigned vector = 0; vector < tile.vectors; ++vector) {
      Point point = pointOf(b, tile, tile.indices, row, vector);
      for (OpOperand &init : op.getDpsInitsMutable()) {
        Value value = accumulators[next++];
        if (plan.laneIsReduction) {
          Operation *combiner = findCombiner(op, init.getOperandNumber() - op.getNumDpsInputs());
          value = combine(b, combiner, payload.load(b, init, point), foldLanes(b, combiner, value));
        }
        payload.store(b, value, init, point);
      }
    }
}

void TileEmitter::emitTile(OpBuilder &b, const Tile &tile) {
  if (!plan.hasReduction())
    return finish(b, tile, step(b, tile, tile.indices, {}));
  finish(b, tile, reduce(b, tile, 0, tile.indices, initialAccumulators(b, tile)));
}

/// A loop that carries the accumulators.
static SmallVector<Value>
carryingLoop(OpBuilder &b, Location loc, Value begin, Value end, Value step, SmallVector<Value> accumulators,
             llvm::function_ref<SmallVector<Value>(OpBuilder &, Value, SmallVector<Value>)> body) {
  auto loop = scf::ForOp::create(b, loc, begin, end, step, accumulators,
                                 [&](OpBuilder &inner, Location, Value iv, ValueRange carried) {
                                   scf::YieldOp::create(inner, loc, body(inner, iv, SmallVector<Value>(carried)));
                                 });
  return SmallVector<Value>(loop.getResults());
}

SmallVector<Value> TileEmitter::reduce(OpBuilder &b, const Tile &tile, unsigned depth, SmallVector<Value> indices,
                                       SmallVector<Value> accumulators) {
  if (depth == plan.reductions.size())
    return plan.laneIsReduction ? reduceLanes(b, tile, indices, accumulators) : step(b, tile, indices, accumulators);
  unsigned dim = plan.reductions[depth];
  return carryingLoop(b, loc, constant(b, 0), extents[dim], constant(b, 1), accumulators,
                      [&](OpBuilder &inner, Value index, SmallVector<Value> carried) {
                        indices[dim] = index;
                        return reduce(inner, tile, depth + 1, indices, carried);
                      });
}

/// The innermost reduction, 16 elements at a time; lanes beyond the end keep what they had.
SmallVector<Value> TileEmitter::reduceLanes(OpBuilder &b, const Tile &tile, SmallVector<Value> indices,
                                            SmallVector<Value> accumulators) {
  Value extent = extents[plan.lane], end = roundDown(b, extent, kLanes), lanes = constant(b, kLanes);
  accumulators = carryingLoop(b, loc, constant(b, 0), end, lanes, accumulators,
                              [&](OpBuilder &inner, Value index, SmallVector<Value> carried) {
                                indices[plan.lane] = index;
                                return step(inner, tile, indices, carried);
                              });
  std::optional<int64_t> known = getConstantIntValue(extent);
  if (known && *known % kLanes == 0)
    return accumulators;
  return carryingLoop(b, loc, end, extent, lanes, accumulators,
                      [&](OpBuilder &inner, Value index, SmallVector<Value> carried) {
                        indices[plan.lane] = index;
                        Tile masked = tile;
                        masked.mask = mask(inner, extent, index);
                        SmallVector<Value> next = step(inner, masked, indices, carried);
                        for (auto [value, before] : llvm::zip_equal(next, carried))
                          value = arith::SelectOp::create(inner, loc, masked.mask, value, before);
                        return next;
                      });
}
