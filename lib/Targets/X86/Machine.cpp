// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Targets/X86/Machine.h"

using namespace mlir::qtensor;
using namespace mlir::qtensor::x86;

// Tiles in (rows, vectors of columns). A one-row tile keeps several panels, so several memory streams, in flight. The
// highest tile is bounded by the registers: rows x columns i32 sums and as many f32 sums, weights and a scale. (With 16
// registers the f32 sums are in memory between blocks.)
static constexpr TileShape narrowTiles[] = {{1, 1}};
static constexpr TileShape ymmTiles[] = {{1, 8}, {4, 2}};
static constexpr TileShape zmmTiles[] = {{1, 4}, {4, 2}, {12, 1}};

// No row prefetches: one-row tiles read four streams, which the hardware follows by itself. Asking ahead as well cost a
// third of the read rate on Zen 4 (17 instead of 24 GB/s).
static constexpr MachineRow rows[] = {
    // level, lanes, dot, shuffle, vpermb, f32 table, half, pinned, tiles
    {"baseline", 8, Dot::Generic, 0, false, 0, false, false, narrowTiles},
    {"avx2", 8, Dot::Pairs, 32, false, 8, true, true, ymmTiles},
    {"avx2vnni", 8, Dot::Vnni, 32, false, 8, true, true, ymmTiles},
    {"avx512", 16, Dot::Vnni, 64, true, 16, true, false, zmmTiles},
};

llvm::ArrayRef<MachineRow> x86::getMachineRows() { return rows; }

const MachineRow *x86::lookupMachineRow(llvm::StringRef level) {
  for (const MachineRow &row : rows)
    if (row.level == level)
      return &row;
  return nullptr;
}

TileMachine x86::getTileMachine(const MachineRow &row) {
  TileMachine machine;
  machine.lanes = row.lanes;
  machine.pairSums = row.dot == Dot::Pairs;
  machine.pinned = row.pinned;
  machine.tiles.assign(row.tiles.begin(), row.tiles.end());
  return machine;
}
