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
// A Zen 5 multiplies and loads twice in a cycle: what every product loads of its activations is as much of a bound as the
// products, so its tiles are two vectors wide at least.
static constexpr TileShape zmmTiles[] = {{1, 4}, {2, 4}, {4, 2}, {4, 4}, {8, 1}, {8, 2}, {12, 1}};
static constexpr TileShape zen5Tiles[] = {{1, 4}, {2, 4}, {3, 4}, {4, 4}, {6, 2}, {8, 2}};

// What cores do in a cycle, measured with benchmarks/cpu/limits.cpp where we have them. Golden Cove: two zmm ports, one of which
// shifts and one of which shuffles; three ymm ports, two of which multiply. Zen 4: zmm instructions take a ymm pipe twice;
// two of its four pipes multiply, two convert and add, two shift and shuffle. Zen 5: the same pipes for zmm, two loads.
// What the tiles of Zen 5 take from the second-level cache was measured with them.
// vectors, multiply, convert, shift, shuffle, load, broadcast, store, cache, stream
static const CoreModel zmmCores[] = {{"golden-cove", 2, 2, 2, 1, 1, 2, 2, 1, 40e3, 64}, {"zen4", 2, 1, 1, 1, 1, 1, 2, 0.5, 24e3, 64}};
static const CoreModel ymmCores[] = {{"golden-cove", 3, 2, 2, 2, 2, 3, 3, 2, 40e3, 64}, {"zen4", 4, 2, 2, 2, 2, 2, 2, 1, 24e3, 64}};
static const CoreModel zmmZen5[] = {{"zen5", 4, 2, 2, 2, 2, 2, 2, 1, 40e3, 26}};
static const CoreModel ymmZen5[] = {{"zen5", 4, 2, 2, 2, 2, 2, 2, 2, 40e3, 26}};

// One-row tiles read ascending addresses, which the hardware follows by itself: asking ahead as well cost up to half of the read
// rate on Zen 4. The prefetchers of Zen 5 reach the memory's rate when it reads alone; with arithmetic between the loads they
// stay at 0.44 to 0.95 of it, by the size of a block.
static constexpr int64_t kZen5Ahead = 8192;

static const CoreRow baselineCores[] = {{"", narrowTiles, {}, 0}};
static const CoreRow ymmRows[] = {{"", ymmTiles, ymmCores, 0}, {"zen5", ymmTiles, ymmZen5, kZen5Ahead}};
static const CoreRow zmmRows[] = {{"", zmmTiles, zmmCores, 0}, {"zen5", zen5Tiles, zmmZen5, kZen5Ahead}};

static const MachineRow rows[] = {
    // level, lanes, registers, dot, shuffle, vpermb, f32 table, half, pinned, cores
    {"baseline", 8, 16, Dot::Generic, 0, false, 0, false, false, baselineCores},
    {"avx2", 8, 16, Dot::Pairs, 32, false, 8, true, true, ymmRows},
    {"avx2vnni", 8, 16, Dot::Vnni, 32, false, 8, true, true, ymmRows},
    {"avx512", 16, 32, Dot::Vnni, 64, true, 16, true, false, zmmRows},
};

llvm::ArrayRef<MachineRow> x86::getMachineRows() { return rows; }

const MachineRow *x86::lookupMachineRow(llvm::StringRef level) {
  for (const MachineRow &row : rows)
    if (row.level == level)
      return &row;
  return nullptr;
}

std::vector<TileMachine> x86::getTileMachines(const MachineRow &row) {
  std::vector<TileMachine> machines;
  for (const CoreRow &core : row.cores) {
    TileMachine &machine = machines.emplace_back();
    machine.level = row.level;
    machine.core = core.core;
    machine.lanes = row.lanes;
    machine.registers = row.registers;
    machine.pairSums = row.dot == Dot::Pairs;
    machine.pinned = row.pinned;
    machine.streamAhead = core.streamAhead;
    machine.tiles.assign(core.tiles.begin(), core.tiles.end());
    machine.cores.assign(core.models.begin(), core.models.end());
  }
  return machines;
}
