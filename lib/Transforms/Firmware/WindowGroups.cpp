// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/WindowGroups.h"
#include "lib/Transforms/Firmware/FastMap.h"
#include <numeric>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

using PlaceOf = llvm::function_ref<std::optional<WindowRows::Place>(int64_t lane)>;

/// The lengths of runs of lanes whose weights are in one group. Lanes without meaning go on with what is before them.
static std::vector<int64_t> listRuns(const ConvLayer &layer, int64_t lanes, PlaceOf placeOf) {
  std::vector<int64_t> runs;
  std::array<int64_t, 3> last{-1, -1, -1};
  for (int64_t lane = 0; lane < lanes; ++lane) {
    std::array<int64_t, 3> group = last;
    if (std::optional<WindowRows::Place> place = placeOf(lane))
      group = {place->ky / layer.groups.height, place->kx / layer.groups.width, place->channel / layer.groups.channels};
    if (runs.empty() || group != last)
      runs.push_back(0);
    ++runs.back();
    last = group;
  }
  return runs;
}

/// The same, as loops.
static std::optional<GroupRuns> findLoops(ArrayRef<int64_t> runs, int64_t depthUnit) {
  if (runs.empty())
    return std::nullopt;
  GroupRuns found;
  found.size = runs.front();
  size_t full = 0;
  while (full < runs.size() && runs[full] == found.size)
    ++full;
  found.full = int64_t(full);
  found.tail = full < runs.size() ? runs[full] : 0;
  size_t period = full + (found.tail > 0);
  bool regular = runs.size() % period == 0;
  for (size_t i = 0; i < runs.size(); ++i)
    regular &= runs[i] == runs[i % period];
  if (!regular) {
    // The largest length that all of them are made of.
    found.size = std::accumulate(runs.begin(), runs.end(), int64_t(0), [](int64_t a, int64_t b) { return std::gcd(a, b); });
    found.full = std::accumulate(runs.begin(), runs.end(), int64_t(0)) / found.size;
    found.tail = 0;
    period = runs.size();
  }
  found.times = int64_t(runs.size() / period);
  constexpr int64_t shortest = 4;
  bool one = found.count() == 1;
  bool aligned = one || (found.size % depthUnit == 0 && (found.times == 1 || found.tail % depthUnit == 0));
  if (!aligned || (found.size < shortest && !one))
    return std::nullopt;
  return found;
}

std::optional<GroupRuns> GroupRuns::find(const ConvLayer &layer, const WindowRows &rows, int64_t depthUnit) {
  // Columns that are rounded up have lanes without meaning inside of a run.
  if (layer.window.taps() > 1 && rows.columnLanes != layer.window.kernelHeight * layer.in.channels)
    return std::nullopt;
  return find(layer, rows.lanes, depthUnit, [&](int64_t lane) { return rows.placeOfLane(layer, lane); });
}

std::optional<GroupRuns> GroupRuns::find(const ConvLayer &layer, int64_t lanes, int64_t depthUnit, PlaceOf placeOf) {
  return findLoops(listRuns(layer, lanes, placeOf), depthUnit);
}

std::optional<GroupRuns> GroupRuns::find(const ConvLayer &layer, int64_t depthUnit) {
  int64_t channels = layer.in.channels, width = layer.window.kernelWidth;
  return find(layer, layer.depth(), depthUnit, [&](int64_t lane) {
    return WindowRows::Place{lane / channels / width, lane / channels % width, lane % channels};
  });
}

void GroupRuns::forEach(llvm::function_ref<void(int64_t, int64_t)> run) const {
  int64_t first = 0;
  auto next = [&](int64_t lanes) {
    run(first, lanes);
    first += lanes;
  };
  for (int64_t t = 0; t < times; ++t) {
    for (int64_t i = 0; i < full; ++i)
      next(size);
    if (tail)
      next(tail);
  }
}

SmallVector<Value> GroupRuns::emit(KernelBuilder &k, ValueRange start,
                                   llvm::function_ref<SmallVector<Value>(ValueRange, int64_t)> run) const {
  return k.loop(0, times, 1, start, [&](Value, ValueRange outer) {
    SmallVector<Value> state = k.loop(0, full, 1, outer, [&](Value, ValueRange carried) { return run(carried, size); });
    return tail ? run(state, tail) : state;
  });
}

NarrowMap::NarrowMap(const ConvLayer &from, const ConvConstants &numbers) : layer(from), constants(numbers) {
  layer.map.mode = FixedMode::Single;
  for (int32_t &multiplier : constants.multiplier)
    multiplier = reduceMultiplier(multiplier);
}
