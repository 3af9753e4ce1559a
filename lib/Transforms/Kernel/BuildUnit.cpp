// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The loops around the register tiles. A unit, 64 output columns for a stretch of rows, is what a thread takes at a time.
#include "lib/Transforms/Kernel/Prepare.h"
#include "lib/Transforms/Kernel/TileEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::kernel;

static constexpr int64_t kUnitColumns = 64;
/// Tiles of rows in a stretch: their prepared activations stay in the second-level cache for K of a few thousand.
static constexpr int64_t kStretchTiles = 8;

int64_t KernelSpec::getStep() const {
  int64_t padded = weight.layout.getPaddedBlock();
  return padded % 32 == 0 ? 32 : padded % 16 == 0 ? 16 : weight.layout.getChunk();
}

static int64_t tileHeight(const TileMachine &machine) { return machine.tiles.back().rows; }

int64_t qtensor::getStretchRows(const TileMachine &machine) { return kStretchTiles * tileHeight(machine); }

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

/// for column vectors [first, last) in steps of the tile's columns: call the tile. Returns where the steps ended.
static Value emitColumns(ImplicitLocOpBuilder &b, func::FuncOp tile, int64_t columns, ArrayRef<Value> arguments,
                         Value first, Value last) {
  Value width = sub(b, last, first), end = add(b, first, sub(b, width, rem(b, width, constant(b, columns))));
  auto loop = scf::ForOp::create(b, first, end, constant(b, columns));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> all(arguments);
  all.push_back(loop.getInductionVar());
  func::CallOp::create(b, tile, all);
  return end;
}

/// Chooses the lowest tile that holds `rows` rows, and lets the last one take the columns that are left over.
static void emitTiles(ImplicitLocOpBuilder &b, ArrayRef<TileShape> tiles, ArrayRef<func::FuncOp> functions,
                      ArrayRef<Value> arguments, Value rows, Value first, Value last) {
  if (tiles.size() == 1) {
    emitColumns(b, functions[0], tiles[0].columns, arguments, first, last);
    return;
  }
  Value fits = arith::CmpIOp::create(b, arith::CmpIPredicate::ule, rows, constant(b, tiles[0].rows));
  auto choice = scf::IfOp::create(b, fits, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  Value end = emitColumns(b, functions[0], tiles[0].columns, arguments, first, last);
  emitColumns(b, functions.back(), tiles.back().columns, arguments, end, last);
  b.setInsertionPointToStart(choice.elseBlock());
  emitTiles(b, tiles.drop_front(), functions.drop_front(), arguments, rows, first, last);
}

func::FuncOp qtensor::buildUnit(ModuleOp module, const KernelSpec &spec, const TileMachine &machine) {
  std::string name = spec.name + "_unit";
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  SmallVector<func::FuncOp> functions;
  for (TileShape tile : machine.tiles)
    functions.push_back(buildTile(module, spec, machine, tile));
  ImplicitLocOpBuilder b(module.getLoc(), module.getContext());
  b.setInsertionPointToEnd(module.getBody());
  SmallVector<Type> types = CommonArguments::getTypes(b.getContext(), spec);
  types.append(3, b.getIndexType());
  auto function = func::FuncOp::create(b, name, b.getFunctionType(types, {}));
  function.setPrivate();
  b.setInsertionPointToStart(function.addEntryBlock());
  ValueRange rest;
  CommonArguments common = CommonArguments::take(spec, function.getArguments(), rest);
  int64_t panelRows = spec.weight.layout.getRows();
  Value panels = div(b, add(b, common.extents.columns, constant(b, panelRows - 1)), constant(b, panelRows));
  Value perUnit = constant(b, kUnitColumns / machine.lanes), first = mul(b, rest[2], perUnit);
  Value last = min(b, add(b, first, perUnit), mul(b, panels, constant(b, panelRows / machine.lanes)));
  Value height = min(b, common.extents.rows, constant(b, tileHeight(machine)));
  auto loop = scf::ForOp::create(b, rest[0], rest[1], constant(b, tileHeight(machine)));
  func::ReturnOp::create(b);
  b.setInsertionPointToStart(loop.getBody());
  Value row = loop.getInductionVar(), valid = min(b, height, sub(b, rest[1], row));
  SmallVector<Value> arguments = common.flatten();
  arguments.append({row, valid, height});
  emitTiles(b, machine.tiles, functions, arguments, valid, first, last);
  return function;
}

void qtensor::emitUnits(ImplicitLocOpBuilder &b, func::FuncOp unit, const KernelSpec &spec, const TileMachine &machine,
                        const KernelExtents &extents, const PreparedActivations &x, Value weights, Value output,
                        ValueRange operands) {
  CommonArguments common{
      {{}, x.words, x.scales, x.sums, x.zeros}, weights, output, SmallVector<Value>(operands), extents};
  Value zero = constant(b, 0), one = constant(b, 1), stretch = constant(b, getStretchRows(machine));
  Value units = div(b, add(b, extents.columns, constant(b, kUnitColumns - 1)), constant(b, kUnitColumns));
  scf::ParallelOp::create(b, ValueRange{zero, zero}, ValueRange{extents.rows, units}, ValueRange{stretch, one},
                          [&](OpBuilder &inner, Location loc, ValueRange index) {
                            ImplicitLocOpBuilder body(loc, inner);
                            SmallVector<Value> arguments = common.flatten();
                            Value end = min(body, add(body, index[0], stretch), extents.rows);
                            arguments.append({index[0], end, index[1]});
                            func::CallOp::create(body, unit, arguments);
                          });
}
