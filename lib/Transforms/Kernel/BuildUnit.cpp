// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The loops around the register tiles. A unit, 64 output columns for a stretch of rows, is what a thread takes at a time.
#include "lib/Transforms/Kernel/Prepare.h"
#include "lib/Transforms/Kernel/TileEmitter.h"
#include "lib/Transforms/Kernel/UnitPlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::kernel;

/// Rows of a stretch at most: the weights of a unit come from memory and are decoded once for each. Their sums lie on the stack.
/// Values are four times as long as codes: those of more rows would leave the caches next to the core before the next unit.
static constexpr int64_t kStretchRows = 512, kStretchRowsOfValues = 192;
/// Where the units are few, stretches are shorter, so that there are as many tasks as this, but not below so many rows.
static constexpr int64_t kLeastTasks = 64, kLeastRows = 96;

int64_t KernelSpec::getStep() const {
  int64_t padded = weight.layout.getPaddedBlock();
  if (weight.layout.getRadix())
    return weight.layout.getChunk();
  return padded % 32 == 0 ? 32 : padded % 16 == 0 ? 16 : weight.layout.getChunk();
}

int64_t qtensor::getStretchRows(const KernelSpec &spec) {
  return spec.strategy == SumStrategy::Float ? kStretchRowsOfValues : kStretchRows;
}

/// Rows of scratch: slack for a tile that reads rows which the matrix does not have, and whole cache lines.
static Value scratchRows(ImplicitLocOpBuilder &b, const KernelExtents &extents) {
  Value padded = add(b, extents.rows, constant(b, 2 * kMaxTileRows - 1));
  return mul(b, div(b, padded, constant(b, kMaxTileRows)), constant(b, kMaxTileRows));
}

Value qtensor::emitScratchBytes(ImplicitLocOpBuilder &b, const KernelSpec &spec, const KernelExtents &extents) {
  Value codes = paddedK(b, spec, extents);
  int64_t perBlock = spec.lhsZero ? 12 : 8;
  Value perRow = spec.strategy == SumStrategy::Integer ? add(b, codes, mul(b, extents.blocks, constant(b, perBlock)))
                                                       : mul(b, codes, constant(b, 4));
  return mul(b, scratchRows(b, extents), perRow);
}

PreparedActivations qtensor::emitScratchViews(ImplicitLocOpBuilder &b, const KernelSpec &spec,
                                              const KernelExtents &extents, Value scratch) {
  auto view = [&](Type element, Value offset, Value count) -> Value {
    auto type = MemRefType::get({ShapedType::kDynamic}, element);
    return memref::ViewOp::create(b, type, scratch, offset, ValueRange{count});
  };
  Value rows = scratchRows(b, extents), zero = constant(b, 0), codes = mul(b, rows, paddedK(b, spec, extents));
  if (spec.strategy == SumStrategy::Float)
    return {{}, view(b.getF32Type(), zero, codes), {}, {}, {}};
  Value blocks = mul(b, rows, extents.blocks), bytes = mul(b, blocks, constant(b, 4)), sums = add(b, codes, bytes);
  return {view(b.getI8Type(), zero, codes), view(b.getI32Type(), zero, div(b, codes, constant(b, 4))),
          view(b.getF32Type(), codes, blocks), view(b.getI32Type(), sums, blocks),
          spec.lhsZero ? view(b.getI32Type(), add(b, sums, bytes), blocks) : Value()};
}

void kernel::storeOutput(ImplicitLocOpBuilder &b, const KernelSpec &spec, const TileMachine &machine,
                         const CommonArguments &common, Value row, Value vector, Value sums) {
  Value column = mul(b, vector, constant(b, machine.lanes)), mask;
  if (spec.columnTail)
    mask = vector::CreateMaskOp::create(b, VectorType::get(machine.lanes, b.getI1Type()),
                                        sub(b, common.extents.columns, column));
  Value value = spec.epilogue ? spec.epilogue(b, sums, {row, column, mask, common.operands}) : sums;
  if (mask)
    vector::MaskedStoreOp::create(b, common.output, ValueRange{row, column}, mask, value);
  else
    vector::StoreOp::create(b, value, common.output, ValueRange{row, column});
}

namespace {
/// The body of a unit's function.
class UnitEmitter {
  using Tile = std::pair<TileVariant, func::FuncOp>;
  /// Where the weights of a tile come from: memory, the caches, or what was decoded.
  enum class Reading { Streamed, Cached, Decoded };

public:
  UnitEmitter(ModuleOp module, const KernelSpec &spec, const TileMachine &machine, const UnitPlan &plan);
  void emit(ImplicitLocOpBuilder &builder, ValueRange arguments);

private:
  void emitSingleRow(Value row);
  void emitRows(Value begin, Value end);
  void emitRanges(Value from, Value to, bool decode);
  void emitRange(Value from, Value to, bool decode);
  void emitTiles(Value row, Value valid, Reading from);
  void emitTurn(const TileVariant &variant);
  Value emitChoice(Value left, size_t run, Reading from);
  void emitColumns(const Tile &tile, Value first, Value last);
  void emitFinish(Value begin, Value end);
  bool readsPanels(TileShape shape) const { return shape.columns * machine.lanes == spec.weight.layout.getRows(); }
  void call(const Tile &tile);
  void loop(Value first, Value last, Value step, function_ref<void(Value)> body);
  void choose(Value condition, function_ref<void()> then, function_ref<void()> otherwise);

  const KernelSpec &spec;
  const TileMachine &machine;
  const UnitPlan &plan;
  Tile single, narrow, decoder;
  SmallVector<Tile> fused, decoded;
  ImplicitLocOpBuilder *builder = nullptr;
  CommonArguments common;
  TileArguments args;
  Value firstVector, lastVector, firstRow, sums, buffer;
  Value rangeRow, rangeRows, rowOfTile; ///< Rows that share a range of K, and where the tile begins.
};
} // namespace

UnitEmitter::UnitEmitter(ModuleOp module, const KernelSpec &spec, const TileMachine &machine, const UnitPlan &plan)
    : spec(spec), machine(machine), plan(plan) {
  auto make = [&](TileVariant::Kind kind, TileShape shape) -> Tile {
    TileVariant variant{kind, shape,
                        asksInTurn(spec, machine) && (kind == TileVariant::Range || kind == TileVariant::Decoded)};
    return {variant, buildTile(module, spec, machine, variant)};
  };
  bool asks = machine.streamAhead && readsPanels(machine.tiles.front());
  single = make(asks ? TileVariant::Asking : TileVariant::Whole, machine.tiles.front());
  narrow = make(TileVariant::Whole, {1, 1});
  for (TileShape shape : plan.fused.shapes)
    fused.push_back(make(TileVariant::Range, shape));
  if (plan.minDecodedRows == UnitPlan::kNever)
    return;
  decoder = {TileVariant::makeDecoder(spec, machine), buildDecode(module, spec, machine)};
  for (TileShape shape : plan.decoded.shapes)
    decoded.push_back(make(TileVariant::Decoded, shape));
}

void UnitEmitter::loop(Value first, Value last, Value step, function_ref<void(Value)> body) {
  auto op = scf::ForOp::create(*builder, first, last, step);
  OpBuilder::InsertionGuard guard(*builder);
  builder->setInsertionPointToStart(op.getBody());
  body(op.getInductionVar());
}

void UnitEmitter::choose(Value condition, function_ref<void()> then, function_ref<void()> otherwise) {
  auto choice = scf::IfOp::create(*builder, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(*builder);
  builder->setInsertionPointToStart(choice.thenBlock());
  then();
  builder->setInsertionPointToStart(choice.elseBlock());
  otherwise();
}

void UnitEmitter::call(const Tile &tile) {
  SmallVector<Value> all = common.flatten();
  llvm::append_range(all, args.flatten(tile.first));
  func::CallOp::create(*builder, tile.second, all);
}

/// Calls the tile for column vectors [first, last) of the unit. A tile that is wider than what is left computes the last
/// vector again.
void UnitEmitter::emitColumns(const Tile &tile, Value first, Value last) {
  ImplicitLocOpBuilder &b = *builder;
  Value row = args.firstSum;
  loop(first, last, constant(b, tile.first.shape.columns), [&](Value vector) {
    args.column = vector;
    Value inUnit = sub(b, vector, firstVector);
    if (row)
      args.firstSum = add(b, row, mul(b, inUnit, constant(b, machine.lanes)));
    if (tile.first.isDecoded())
      args.firstDecoded = mul(b, inUnit, constant(b, DecodedLayout(spec, machine).getOffset(1, 0)));
    call(tile);
  });
  args.firstSum = row;
}

/// One row reads all of K at once: its weights come from memory, as few long streams.
void UnitEmitter::emitSingleRow(Value row) {
  ImplicitLocOpBuilder &b = *builder;
  args.tileRow = row;
  args.inside = constant(b, 0);
  Value wide = constant(b, single.first.shape.columns), count = sub(b, lastVector, firstVector);
  Value end = sub(b, lastVector, rem(b, count, wide));
  args.ahead = constant(b, machine.streamAhead);
  emitColumns(single, firstVector, end);
  emitColumns(narrow, end, lastVector);
}

/// What a tile at `rowOfTile` asks for ahead.
void UnitEmitter::emitTurn(const TileVariant &variant) {
  ImplicitLocOpBuilder &b = *builder;
  if (!variant.asks)
    return;
  Value zero = constant(b, 0), rows = constant(b, variant.shape.rows), parts = constant(b, kTurns);
  Value done = sub(b, rowOfTile, rangeRow);
  args.ahead = zero;
  args.turn = div(b, mul(b, done, parts), rangeRows);
  args.turnEnd = div(b, mul(b, min(b, add(b, done, rows), rangeRows), parts), rangeRows);
  if (variant.isDecoded() || !readsPanels(variant.shape))
    return;
  Value isFirst = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, done, zero);
  args.ahead = arith::SelectOp::create(b, isFirst, constant(b, machine.streamAhead), zero);
  Value alone = arith::CmpIOp::create(b, arith::CmpIPredicate::ule, rangeRows, rows);
  args.turn = arith::SelectOp::create(b, alone, args.turnEnd, args.turn);
}

/// Calls the set's tile for `left` rows, if that is choice `run` or a later one, and returns the tile's rows.
Value UnitEmitter::emitChoice(Value left, size_t run, Reading from) {
  ImplicitLocOpBuilder &b = *builder;
  bool decode = from == Reading::Decoded;
  ArrayRef<std::pair<int64_t, size_t>> choices = decode                      ? plan.decoded.choices
                                                 : from == Reading::Streamed ? plan.fused.streamChoices
                                                                             : plan.fused.choices;
  const Tile &tile = (decode ? decoded : fused)[choices[run].second];
  auto emit = [&]() -> Value {
    emitTurn(tile.first);
    emitColumns(tile, firstVector, lastVector);
    return constant(b, tile.first.shape.rows);
  };
  if (run + 1 == choices.size())
    return emit();
  Value fits = arith::CmpIOp::create(b, arith::CmpIPredicate::ule, left, constant(b, choices[run].first));
  auto choice = scf::IfOp::create(b, TypeRange{b.getIndexType()}, fits, /*addThenBlock=*/true, /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  scf::YieldOp::create(b, emit());
  b.setInsertionPointToStart(choice.elseBlock());
  scf::YieldOp::create(b, emitChoice(left, run + 1, from));
  return choice.getResult(0);
}

/// `valid` rows from `row` on, with the tiles that the plan has for that many. After the first tile weights are in the caches.
void UnitEmitter::emitTiles(Value row, Value valid, Reading from) {
  ImplicitLocOpBuilder &b = *builder;
  args.tileRow = row;
  auto emitAt = [&](Value done, Reading source) -> Value {
    args.inside = done;
    rowOfTile = add(b, row, done);
    args.firstSum = mul(b, sub(b, rowOfTile, firstRow), args.sumStride);
    return add(b, done, emitChoice(sub(b, valid, done), 0, source));
  };
  auto isLeft = [&](OpBuilder &inner, Location loc, ValueRange done) {
    Value more = arith::CmpIOp::create(inner, loc, arith::CmpIPredicate::ult, done[0], valid);
    scf::ConditionOp::create(inner, loc, more, done);
  };
  auto tile = [&](OpBuilder &inner, Location, ValueRange done) {
    OpBuilder::InsertionGuard guard(b);
    b.restoreInsertionPoint(inner.saveInsertionPoint());
    scf::YieldOp::create(b, emitAt(done[0], from == Reading::Streamed ? Reading::Cached : from));
  };
  Value first = constant(b, 0);
  if (from == Reading::Streamed)
    first = emitAt(first, from);
  scf::WhileOp::create(b, TypeRange{b.getIndexType()}, ValueRange{first}, isLeft, tile);
}

/// One range of K, in `args`, for rows [from, to).
void UnitEmitter::emitRange(Value from, Value to, bool decode) {
  ImplicitLocOpBuilder &b = *builder;
  Value height = constant(b, plan.height);
  if (decode)
    loop(firstVector, lastVector, constant(b, 1), [&](Value vector) {
      args.column = vector;
      Value inUnit = sub(b, vector, firstVector);
      args.firstDecoded = mul(b, inUnit, constant(b, DecodedLayout(spec, machine).getOffset(1, 0)));
      call(decoder);
    });
  auto valid = [&](Value row) { return min(b, height, sub(b, to, row)); };
  if (decode || plan.fused.choices == plan.fused.streamChoices) {
    loop(from, to, height, [&](Value row) { emitTiles(row, valid(row), decode ? Reading::Decoded : Reading::Cached); });
    return;
  }
  emitTiles(from, valid(from), Reading::Streamed);
  loop(add(b, from, height), to, height, [&](Value row) { emitTiles(row, valid(row), Reading::Cached); });
}

/// Rows [from, to), one range of K after the other: what a range reads stays in the caches next to the core.
void UnitEmitter::emitRanges(Value from, Value to, bool decode) {
  ImplicitLocOpBuilder &b = *builder;
  int64_t stepsOfRange = decode ? DecodedLayout(spec, machine).getMaxSteps() : plan.rangeSteps;
  Value zero = constant(b, 0), most = constant(b, stepsOfRange), steps = common.extents.steps;
  rangeRow = from, rangeRows = sub(b, to, from);
  Value blocks = max(b, div(b, most, steps), constant(b, 1));
  loop(zero, common.extents.blocks, blocks, [&](Value block) {
    args.firstBlock = block;
    args.lastBlock = min(b, add(b, block, blocks), common.extents.blocks);
    args.firstStep = zero;
    args.lastStep = steps;
    if (!spec.splitsBlocks())
      return emitRange(from, to, decode);
    loop(zero, steps, most, [&](Value step) {
      args.firstStep = step;
      args.lastStep = min(b, add(b, step, most), steps);
      emitRange(from, to, decode);
    });
  });
}

/// From sums in memory to the output.
void UnitEmitter::emitFinish(Value begin, Value end) {
  ImplicitLocOpBuilder &b = *builder;
  Value one = constant(b, 1);
  auto type = VectorType::get(machine.lanes, b.getF32Type());
  loop(begin, end, one, [&](Value row) {
    Value first = mul(b, sub(b, row, firstRow), args.sumStride);
    loop(firstVector, lastVector, one, [&](Value vector) {
      Value at = add(b, first, mul(b, sub(b, vector, firstVector), constant(b, machine.lanes)));
      Value sum = vector::LoadOp::create(b, type, sums, at);
      if (spec.integerResult)
        sum = vector::BitCastOp::create(b, type.clone(b.getI32Type()), sum);
      storeOutput(b, spec, machine, common, row, vector, sum);
    });
  });
}

void UnitEmitter::emitRows(Value begin, Value end) {
  ImplicitLocOpBuilder &b = *builder;
  args.sums = sums;
  args.decoded = buffer;
  if (fused.empty()) {
    emitRanges(begin, end, /*decode=*/true);
  } else if (decoded.empty()) {
    emitRanges(begin, end, /*decode=*/false);
  } else {
    // Rows that do not fill a tile are left to the fused tiles.
    Value rows = sub(b, end, begin), few = rem(b, rows, constant(b, plan.height));
    Value enough = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, rows, constant(b, plan.minDecodedRows));
    Value middle = arith::SelectOp::create(b, enough, sub(b, end, few), begin);
    choose(enough, [&] { emitRanges(begin, middle, /*decode=*/true); }, [] {});
    Value rest = arith::CmpIOp::create(b, arith::CmpIPredicate::ult, middle, end);
    choose(rest, [&] { emitRanges(middle, end, /*decode=*/false); }, [] {});
  }
  emitFinish(begin, end);
}

void UnitEmitter::emit(ImplicitLocOpBuilder &inner, ValueRange arguments) {
  builder = &inner;
  ImplicitLocOpBuilder &b = inner;
  ValueRange rest;
  common = CommonArguments::take(spec, arguments, rest);
  Value begin = rest[0], end = rest[1];
  int64_t panelRows = spec.weight.layout.getRows();
  Value panels = div(b, add(b, common.extents.columns, constant(b, panelRows - 1)), constant(b, panelRows));
  Value perUnit = constant(b, kUnitColumns / machine.lanes), all = mul(b, panels, constant(b, panelRows / machine.lanes));
  firstRow = begin;
  firstVector = mul(b, rest[2], perUnit);
  lastVector = min(b, add(b, firstVector, perUnit), all);
  args.lastColumn = sub(b, all, constant(b, 1));
  args.height = min(b, common.extents.rows, constant(b, plan.height));
  // Whole tiles of columns, in the last unit as well.
  int64_t widest = 1;
  for (TileShape shape : machine.tiles)
    widest = std::max(widest, shape.columns);
  Value padded = add(b, sub(b, lastVector, firstVector), constant(b, widest - 1));
  args.sumStride = mul(b, div(b, padded, constant(b, widest)), constant(b, widest * machine.lanes));
  IntegerAttr alignment = b.getI64IntegerAttr(64);
  int64_t sumRows = getStretchRows(spec) + kMaxTileRows;
  sums = memref::AllocaOp::create(b, MemRefType::get({sumRows * kUnitColumns}, b.getF32Type()), alignment);
  sums = memref::CastOp::create(b, MemRefType::get({ShapedType::kDynamic}, b.getF32Type()), sums);
  if (!decoded.empty())
    buffer = memref::AllocaOp::create(b, DecodedLayout(spec, machine).getBufferType(b.getContext()), alignment);
  Value alone = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, sub(b, end, begin), constant(b, 1));
  choose(alone, [&] { emitSingleRow(begin); }, [&] { emitRows(begin, end); });
}

/// A private function of the common arguments and `numbers` index values.
static func::FuncOp buildUnitFunction(ModuleOp module, const KernelSpec &spec, const std::string &name, unsigned numbers,
                                      function_ref<void(ImplicitLocOpBuilder &, ValueRange)> body) {
  ImplicitLocOpBuilder b(module.getLoc(), module.getContext());
  b.setInsertionPointToEnd(module.getBody());
  SmallVector<Type> types = CommonArguments::getTypes(b.getContext(), spec);
  types.append(numbers, b.getIndexType());
  auto function = func::FuncOp::create(b, name, b.getFunctionType(types, {}));
  function.setPrivate();
  b.setInsertionPointToStart(function.addEntryBlock());
  body(b, function.getArguments());
  func::ReturnOp::create(b);
  return function;
}

func::FuncOp qtensor::buildUnit(ModuleOp module, const KernelSpec &spec, ArrayRef<TileMachine> machines) {
  std::string name = spec.name + "_unit";
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  SmallVector<func::FuncOp> units;
  for (auto [core, machine] : llvm::enumerate(machines)) {
    UnitPlan plan = planUnit(spec, machine);
    UnitEmitter unit(module, spec, machine, plan);
    std::string own = machines.size() == 1 ? name : name + "_" + std::to_string(core);
    units.push_back(buildUnitFunction(module, spec, own, 3, [&](ImplicitLocOpBuilder &b, ValueRange arguments) {
      unit.emit(b, arguments);
    }));
  }
  if (units.size() == 1)
    return units.front();
  return buildUnitFunction(module, spec, name, 4, [&](ImplicitLocOpBuilder &b, ValueRange arguments) {
    SmallVector<int64_t> cores = llvm::to_vector(llvm::seq<int64_t>(1, units.size()));
    auto choice = scf::IndexSwitchOp::create(b, TypeRange(), arguments.back(), cores, cores.size());
    for (auto [region, unit] : llvm::zip_equal(choice->getRegions(), units)) {
      OpBuilder::InsertionGuard guard(b);
      b.createBlock(&region);
      func::CallOp::create(b, unit, arguments.drop_back());
      scf::YieldOp::create(b);
    }
  });
}

Value qtensor::emitCore(ImplicitLocOpBuilder &b, ArrayRef<TileMachine> machines) {
  return machines.size() == 1 ? Value() : qtile::CoreOp::create(b, b.getIndexType()).getResult();
}

Value qtensor::selectByCore(ImplicitLocOpBuilder &b, ArrayRef<TileMachine> machines, Value core,
                            llvm::function_ref<int64_t(const TileMachine &)> numberOf) {
  int64_t first = numberOf(machines.front());
  Value number = constant(b, first);
  for (auto [i, machine] : llvm::enumerate(machines)) {
    if (numberOf(machine) == first)
      continue;
    Value runs = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, core, constant(b, i));
    number = arith::SelectOp::create(b, runs, constant(b, numberOf(machine)), number);
  }
  return number;
}

Value qtensor::emitHeight(ImplicitLocOpBuilder &b, const KernelSpec &spec, ArrayRef<TileMachine> machines, Value core) {
  return selectByCore(b, machines, core, [&](const TileMachine &machine) { return planUnit(spec, machine).height; });
}

void qtensor::emitUnits(ImplicitLocOpBuilder &b, func::FuncOp unit, const KernelSpec &spec, ArrayRef<TileMachine> machines,
                        Value core, const KernelExtents &extents, const PreparedActivations &x, Value weights, Value output,
                        ValueRange operands) {
  CommonArguments common{
      {{}, x.words, x.scales, x.sums, x.zeros}, weights, output, SmallVector<Value>(operands), extents};
  // Stretches of as many tiles each, give or take one, so that a caller who splits the loop in equal parts splits the work so.
  Value zero = constant(b, 0), one = constant(b, 1), height = emitHeight(b, spec, machines, core);
  auto ceilDiv = [&](Value value, int64_t by) { return div(b, add(b, value, constant(b, by - 1)), constant(b, by)); };
  Value tiles = div(b, add(b, extents.rows, sub(b, height, one)), height), units = ceilDiv(extents.columns, kUnitColumns);
  Value wanted = div(b, add(b, constant(b, kLeastTasks - 1), units), max(b, units, one));
  Value stretches = max(b, ceilDiv(extents.rows, getStretchRows(spec)), min(b, wanted, ceilDiv(extents.rows, kLeastRows)));
  scf::ParallelOp::create(b, ValueRange{zero, zero}, ValueRange{stretches, units}, ValueRange{one, one},
                          [&](OpBuilder &inner, Location loc, ValueRange index) {
                            ImplicitLocOpBuilder body(loc, inner);
                            SmallVector<Value> arguments = common.flatten();
                            auto firstRow = [&](Value stretch) {
                              return mul(body, div(body, mul(body, stretch, tiles), stretches), height);
                            };
                            Value end = min(body, firstRow(add(body, index[0], one)), extents.rows);
                            arguments.append({firstRow(index[0]), end, index[1]});
                            if (core)
                              arguments.push_back(core);
                            func::CallOp::create(body, unit, arguments);
                          });
}
