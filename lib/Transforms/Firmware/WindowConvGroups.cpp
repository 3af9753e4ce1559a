// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Windows whose weights are in groups: a run of lanes is summed as a window is, then its sums are multiplied by factors.
#include "lib/Transforms/Firmware/WindowConv.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

/// A run of a group as a layer of its own, whose sums begin with 0.
bool WindowConv::acceptsGroups(const ConvLayer &layer, const ConvConstants &constants) const {
  std::optional<GroupRuns> runs = GroupRuns::find(layer, *findRows(layer), shape.depthUnit);
  if (!runs)
    return false;
  if (!shape.exact && !findFastChannels(layer, constants))
    return false;
  ConvLayer one = layer;
  one.window = Window();
  one.in.channels = runs->longest();
  int64_t largest = (128 + shape.laneOffset) * (int64_t(1) << (layer.weightBits - 1));
  std::vector<FastChannel> channels(layer.out.channels, FastChannel{0, largest * runs->longest(), {}});
  return acceptsSums(one, constants, channels);
}

void WindowConv::emitGroupSums(KernelBuilder &k, const ConvLayer &layer, const Tile &tile) const {
  findRuns(layer).emit(k, {tile.window, tile.groupSums}, [&](ValueRange at, int64_t lanes) -> SmallVector<Value> {
    for (int64_t p = 0; p < tile.pixels; ++p)
      k.store(sumCodes(k, k.at(at[0], p * tile.pixelBytes), lanes), k.at(at[1], 4 * p));
    return {k.at(at[0], lanes * shape.laneBytes), k.at(at[1], 4 * shape.pixels)};
  });
}

SmallVector<Value> WindowConv::sumGroups(KernelBuilder &k, const ConvLayer &layer, Tile &tile, ValueRange biases) const {
  unsigned addresses = shape.sumsOfCodes ? 3 : 2;
  SmallVector<Value> start{tile.window, tile.weights};
  if (shape.sumsOfCodes)
    start.push_back(tile.groupSums);
  for (int64_t p = 0; p < tile.pixels; ++p)
    start.append(biases.begin(), biases.end());
  SmallVector<Value> zeros(tile.channels, k.number(0));
  SmallVector<Value> end = findRuns(layer).emit(k, start, [&](ValueRange at, int64_t lanes) {
    Tile run = tile;
    run.window = at[0];
    run.weights = at[1];
    run.lanes = lanes;
    SmallVector<Value> codes;
    for (int64_t p = 0; shape.sumsOfCodes && p < tile.pixels; ++p)
      codes.push_back(k.load32(k.at(at[2], 4 * p)));
    SmallVector<Value> sums = sumProducts(k, run, zeros, codes);
    SmallVector<Value> next{k.at(at[0], lanes * shape.laneBytes), k.at(run.weights, 4 * tile.channels)};
    if (shape.sumsOfCodes)
      next.push_back(k.at(at[2], 4 * shape.pixels));
    for (auto [i, sum] : llvm::enumerate(sums)) {
      Value factor = k.load32(k.at(run.weights, 4 * (int64_t(i) % tile.channels)));
      next.push_back(k.add(at[addresses + i], k.mul(k.extend(sum, sumType(k)), k.extend(factor, sumType(k)))));
    }
    return next;
  });
  tile.weights = end[1];
  return SmallVector<Value>(ArrayRef(end).drop_front(addresses));
}
