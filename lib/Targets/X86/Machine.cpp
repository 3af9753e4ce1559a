// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Targets/X86/Machine.h"

using namespace mlir::qtensor;
using namespace mlir::qtensor::x86;

// Tiles in (rows, vectors of columns). A one-row tile takes a panel at once, one memory stream; tiles of a
// few rows have eight sums or more, to hide the latency of a dot product. Of tiles of as many rows, and for the highest one,
// the cheapest for the format is taken (UnitPlan.cpp): {12, 1} where weights are unpacked, which it does for twelve rows at
// once; {4, 4} and {8, 2}, which load an activation once for several vectors, where they are not.
static constexpr TileShape narrowTiles[] = {{1, 1}};
static constexpr TileShape ymmTiles[] = {{1, 8}, {4, 2}};
static constexpr TileShape zmmTiles[] = {{1, 4}, {2, 4}, {4, 2}, {4, 4}, {8, 1}, {8, 2}, {12, 1}};

// What cores do in a cycle, measured with benchmarks/limits where we have them. Golden Cove: two zmm ports, one of which
// shifts and one of which shuffles; three ymm ports, two of which multiply. Zen 4: zmm instructions take a ymm pipe twice;
// two of its four pipes multiply, two convert and add, two shift and shuffle.
// vectors, multiply, convert, shift, shuffle, load, broadcast, store
static const CoreModel zmmCores[] = {{"golden-cove", 2, 2, 2, 1, 1, 2, 2, 1}, {"zen4", 2, 1, 1, 1, 1, 1, 2, 0.5}};
static const CoreModel ymmCores[] = {{"golden-cove", 3, 2, 2, 2, 2, 3, 3, 2}, {"zen4", 4, 2, 2, 2, 2, 2, 2, 1}};

// No row prefetches: one-row tiles read ascending addresses, which the hardware follows by itself. Asking ahead as well cost
// up to half of the read rate on Zen 4.
static const MachineRow rows[] = {
    // level, lanes, registers, dot, shuffle, vpermb, f32 table, half, pinned, tiles, cores
    {"baseline", 8, 16, Dot::Generic, 0, false, 0, false, false, narrowTiles, {}},
    {"avx2", 8, 16, Dot::Pairs, 32, false, 8, true, true, ymmTiles, ymmCores},
    {"avx2vnni", 8, 16, Dot::Vnni, 32, false, 8, true, true, ymmTiles, ymmCores},
    {"avx512", 16, 32, Dot::Vnni, 64, true, 16, true, false, zmmTiles, zmmCores},
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
  machine.registers = row.registers;
  machine.pairSums = row.dot == Dot::Pairs;
  machine.pinned = row.pinned;
  machine.tiles.assign(row.tiles.begin(), row.tiles.end());
  machine.cores.assign(row.cores.begin(), row.cores.end());
  return machine;
}
