// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// One register tile: `rows` activations and `columns` vectors of outputs, for a range of blocks of K or for all of K. The
// order of every f32 addition is fixed here and depends on neither the tile, the range nor the machine. math.fma, not
// vector.fma: the latter may be split into two roundings where the machine has no fused multiplication.
#include "lib/Transforms/Kernel/TileEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::kernel;

namespace {
class TileEmitter {
public:
  TileEmitter(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine, const TileVariant &variant,
              ValueRange arguments);
  void emit();

private:
  void emitRange();
  SmallVector<Value> startSums();
  SmallVector<Value> emitBlocks(Value first, Value last, ValueRange inits);
  SmallVector<Value> emitBlockRange(Value first, Value last, ValueRange inits);
  void askInTurn(Value done, Value all, Value start, int64_t steps);
  void askForBlock(Value block);
  void askForStep(Value block, Value step);
  bool readsPanels() const { return shape.columns * machine.lanes >= layout.getRows(); }
  SmallVector<Value> integerBlock(Value block, ValueRange sums);
  void subtractZeros(Value perRow, MutableArrayRef<Value> dots);
  SmallVector<Value> scaleSums(Value perRow, ArrayRef<Value> rowSums, ArrayRef<Value> dots, ValueRange sums);
  SmallVector<Value> floatBlock(Value block, ValueRange sums);
  SmallVector<Value> floatStep(Value block, Value step, Value bytes, ValueRange sums);
  SmallVector<Value> decodedStep(Value allSteps, Value first, ValueRange sums);
  void multiplyRows(Value x, ArrayRef<Value> w, MutableArrayRef<Value> sums);
  Value loadDecoded(Value allSteps, int64_t column, int64_t i, Value behind);
  Value firstWord(Value block, Value step);
  SmallVector<Value> steps(function_ref<SmallVector<Value>(Value step, ValueRange)> body, ValueRange inits);
  SmallVector<Value> blockSums(Value block, ValueRange inits);
  SmallVector<Value> alternateSums(Value block, ValueRange inits);
  SmallVector<Value> fractionSums(Value block, ValueRange inits);
  SmallVector<Value> fractionStep(Value block, Value step, ValueRange inits);
  SmallVector<Value> dotStep(Value block, Value step, ArrayRef<ArrayRef<uint8_t>> limbs, int64_t firstLimb,
                             ValueRange inits, bool alternate = false);
  Value broadcastAt(Value buffer, Value index, int64_t offset);
  Value pin(Value sums);
  void store(ValueRange sums);
  Value sumIndex(int64_t row, int64_t column);
  Value loadSum(int64_t row, int64_t column);
  void storeSum(Value sum, int64_t row, int64_t column);

  int64_t at(int64_t row, int64_t column) const { return row * shape.columns + column; }
  int64_t count() const { return shape.rows * shape.columns; }
  /// A row of ones sums the codes of the columns where activations have zero points.
  int64_t dotRows() const { return shape.rows + (spec.lhsZero ? 1 : 0); }

  ImplicitLocOpBuilder &b;
  const KernelSpec &spec;
  const TileMachine &machine;
  const TileVariant &variant;
  TileShape shape;
  qtile::LayoutAttr layout;
  WeightReader reader;
  VectorType f32, i32, i16;
  CommonArguments common;
  TileArguments args;
  bool sumsInMemory; ///< The f32 sums do not fit the registers beside those of a block: they stay in args.sums.
  SmallVector<BlockParameters> parameters; ///< Of the current block, one a column.
};
} // namespace

TileEmitter::TileEmitter(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine,
                         const TileVariant &variant, ValueRange arguments)
    : b(b), spec(spec), machine(machine), variant(variant), shape(variant.shape), layout(spec.weight.layout),
      reader(b, spec, machine),
      f32(VectorType::get(machine.lanes, b.getF32Type())), i32(VectorType::get(machine.lanes, b.getI32Type())),
      i16(VectorType::get(2 * machine.lanes, b.getI16Type())) {
  ValueRange rest;
  common = CommonArguments::take(spec, arguments, rest);
  if (!spec.hasDynamicSteps())
    common.extents.steps = constant(b, spec.getSteps());
  args = TileArguments::take(variant, rest);
  if (!spec.splitsBlocks() || !variant.isRange()) {
    args.firstStep = constant(b, 0);
    args.lastStep = common.extents.steps;
  }
  sumsInMemory = variant.isRange() && keepsSumsInMemory(spec, machine, shape);
}

void TileEmitter::emit() {
  reader.begin(common.weights, common.extents, args.column, shape.columns, args.lastColumn);
  if (variant.isRange())
    return emitRange();
  if (variant.kind == TileVariant::Asking)
    reader.askEachAhead(args.ahead);
  Value zero = constant(b, 0);
  SmallVector<Value> zeros(count(), splat(b, f32, 0));
  store(spec.integerResult ? integerBlock(zero, {}) : emitBlocks(zero, common.extents.blocks, zeros));
}

/// The distance of rows is a run-time value, so that LLVM cannot tell the rows apart: it would carry sums from block to
/// block in registers that there are not, and spill them to a stack that is not aligned to vectors.
Value TileEmitter::sumIndex(int64_t row, int64_t column) {
  Value start = add(b, args.firstSum, mul(b, args.sumStride, constant(b, row)));
  return add(b, start, constant(b, column * machine.lanes));
}

Value TileEmitter::loadSum(int64_t row, int64_t column) {
  return vector::LoadOp::create(b, f32, args.sums, sumIndex(row, column));
}

void TileEmitter::storeSum(Value sum, int64_t row, int64_t column) {
  if (sum.getType() != f32)
    sum = vector::BitCastOp::create(b, f32, sum);
  vector::StoreOp::create(b, sum, args.sums, sumIndex(row, column));
}

/// What the sums were before this range: zeros for the first one.
SmallVector<Value> TileEmitter::startSums() {
  Value before = add(b, args.firstBlock, args.firstStep);
  Value first = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, before, constant(b, 0));
  SmallVector<Type> types(sumsInMemory ? 0 : count(), f32);
  Value zero = splat(b, f32, 0);
  auto start = scf::IfOp::create(b, types, first, /*addThenBlock=*/true, /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(start.thenBlock());
  if (sumsInMemory)
    for (int64_t i = 0; i < count(); ++i)
      storeSum(zero, i / shape.columns, i % shape.columns);
  scf::YieldOp::create(b, SmallVector<Value>(types.size(), zero));
  b.setInsertionPointToStart(start.elseBlock());
  SmallVector<Value> sums;
  for (size_t i = 0; i < types.size(); ++i)
    sums.push_back(loadSum(i / shape.columns, i % shape.columns));
  scf::YieldOp::create(b, sums);
  return SmallVector<Value>(start.getResults());
}

void TileEmitter::emitRange() {
  SmallVector<Value> sums = spec.integerResult ? integerBlock(constant(b, 0), {})
                                               : emitBlocks(args.firstBlock, args.lastBlock, startSums());
  for (auto [i, sum] : llvm::enumerate(sums))
    storeSum(sum, i / shape.columns, i % shape.columns);
}

Value TileEmitter::broadcastAt(Value buffer, Value index, int64_t offset) {
  Value element = memref::LoadOp::create(b, buffer, add(b, index, constant(b, offset)));
  return vector::BroadcastOp::create(b, VectorType::get(machine.lanes, element.getType()), element);
}

/// The sums over blocks [first, last).
SmallVector<Value> TileEmitter::emitBlocks(Value first, Value last, ValueRange inits) {
  return reader.overGroups(first, last, inits, [&](Value from, Value to, ValueRange sums) {
    return emitBlockRange(from, to, sums);
  });
}

SmallVector<Value> TileEmitter::emitBlockRange(Value first, Value last, ValueRange inits) {
  auto loop = scf::ForOp::create(b, first, last, constant(b, 1), inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value block = loop.getInductionVar();
  askForBlock(block);
  SmallVector<Value> next = spec.strategy == SumStrategy::Integer ? integerBlock(block, loop.getRegionIterArgs())
                                                                  : floatBlock(block, loop.getRegionIterArgs());
  if (!next.empty())
    scf::YieldOp::create(b, next);
  return SmallVector<Value>(loop.getResults());
}

/// Each tile asks for the part of the next range that its rows are of all rows, a few lines at each of `all` places: so memory
/// works as long as the arithmetic does. The first tile asks for its own lines, too, for the processor drops what is asked
/// for faster than memory delivers. `steps` is 0 where a place is a step, which begins at `start`.
void TileEmitter::askInTurn(Value done, Value all, Value start, int64_t steps) {
  if (!variant.isDecoded() && readsPanels())
    reader.askWholeAhead(start, args.ahead, steps);
  reader.askInTurn(args.firstBlock, args.lastBlock, done, all, {args.turn, args.turnEnd});
}

void TileEmitter::askForBlock(Value block) {
  if (spec.hasDynamicSteps() || !variant.isRange())
    return;
  Value done = sub(b, block, args.firstBlock), all = sub(b, args.lastBlock, args.firstBlock);
  if (variant.asks)
    askInTurn(done, all, reader.blockOffset(block), spec.getSteps());
  else if (!variant.isDecoded() && !readsPanels())
    reader.askAhead(block, args.firstBlock, args.lastBlock, spec.getSteps());
}

/// Long blocks ask step by step.
void TileEmitter::askForStep(Value block, Value step) {
  if (!spec.hasDynamicSteps() || !variant.asks)
    return;
  Value steps = common.extents.steps, done = add(b, mul(b, sub(b, block, args.firstBlock), steps), step);
  askInTurn(done, mul(b, sub(b, args.lastBlock, args.firstBlock), steps),
            reader.stepOffset(reader.blockOffset(block), step), 0);
}

/// A block is one step, or a loop of equal steps.
SmallVector<Value> TileEmitter::steps(function_ref<SmallVector<Value>(Value, ValueRange)> body, ValueRange inits) {
  if (spec.getSteps() == 1)
    return body(constant(b, 0), inits);
  auto loop = scf::ForOp::create(b, args.firstStep, args.lastStep, constant(b, 1), inits);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  scf::YieldOp::create(b, body(loop.getInductionVar(), loop.getRegionIterArgs()));
  return SmallVector<Value>(loop.getResults());
}

/// Left to itself, LLVM does one column after the other, keeps all broadcasts of a step for the next, and spills them.
Value TileEmitter::pin(Value sums) {
  return machine.pinned ? qtile::PinOp::create(b, sums).getResult() : sums;
}

/// One is within [-256 * max, 254 * max].
int64_t kernel::getPairSteps(int64_t max) { return std::max<int64_t>(1, 128 / max); }

/// Vector `i` of the decoded weights of column `column` in the step `allSteps` of K, `behind` elements further.
Value TileEmitter::loadDecoded(Value allSteps, int64_t column, int64_t i, Value behind) {
  DecodedLayout decoded(spec, machine);
  Value start = add(b, mul(b, args.firstBlock, common.extents.steps), args.firstStep);
  Value base = add(b, mul(b, sub(b, allSteps, start), constant(b, decoded.getStepElements())), args.firstDecoded);
  Value index = add(b, add(b, base, behind), constant(b, decoded.getOffset(column, i)));
  return vector::LoadOp::create(b, decoded.getVectorType(b.getContext()), args.decoded, index);
}

/// Where the tile's activations of a step begin, in words of four codes.
Value TileEmitter::firstWord(Value block, Value step) {
  Value allSteps = add(b, mul(b, block, common.extents.steps), step);
  return add(b, div(b, mul(b, args.tileRow, paddedK(b, spec, common.extents)), constant(b, 4)),
             mul(b, add(b, mul(b, allSteps, args.height), args.inside), constant(b, spec.getStep() / 4)));
}

/// i32 sums of one step: every group of four codes meets every row of the tile. `limbs` are the tables of the codes'
/// values, `firstLimb` is the number of the first one; each has its own sums. `alternate`: odd groups stay shifted and have
/// sums of their own, behind the others.
SmallVector<Value> TileEmitter::dotStep(Value block, Value step, ArrayRef<ArrayRef<uint8_t>> limbs, int64_t firstLimb,
                                       ValueRange inits, bool alternate) {
  SmallVector<Value> next = llvm::to_vector(inits);
  SmallVector<SmallVector<Value>> groups;
  if (!variant.isDecoded())
    groups = reader.loadGroups(reader.stepOffset(reader.blockOffset(block), step), alternate);
  int64_t words = spec.getStep() / 4;
  Value first = firstWord(block, step), allSteps = add(b, mul(b, block, common.extents.steps), step);
  SmallVector<Value> values(limbs.size() * shape.columns), pairs(next.size());
  int64_t pairSteps = machine.pairSums ? getPairSteps(spec.weight.max) : 1;
  for (int64_t g = 0; g < words; ++g) {
    // Decoded weights are loaded where they are used: of loads in front of the step LLVM makes spills.
    for (auto [limb, table] : llvm::enumerate(limbs))
      for (int64_t c = 0; c < shape.columns; ++c)
        values[limb * shape.columns + c] = variant.isDecoded()
                                               ? loadDecoded(allSteps, c, firstLimb * words + g, constant(b, 0))
                                               : reader.lookupBytes(groups[c][g], table);
    for (int64_t r = 0; r < dotRows(); ++r) {
      auto bytes = cast<VectorType>(values.front().getType());
      Value x = r == shape.rows
                    ? splat(b, bytes, 1)
                    : vector::BitCastOp::create(b, bytes, broadcastAt(common.x.words, first, r * words + g));
      for (size_t limb = 0; limb < limbs.size(); ++limb)
        for (int64_t c = 0; c < shape.columns; ++c) {
          bool shifted = alternate && g % 2;
          size_t i = (shifted ? 1 : limb) * dotRows() * shape.columns + at(r, c);
          Value w = values[limb * shape.columns + c];
          if (pairSteps == 1) {
            int64_t max = spec.weight.max << (shifted ? layout.getStoredBits() : 0);
            next[i] = pin(qtile::Dot4Op::create(b, next[i], w, x, max));
            continue;
          }
          pairs[i] = pin(qtile::Dot2Op::create(b, g % pairSteps ? pairs[i] : splat(b, i16, 0), w, x));
          if ((g + 1) % pairSteps == 0 || g + 1 == words)
            next[i] = pin(qtile::Dot2Op::create(b, next[i], pairs[i], splat(b, i16, 1)));
        }
    }
  }
  return next;
}

/// The exact sums of a block, on top of `inits`. A row alone reads its weights once and has sums for both limbs; more rows
/// would run out of registers, and read them twice.
SmallVector<Value> TileEmitter::blockSums(Value block, ValueRange inits) {
  ArrayRef<uint8_t> lower = spec.weight.bytes, upper = spec.weight.upper;
  auto sumsOf = [&](ArrayRef<ArrayRef<uint8_t>> limbs, int64_t first, ValueRange start) {
    return steps(
        [&](Value step, ValueRange values) {
          if (first == 0)
            askForStep(block, step);
          return dotStep(block, step, limbs, first, values);
        },
        start);
  };
  if (shape.rows == 1 && lower.empty() && !machine.pairSums && !variant.isDecoded()) {
    // One row meets each digit once: fractions are less work than digits, where their sums need no narrower products.
    if (layout.getRadix() && !spec.lhsZero)
      return fractionSums(block, inits);
    // Sums of both kinds of groups fit the registers of one row. Two bits: the unpacking is as much work as the products.
    if (!layout.getRadix() && layout.getStoredBits() == 2)
      return alternateSums(block, inits);
  }
  if (upper.empty())
    return sumsOf({lower}, 0, inits);
  SmallVector<Value> zeros(inits.size(), splat(b, i32, 0));
  auto addShifted = [&](ValueRange high, ValueRange low) {
    SmallVector<Value> sums;
    for (auto [h, l] : llvm::zip_equal(high, low))
      sums.push_back(arith::AddIOp::create(b, arith::ShLIOp::create(b, h, splat(b, i32, 7)), l));
    return sums;
  };
  if (shape.rows > 1)
    return sumsOf({lower}, 0, addShifted(sumsOf({upper}, 1, zeros), inits));
  SmallVector<Value> both = llvm::to_vector(inits);
  llvm::append_range(both, zeros);
  both = sumsOf({lower, upper}, 0, both);
  return addShifted(ArrayRef(both).drop_front(inits.size()), ArrayRef(both).take_front(inits.size()));
}

/// The sums of the odd groups are whole multiples of what the groups are shifted by, and exact: 2^18 codes, the longest
/// row, stay below 2^29.
SmallVector<Value> TileEmitter::alternateSums(Value block, ValueRange inits) {
  SmallVector<Value> both = llvm::to_vector(inits), sums;
  both.append(inits.size(), splat(b, i32, 0));
  auto step = [&](Value at, ValueRange values) {
    return dotStep(block, at, ArrayRef<uint8_t>(), 0, values, /*alternate=*/true);
  };
  both = steps(step, both);
  Value shift = splat(b, i32, layout.getStoredBits());
  for (size_t i = 0; i < inits.size(); ++i)
    sums.push_back(arith::AddIOp::create(b, both[i], arith::ShRSIOp::create(b, both[inits.size() + i], shift)));
  return sums;
}

/// Sums of fractions f and of what follows them, f': a digit is (radix * f - f') / 256, and so is the sum of digits.
SmallVector<Value> TileEmitter::fractionStep(Value block, Value step, ValueRange inits) {
  SmallVector<Value> next = llvm::to_vector(inits);
  SmallVector<SmallVector<Value>> fractions = reader.loadFractions(reader.stepOffset(reader.blockOffset(block), step));
  Value first = firstWord(block, step);
  for (int64_t g = 0; g < spec.getStep() / 4; ++g) {
    Value word = broadcastAt(common.x.words, first, g);
    for (int64_t c = 0; c < shape.columns; ++c) {
      Value &fraction = fractions[c][g / layout.getDigits()];
      Value x = vector::BitCastOp::create(b, fraction.getType(), word);
      next[c] = qtile::Dot4Op::create(b, next[c], fraction, x, 255);
      // Left to itself, LLVM makes each fraction of the first one, by multiplications of bytes.
      fraction = qtile::PinOp::create(b, reader.nextFraction(fraction));
      next[shape.columns + c] = qtile::Dot4Op::create(b, next[shape.columns + c], fraction, x, 255);
    }
  }
  return next;
}

/// Exact modulo 2^32, and radix * sum - sum' is 256 times a sum of at most 2^13 products of a digit below 6.
SmallVector<Value> TileEmitter::fractionSums(Value block, ValueRange inits) {
  SmallVector<Value> both(2 * inits.size(), splat(b, i32, 0)), sums;
  both = steps([&](Value step, ValueRange values) { return fractionStep(block, step, values); }, both);
  Value radix = splat(b, i32, layout.getRadix()), places = splat(b, i32, 8);
  for (size_t i = 0; i < inits.size(); ++i) {
    Value scaled = arith::SubIOp::create(b, arith::MulIOp::create(b, both[i], radix), both[inits.size() + i]);
    sums.push_back(arith::AddIOp::create(b, inits[i], arith::ShRSIOp::create(b, scaled, places)));
  }
  return sums;
}

SmallVector<Value> TileEmitter::integerBlock(Value block, ValueRange accumulators) {
  Value perRow = add(b, mul(b, args.tileRow, common.extents.blocks),
                     add(b, mul(b, block, args.height), args.inside));
  Value offset = reader.blockOffset(block);
  SmallVector<Value> rowSums(shape.rows), inits(dotRows() * shape.columns, splat(b, i32, 0));
  for (int64_t r = 0; r < shape.rows; ++r) {
    if (!spec.hasBareSums() && spec.weight.zero == 0)
      continue;
    rowSums[r] = broadcastAt(common.x.sums, perRow, r);
    for (int64_t c = 0; c < shape.columns; ++c)
      if (!spec.hasBareSums())
        inits[at(r, c)] = rowSums[r];
      else if (spec.weight.zero)
        inits[at(r, c)] = arith::MulIOp::create(b, rowSums[r], splat(b, i32, -spec.weight.zero));
  }
  SmallVector<Value> dots = blockSums(block, inits);
  if (spec.lhsZero)
    subtractZeros(perRow, dots);
  parameters.clear();
  for (int64_t c = 0; c < shape.columns; ++c)
    parameters.push_back(reader.loadParameters(c, offset));
  return scaleSums(perRow, rowSums, dots, accumulators);
}

/// dot - zero of the row * sum of the column's codes, which is the dot product of a row of ones behind the others.
void TileEmitter::subtractZeros(Value perRow, MutableArrayRef<Value> dots) {
  for (int64_t r = 0; r < shape.rows; ++r) {
    Value negative = broadcastAt(common.x.zeros, perRow, r);
    for (int64_t c = 0; c < shape.columns; ++c)
      dots[at(r, c)] =
          arith::AddIOp::create(b, dots[at(r, c)], arith::MulIOp::create(b, negative, dots[at(shape.rows, c)]));
  }
}

/// From the exact sums of a block to the f32 sums of the row.
SmallVector<Value> TileEmitter::scaleSums(Value perRow, ArrayRef<Value> rowSums, ArrayRef<Value> dots,
                                          ValueRange accumulators) {
  bool fresh = spec.integerResult || sumsInMemory;
  SmallVector<Value> next(fresh ? SmallVector<Value>(count()) : SmallVector<Value>(accumulators));
  for (int64_t r = 0; r < shape.rows; ++r)
    for (int64_t c = 0; c < shape.columns; ++c) {
      const BlockParameters &block = parameters[c];
      Value dot = dots[at(r, c)], &sum = next[at(r, c)];
      if (block.zero)
        dot = arith::SubIOp::create(b, dot, arith::MulIOp::create(b, block.zero, rowSums[r]));
      if (spec.integerResult) {
        sum = dot;
        continue;
      }
      if (sumsInMemory)
        sum = loadSum(r, c);
      Value x = broadcastAt(common.x.scales, perRow, r);
      Value factor = block.scale ? arith::MulFOp::create(b, x, block.scale).getResult() : x;
      sum = math::FmaOp::create(b, arith::SIToFPOp::create(b, f32, dot), factor, sum);
      if (block.shift)
        sum = math::FmaOp::create(b, arith::SIToFPOp::create(b, f32, rowSums[r]),
                                  arith::MulFOp::create(b, x, block.shift), sum);
      if (sumsInMemory)
        storeSum(sum, r, c);
    }
  return sumsInMemory ? SmallVector<Value>() : next;
}

SmallVector<Value> TileEmitter::floatBlock(Value block, ValueRange accumulators) {
  Value offset = reader.blockOffset(block);
  parameters.clear();
  for (int64_t c = 0; c < shape.columns && !variant.isDecoded(); ++c)
    parameters.push_back(reader.loadParameters(c, offset));
  return steps(
      [&](Value step, ValueRange sums) { return floatStep(block, step, reader.stepOffset(offset, step), sums); },
      accumulators);
}

SmallVector<Value> TileEmitter::floatStep(Value block, Value step, Value bytes, ValueRange sums) {
  SmallVector<Value> next = llvm::to_vector(sums);
  Value allSteps = add(b, mul(b, block, common.extents.steps), step);
  Value first = add(b, mul(b, args.tileRow, paddedK(b, spec, common.extents)),
                    mul(b, add(b, mul(b, allSteps, args.height), args.inside), constant(b, spec.getStep())));
  if (variant.isDecoded())
    return decodedStep(allSteps, first, next);
  SmallVector<SmallVector<Value>> values = reader.loadValues(bytes);
  for (int64_t k = 0; k < spec.getStep(); ++k) {
    SmallVector<Value> w;
    for (int64_t c = 0; c < shape.columns; ++c)
      w.push_back(parameters[c].apply(b, values[c][k]));
    multiplyRows(add(b, first, constant(b, k)), w, next);
  }
  return next;
}

/// Adds the products of one k; `x` is where the activation of the first row lies.
void TileEmitter::multiplyRows(Value x, ArrayRef<Value> w, MutableArrayRef<Value> sums) {
  for (int64_t r = 0; r < shape.rows; ++r) {
    Value value = broadcastAt(common.x.words, x, r * spec.getStep());
    for (int64_t c = 0; c < shape.columns; ++c)
      sums[at(r, c)] = math::FmaOp::create(b, value, w[c], sums[at(r, c)]);
  }
}

/// A loop over the values of a step: nothing is gained by laying all of it out.
SmallVector<Value> TileEmitter::decodedStep(Value allSteps, Value first, ValueRange sums) {
  constexpr int64_t kUnroll = 4;
  DecodedLayout decoded(spec, machine);
  auto loop = scf::ForOp::create(b, constant(b, 0), constant(b, spec.getStep()), constant(b, kUnroll), sums);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> next(loop.getRegionIterArgs().begin(), loop.getRegionIterArgs().end());
  Value k = loop.getInductionVar(), at = mul(b, k, constant(b, decoded.getOffset(0, 1)));
  for (int64_t i = 0; i < kUnroll; ++i) {
    SmallVector<Value> w;
    for (int64_t c = 0; c < shape.columns; ++c)
      w.push_back(loadDecoded(allSteps, c, i, at));
    multiplyRows(add(b, add(b, first, k), constant(b, i)), w, next);
  }
  scf::YieldOp::create(b, next);
  return SmallVector<Value>(loop.getResults());
}

void TileEmitter::store(ValueRange results) {
  for (int64_t c = 0; c < shape.columns; ++c) {
    Value column = add(b, args.column, constant(b, c));
    for (int64_t r = 0; r < shape.rows; ++r)
      storeOutput(b, spec, machine, common, add(b, args.tileRow, constant(b, r)), column, results[at(r, c)]);
  }
}

bool kernel::keepsSumsInMemory(const KernelSpec &spec, const TileMachine &machine, TileShape shape) {
  if (spec.strategy == SumStrategy::Float || spec.integerResult)
    return false;
  // Beside both kinds of sums, registers hold the weights of each column, their scales and the constants of unpacking.
  return 2 * shape.rows * shape.columns + 2 * shape.columns + 2 > machine.registers;
}

func::FuncOp kernel::buildTile(ModuleOp module, const KernelSpec &spec, const TileMachine &machine,
                               const TileVariant &variant) {
  std::string name = llvm::formatv("{0}_{1}_{2}x{3}", spec.name, variant.getName(), variant.shape.rows, variant.shape.columns);
  return buildFunction(module, spec, machine, variant, name, [&](ImplicitLocOpBuilder &b, ValueRange arguments) {
    TileEmitter(b, spec, machine, variant, arguments).emit();
  });
}
