// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The machines of a level, as options of qtensor-lower-components and back.
#include "lib/Transforms/Kernel/MachineOptions.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace mlir::qtensor;

/// Numbers that describe a core.
static constexpr size_t kRates = 10;

LowerComponentsOptions qtensor::describeMachines(ArrayRef<TileMachine> machines) {
  LowerComponentsOptions options;
  const TileMachine &first = machines.front();
  options.level = first.level;
  options.lanes = first.lanes;
  options.registers = first.registers;
  options.pairSums = first.pairSums;
  options.pinned = first.pinned;
  for (const TileMachine &machine : machines) {
    options.streamAhead.push_back(machine.streamAhead);
    options.tileCounts.push_back(machine.tiles.size());
    options.coreCounts.push_back(machine.cores.size());
    for (TileShape tile : machine.tiles) {
      options.tileRows.push_back(tile.rows);
      options.tileColumns.push_back(tile.columns);
    }
    for (const CoreModel &c : machine.cores) {
      options.coreNames.push_back(c.name);
      options.cores.append({c.vectors, c.multiply, c.convert, c.shift, c.shuffle, c.load, c.broadcast, c.store, c.cache, c.stream});
    }
  }
  return options;
}

static FailureOr<SmallVector<TileShape>> readTiles(const LowerComponentsOptions &options, EmitError emitError) {
  if (options.tileRows.empty() || options.tileRows.size() != options.tileColumns.size())
    return emitError() << "tile-rows and tile-columns name as many tiles, and at least one";
  SmallVector<TileShape> tiles;
  for (auto [rows, columns] : llvm::zip_equal(options.tileRows, options.tileColumns)) {
    if (rows < 1 || rows > kMaxTileRows || columns < 1)
      return emitError() << "a tile has 1 to " << kMaxTileRows << " rows and at least one column";
    tiles.push_back({rows, columns});
  }
  return tiles;
}

static FailureOr<SmallVector<CoreModel>> readCores(const LowerComponentsOptions &options, EmitError emitError) {
  if (options.cores.size() % kRates != 0 || llvm::any_of(options.cores, [](double rate) { return !(rate > 0); }))
    return emitError() << "cores are described by " << kRates << " positive numbers each";
  SmallVector<CoreModel> cores;
  for (ArrayRef<double> c(options.cores); !c.empty(); c = c.drop_front(kRates))
    cores.push_back({"", c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8], c[9]});
  if (!options.coreNames.empty() && options.coreNames.size() != cores.size())
    return emitError() << "core-names names as many cores as are described";
  for (auto [core, name] : llvm::zip(cores, options.coreNames))
    core.name = name;
  return cores;
}

/// How many of `all` belong to each machine. One machine needs no numbers, nor do machines that have none.
static FailureOr<SmallVector<size_t>> readCounts(ArrayRef<int64_t> counts, size_t machines, size_t all, int64_t least,
                                                 StringRef name, EmitError emitError) {
  if (counts.empty() && (machines == 1 || all == 0))
    return SmallVector<size_t>(machines, all);
  bool fits = counts.size() == machines && llvm::all_of(counts, [&](int64_t count) { return count >= least; });
  if (!fits || llvm::sum_of(counts, int64_t(0)) != static_cast<int64_t>(all))
    return emitError() << name << " has a number of " << least << " or more for each of " << machines << " machine(s), " << all << " in all";
  return SmallVector<size_t>(counts.begin(), counts.end());
}

FailureOr<std::vector<TileMachine>> qtensor::readMachines(const LowerComponentsOptions &options, EmitError emitError) {
  std::vector<TileMachine> machines(std::max<size_t>(1, options.streamAhead.size()));
  auto tiles = readTiles(options, emitError);
  auto cores = readCores(options, emitError);
  if (failed(tiles) || failed(cores))
    return failure();
  auto tileCounts = readCounts(options.tileCounts, machines.size(), tiles->size(), 1, "tile-counts", emitError);
  auto coreCounts = readCounts(options.coreCounts, machines.size(), cores->size(), 0, "core-counts", emitError);
  if (failed(tileCounts) || failed(coreCounts))
    return failure();
  ArrayRef<TileShape> tilesLeft = *tiles;
  ArrayRef<CoreModel> coresLeft = *cores;
  for (auto [i, machine] : llvm::enumerate(machines)) {
    machine.level = options.level;
    machine.lanes = options.lanes;
    machine.registers = options.registers;
    machine.pairSums = options.pairSums;
    machine.pinned = options.pinned;
    machine.streamAhead = options.streamAhead.empty() ? 0 : options.streamAhead[i];
    machine.tiles.assign(tilesLeft.take_front((*tileCounts)[i]).begin(), tilesLeft.take_front((*tileCounts)[i]).end());
    machine.cores.assign(coresLeft.take_front((*coreCounts)[i]).begin(), coresLeft.take_front((*coreCounts)[i]).end());
    tilesLeft = tilesLeft.drop_front((*tileCounts)[i]);
    coresLeft = coresLeft.drop_front((*coreCounts)[i]);
  }
  return machines;
}
