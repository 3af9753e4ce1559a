// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The loops around the register tiles. A unit, 64 output columns for all rows, is what a thread takes at a time.
#include "lib/Transforms/Kernel/TileEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::kernel;

static constexpr int64_t kUnitColumns = 64;

int64_t qtensor::tileHeight(const KernelSpec &spec, const TileMachine &machine) {
  int64_t largest = machine.tiles.back().rows;
  return ShapedType::isDynamic(spec.rows) ? largest : std::min(largest, std::max<int64_t>(spec.rows, 1));
}

int64_t qtensor::numUnits(const KernelSpec &spec) { return llvm::divideCeil(spec.weight.n, kUnitColumns); }

/// Vectors of output columns, those of the last panel's padding included.
static int64_t numVectors(const KernelSpec &spec, const TileMachine &machine) {
  int64_t rows = spec.weight.layout.getRows();
  return spec.weight.layout.getNumPanels(spec.weight.n) * (rows / machine.lanes);
}

/// The tiles that this kernel can meet, none higher than M. The last one also takes the columns that the others leave.
static SmallVector<TileShape> usedTiles(const KernelSpec &spec, const TileMachine &machine) {
  int64_t height = tileHeight(spec, machine), vectors = numVectors(spec, machine);
  // With M known, every remainder is known, and a lower tile is never met.
  int64_t least = ShapedType::isDynamic(spec.rows) ? 1 : spec.rows % height ? spec.rows % height : height;
  SmallVector<TileShape> used;
  for (TileShape tile : ArrayRef(machine.tiles).drop_back()) {
    if (tile.rows < least || tile.columns > vectors)
      continue;
    used.push_back({std::min(tile.rows, height), tile.columns});
    if (tile.rows >= height && vectors % tile.columns == 0)
      return used;
  }
  used.push_back({height, machine.tiles.back().columns});
  return used;
}

/// for column vectors [first, last) in steps of the tile's columns: call the tile. Returns where the steps ended.
static Value emitColumns(ImplicitLocOpBuilder &b, func::FuncOp tile, int64_t columns, ValueRange common,
                         ArrayRef<Value> place, Value first, Value last) {
  Value width = arith::SubIOp::create(b, last, first);
  Value whole = arith::SubIOp::create(b, width, b.createOrFold<arith::RemUIOp>(width, constant(b, columns)));
  Value end = add(b, first, whole);
  auto loop = scf::ForOp::create(b, first, end, constant(b, columns));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> arguments(common);
  llvm::append_range(arguments, place);
  arguments.push_back(loop.getInductionVar());
  func::CallOp::create(b, tile, arguments);
  return end;
}

/// Chooses the lowest tile that holds `rows` rows, and lets the last one take the columns that are left over.
static void emitTiles(ImplicitLocOpBuilder &b, ArrayRef<TileShape> tiles, ArrayRef<func::FuncOp> functions,
                      ValueRange common, ArrayRef<Value> place, Value rows, Value first, Value last) {
  if (tiles.size() == 1) {
    emitColumns(b, functions[0], tiles[0].columns, common, place, first, last);
    return;
  }
  Value fits = arith::CmpIOp::create(b, arith::CmpIPredicate::ule, rows, constant(b, tiles[0].rows));
  auto choice = scf::IfOp::create(b, fits, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  Value end = emitColumns(b, functions[0], tiles[0].columns, common, place, first, last);
  emitColumns(b, functions.back(), tiles.back().columns, common, place, end, last);
  b.setInsertionPointToStart(choice.elseBlock());
  emitTiles(b, tiles.drop_front(), functions.drop_front(), common, place, rows, first, last);
}

func::FuncOp qtensor::buildUnit(ModuleOp module, const KernelSpec &spec, const TileMachine &machine) {
  std::string name = spec.name + "_unit";
  if (auto existing = module.lookupSymbol<func::FuncOp>(name))
    return existing;
  SmallVector<TileShape> tiles = usedTiles(spec, machine);
  SmallVector<func::FuncOp> functions;
  for (TileShape tile : tiles)
    functions.push_back(buildTile(module, spec, machine, tile));
  ImplicitLocOpBuilder b(module.getLoc(), module.getContext());
  b.setInsertionPointToEnd(module.getBody());
  SmallVector<Type> types = commonArguments(b.getContext(), spec);
  types.append(2, b.getIndexType());
  auto function = func::FuncOp::create(b, name, b.getFunctionType(types, {}));
  function.setPrivate();
  b.setInsertionPointToStart(function.addEntryBlock());
  ValueRange arguments = function.getArguments();
  ValueRange common = arguments.drop_back(2);
  Value rows = arguments[arguments.size() - 2], unit = arguments.back();
  Value first = mul(b, unit, constant(b, kUnitColumns / machine.lanes));
  Value last = arith::MinUIOp::create(b, add(b, first, constant(b, kUnitColumns / machine.lanes)), constant(b, numVectors(spec, machine)));
  Value height = arith::MinUIOp::create(b, rows, constant(b, tileHeight(spec, machine)));
  auto loop = scf::ForOp::create(b, constant(b, 0), rows, constant(b, tileHeight(spec, machine)));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value row = loop.getInductionVar();
    Value valid = arith::MinUIOp::create(b, height, arith::SubIOp::create(b, rows, row));
    emitTiles(b, tiles, functions, common, {row, row, valid, height}, valid, first, last);
  }
  func::ReturnOp::create(b);
  return function;
}

void qtensor::emitUnits(ImplicitLocOpBuilder &b, func::FuncOp unit, const KernelSpec &spec, const PreparedActivations &x,
                        Value weights, Value output, ValueRange operands, Value rows) {
  SmallVector<Value> arguments{x.words};
  if (spec.strategy == Strategy::Integer)
    arguments.append({x.scales, x.sums});
  arguments.append({weights, output});
  llvm::append_range(arguments, operands);
  arguments.push_back(rows);
  scf::ParallelOp::create(b, ValueRange{constant(b, 0)}, ValueRange{constant(b, numUnits(spec))}, ValueRange{constant(b, 1)},
                          [&](OpBuilder &body, Location loc, ValueRange index) {
                            arguments.push_back(index.front());
                            func::CallOp::create(body, loc, unit, arguments);
                          });
}
