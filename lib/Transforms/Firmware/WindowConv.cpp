// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/WindowConv.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

bool WindowConv::accepts(const ConvLayer &layer, const ConvConstants &constants) const {
  bool wideMap = layer.map.mode == FixedMode::X16;
  if (layer.depthwise != shape.depthwise || layer.inputBits != shape.codeBits || bool(layer.groups) != shape.groups ||
      wideMap != (shape.groups || shape.codeBits > 8) || (shape.frugal && layer.preferSpeed))
    return false;
  std::optional<WindowRows> rows = findRows(layer);
  if (!rows || (shape.onePixel && layer.out.count() > layer.out.channels) || (shape.onlyInPlace && !rows->inPlace))
    return false;
  if (shape.groups)
    return acceptsGroups(layer, constants);
  if (!shape.exact) {
    auto channels = findFastChannels(layer, constants);
    return channels && acceptsSums(layer, constants, *channels) &&
           (!shape.oneMap ||
            llvm::all_of(*channels, [&](const FastChannel &c) { return c.map == channels->front().map; }));
  }
  std::vector<FastChannel> channels;
  for (int64_t bound : boundSums(layer, constants)) {
    if (!hasWideSums() && bound >= int64_t(1) << 31)
      return false;
    channels.push_back({0, bound, {}});
  }
  return acceptsSums(layer, constants, channels);
}

bool WindowConv::sumsColumns(const ConvLayer &layer, const WindowRows &rows) const {
  const Window &w = layer.window;
  return shape.sumsOfCodes && !shape.groups && !rows.chunks && w.strideWidth < w.kernelWidth &&
         rows.lanes == w.kernelWidth * rows.columnLanes;
}

int64_t WindowConv::getScratchBytes(const ConvLayer &layer) const {
  WindowRows rows = *findRows(layer);
  if (shape.groups && shape.sumsOfCodes)
    return llvm::alignTo(rows.bytes(), 4) + 4 * shape.pixels * findRuns(layer).count();
  return sumsColumns(layer, rows) ? llvm::alignTo(rows.bytes(), 4) + 4 * rows.columns : rows.bytes();
}

std::optional<Overlap> WindowConv::getOutputOverlap(const ConvLayer &layer) const {
  WindowRows rows = *findRows(layer);
  if (rows.inPlace) // Each group of channels reads the tile again.
    return overlapByPixels(WindowWalk(layer), shape.pixels, /*readsFirst=*/false);
  return rows.chunks ? overlapByPixels(WindowWalk(layer), rows.pixels, /*readsFirst=*/true)
                     : overlapByRows(WindowWalk(layer));
}

std::optional<Overlap> WindowConv::getScratchOverlap(const ConvLayer &layer) const {
  WindowRows rows = *findRows(layer);
  if (rows.inPlace || !rows.chunks || rows.rows > 1)
    return std::nullopt;
  // Lanes that are wider than codes run ahead of what is read by what they are longer.
  return Overlap{rows.pixels * (rows.columnLanes * rows.laneBytes - layer.in.channels * layer.inputBits / 8), 1};
}

/// The map of all channels, and what keeps the stream behind it on a multiple of 16.
static constexpr int64_t kMapBytes = 16;

void WindowConv::packRecord(std::vector<char> &bytes, const ConvConstants &constants, ArrayRef<FastChannel> fast,
                            int64_t o) const {
  if (shape.exact) {
    appendNumber(bytes, ofChannel(constants.multiplier, o));
    appendNumber(bytes, ofChannel(constants.shift, o));
  } else if (!shape.oneMap) {
    fast[o].map.append(bytes);
  }
}

void WindowConv::packStarts(std::vector<char> &bytes, ArrayRef<int64_t> biases) const {
  SmallVector<int32_t> starts(biases);
  if (!hasWideSums() && !shape.groups)
    packBiases(starts);
  for (auto [start, bias] : llvm::zip_equal(starts, biases))
    hasWideSums() ? appendNumber(bytes, bias) : appendNumber(bytes, start);
}

void WindowConv::packLanes(std::vector<char> &bytes, const ConvLayer &layer, const ConvConstants &constants,
                           const WindowRows &rows, int64_t first) const {
  int64_t channels = channelsOf(layer.out.channels - first);
  auto packRun = [&](int64_t from, int64_t lanes) {
    auto weight = [&](int64_t c, int64_t lane) { return rows.weightOfLane(layer, constants, first + c, from + lane); };
    packWeights(bytes, {weight, lanes, channels, layer.in.channels % 4 == 0});
  };
  if (!shape.groups)
    return packRun(0, rows.lanes);
  findRuns(layer).forEach([&](int64_t from, int64_t lanes) {
    packRun(from, lanes);
    for (int64_t c = 0; c < channels; ++c)
      appendNumber(bytes, rows.factorOfLane(layer, constants, first + c, from));
  });
}

std::vector<char> WindowConv::pack(const ConvLayer &layer, const ConvConstants &constants) const {
  WindowRows rows = *findRows(layer);
  // Sums are of lanes; the zero point of lanes that hold more lies that much higher.
  ConvLayer folded = layer;
  folded.inputZero += shape.laneOffset;
  std::vector<int64_t> biases = constants.foldedBias(folded);
  std::vector<FastChannel> fast;
  if (!shape.exact)
    fast = *findFastChannels(layer, constants);
  std::vector<char> bytes;
  if (layer.sum)
    TableSum::find(*layer.sum)->append(bytes, /*signedFirst=*/true);
  if (shape.oneMap) {
    fast.front().map.append(bytes);
    bytes.resize(kMapBytes);
  }
  for (int64_t first = 0; first < layer.out.channels; first += shape.channels) {
    int64_t end = std::min(layer.out.channels, first + shape.channels);
    SmallVector<int64_t> starts;
    for (int64_t o = first; o < first + channelsOf(layer.out.channels - first); ++o) {
      // A channel that is a constant has no sum.
      bool none = o >= end || (!shape.exact && fast[o].bound == 0);
      starts.push_back(none ? 0 : biases[o]);
    }
    packStarts(bytes, starts);
    packLanes(bytes, layer, constants, rows, first);
    for (int64_t o = first; o < end; ++o)
      packRecord(bytes, constants, fast, o);
  }
  return bytes;
}

Value WindowConv::emitMap(KernelBuilder &k, const ConvLayer &layer, Value sum, ArrayRef<Value> record) const {
  if (!shape.exact) {
    Value doubled = layer.map.mode == FixedMode::X16 ? sum : k.left(sum, 1);
    return FastMapValues{record[0], record[1], record[2]}.apply(k, doubled, layer.map, shape.longMultiply);
  }
  Value mapped = k.mapExactly(sum, record[0], record[1], layer.map.mode);
  // A saturated map plus a zero point leaves 32 bits: the clamp comes first.
  return k.add(k.clamp(mapped, layer.map.low - layer.map.zero, layer.map.high - layer.map.zero), layer.map.zero);
}

Value WindowConv::emitGroup(KernelBuilder &k, const ConvLayer &layer, Tile tile, ValueRange outputs, int64_t channels,
                            ValueRange codes) const {
  SmallVector<Value> biases;
  int64_t biasBytes = sumType(k).getIntOrFloatBitWidth() / 8;
  tile.channels = channelsOf(channels);
  for (int64_t c = 0; c < tile.channels; ++c)
    biases.push_back(k.load(k.at(tile.weights, biasBytes * c), sumType(k), 4));
  tile.weights = k.at(tile.weights, biasBytes * tile.channels);
  SmallVector<Value> sums = shape.groups ? sumGroups(k, layer, tile, biases) : sumProducts(k, tile, biases, codes);
  int64_t words = recordWords();
  for (int64_t c = 0; c < channels; ++c) {
    SmallVector<Value> record = tile.map;
    for (int64_t i = 0; i < words; ++i)
      record.push_back(k.load32(k.at(tile.weights, 4 * (words * c + i))));
    for (int64_t p = 0; p < tile.pixels; ++p) {
      Value code = emitMap(k, layer, sums[p * tile.channels + c], record);
      int64_t place = p * tile.outBytes + c * shape.codeBits / 8;
      if (layer.sum) {
        Value second = k.extendUnsigned(k.load(k.at(outputs[1], place), k.i8()), k.i32());
        code = TableSum::find(*layer.sum)->emit(k, tile.tables, code, second, /*signedFirst=*/true, shape.longMultiply);
      }
      k.storeCode(code, k.at(outputs[0], place), shape.codeBits);
    }
  }
  return k.at(tile.weights, 4 * words * channels);
}

void WindowConv::emitDepthwiseTile(KernelBuilder &k, const ConvLayer &layer, Tile tile, Value output) const {
  int64_t perInput = layer.out.channels / layer.in.channels;
  k.loop(0, layer.in.channels, 1, ValueRange{tile.window, tile.weights, output}, [&](Value, ValueRange at) {
    tile.window = at[0];
    auto state = k.loop(0, perInput, 1, at.drop_front(), [&](Value, ValueRange at) {
      tile.weights = at[0];
      return SmallVector<Value>{emitGroup(k, layer, tile, at[1], 1, {}), k.at(at[1], shape.codeBits / 8)};
    });
    return SmallVector<Value>{k.at(at[0], shape.laneBytes), state[0], state[1]};
  });
}

void WindowConv::emitColumnSums(KernelBuilder &k, const WindowRows &rows, Value buffer, Value sums) const {
  k.loop(0, rows.columns, 1, ValueRange{buffer, sums}, [&](Value, ValueRange at) {
    k.store(sumCodes(k, at[0], rows.columnLanes), at[1]);
    return SmallVector<Value>{k.at(at[0], rows.columnLanes * rows.laneBytes), k.at(at[1], 4)};
  });
}

SmallVector<Value> WindowConv::sumWindows(KernelBuilder &k, const ConvLayer &layer, const Tile &tile) const {
  SmallVector<Value> sums;
  if (!shape.sumsOfCodes || shape.groups)
    return sums;
  for (int64_t p = 0; p < tile.pixels; ++p) {
    if (!tile.columnSums) {
      sums.push_back(sumCodes(k, k.at(tile.window, p * tile.pixelBytes), tile.lanes));
      continue;
    }
    auto column = [&](int64_t x) { return k.load32(k.at(tile.columnSums, 4 * (p * layer.window.strideWidth + x))); };
    Value sum = column(0);
    for (int64_t x = 1; x < layer.window.kernelWidth; ++x)
      sum = k.add(sum, column(x));
    sums.push_back(sum);
  }
  return sums;
}

/// Addresses so many bytes further on.
static SmallVector<Value> advance(KernelBuilder &k, ValueRange addresses, int64_t bytes) {
  return llvm::map_to_vector(addresses, [&](Value address) { return k.at(address, bytes); });
}

void WindowConv::emitTile(KernelBuilder &k, const ConvLayer &layer, Tile tile, ValueRange outputs) const {
  if (shape.depthwise)
    return emitDepthwiseTile(k, layer, tile, outputs[0]);
  SmallVector<Value> codes = sumWindows(k, layer, tile);
  if (shape.groups && shape.sumsOfCodes)
    emitGroupSums(k, layer, tile);
  int64_t whole = layer.out.channels / shape.channels, rest = layer.out.channels % shape.channels;
  SmallVector<Value> start{tile.weights};
  start.append(outputs.begin(), outputs.end());
  auto state = k.loop(0, whole, 1, start, [&](Value, ValueRange at) {
    tile.weights = at[0];
    SmallVector<Value> next = advance(k, at.drop_front(), shape.channels * shape.codeBits / 8);
    next.insert(next.begin(), emitGroup(k, layer, tile, at.drop_front(), shape.channels, codes));
    return next;
  });
  if (rest == 0)
    return;
  tile.weights = state[0];
  emitGroup(k, layer, tile, ArrayRef<Value>(state).drop_front(), rest, codes);
}

void WindowConv::emitRow(KernelBuilder &k, const ConvLayer &layer, const WindowRows &rows, const LayerPointers &at,
                         ArrayRef<Value> map, Value row) const {
  Value buffer = at.input;
  if (!rows.inPlace) {
    buffer = at.scratch;
    rows.fillRow(k, layer, at.input, buffer, row,
                 [&](Value from, Value to, int64_t count) { copyCodes(k, from, to, count); });
  }
  int64_t pixelBytes = rows.pixelLanes * rows.laneBytes, outBytes = layer.out.pixel() * shape.codeBits / 8;
  SmallVector<Value> outputs{k.at(at.output, k.mul(row, rows.pixels * outBytes))};
  if (layer.sum)
    outputs.push_back(k.at(at.second, k.mul(row, rows.pixels * outBytes)));
  int64_t laneStep = (shape.depthwise ? layer.in.channels : 1) * shape.laneBytes;
  Value stream = k.at(at.constants, (layer.sum ? TableSum::kBytes : 0) + (shape.oneMap ? kMapBytes : 0));
  Tile tile{buffer,
            stream,
            shape.pixels,
            pixelBytes,
            rows.phases * outBytes,
            rows.lanes,
            laneStep,
            SmallVector<Value>(map),
            {},
            at.constants,
            {}};
  if (shape.groups && shape.sumsOfCodes)
    tile.groupSums = k.at(at.scratch, llvm::alignTo(rows.bytes(), 4));
  if (sumsColumns(layer, rows)) {
    tile.columnSums = k.at(at.scratch, llvm::alignTo(rows.bytes(), 4));
    emitColumnSums(k, rows, buffer, tile.columnSums);
  }
  if (rows.phases > 1)
    return emitPhases(k, layer, rows, tile, outputs);
  // Of chunks only the last has pixels left over, and a chunk holds whole tiles.
  int64_t rest = (rows.chunks ? rows.allPixels : rows.pixels) % shape.pixels;
  Value isLast = rows.chunks && rows.rows > 1 ? k.isEqual(row, k.number(rows.rows - 1)) : Value();
  emitPixels(k, layer, tile, outputs, {rows.countPixels(k, row), rows.pixels / shape.pixels, rest, isLast});
}

void WindowConv::emitPhases(KernelBuilder &k, const ConvLayer &layer, const WindowRows &rows, const Tile &tile,
                            ValueRange outputs) const {
  int64_t longer = rows.pixels % rows.phases, outBytes = tile.outBytes / rows.phases;
  auto emit = [&](int64_t from, int64_t to, int64_t count) {
    k.loop(from, count > 0 ? to : from, 1, [&](Value phase) {
      Tile first = tile;
      first.window = k.at(tile.window, k.mul(phase, rows.phaseBytes()));
      if (tile.columnSums)
        first.columnSums = k.at(tile.columnSums, k.mul(phase, 4 * rows.phaseColumns));
      SmallVector<Value> places =
          llvm::map_to_vector(outputs, [&](Value at) { return k.at(at, k.mul(phase, outBytes)); });
      emitPixels(k, layer, first, places, {k.number(count), count / shape.pixels, count % shape.pixels, {}});
    });
  };
  emit(0, longer, rows.pixels / rows.phases + 1);
  emit(longer, rows.phases, rows.pixels / rows.phases);
}

void WindowConv::emitPixels(KernelBuilder &k, const ConvLayer &layer, const Tile &all, ValueRange outputs,
                            const Pixels &pixels) const {
  Tile tile = all;
  auto columnSums = [&](Value pixel) {
    return all.columnSums ? k.at(all.columnSums, k.mul(pixel, 4 * layer.window.strideWidth)) : Value();
  };
  if (pixels.tiles > 0) {
    SmallVector<Value> start{all.window};
    start.append(outputs.begin(), outputs.end());
    k.loop(k.number(0), k.add(pixels.count, 1 - shape.pixels), shape.pixels, start, [&](Value pixel, ValueRange state) {
      tile.window = state[0];
      tile.columnSums = columnSums(pixel);
      emitTile(k, layer, tile, state.drop_front());
      SmallVector<Value> next = advance(k, state.drop_front(), shape.pixels * tile.outBytes);
      next.insert(next.begin(), k.at(state[0], shape.pixels * tile.pixelBytes));
      return next;
    });
  }
  if (pixels.rest == 0)
    return;
  auto emitRest = [&] {
    Value done = k.sub(pixels.count, k.number(pixels.rest));
    Tile last = all;
    last.pixels = pixels.rest;
    last.window = k.at(all.window, k.mul(done, tile.pixelBytes));
    last.columnSums = columnSums(done);
    SmallVector<Value> behind =
        llvm::map_to_vector(outputs, [&](Value at) { return k.at(at, k.mul(done, tile.outBytes)); });
    emitTile(k, layer, last, behind);
  };
  if (pixels.restOnlyIf)
    k.when(pixels.restOnlyIf, emitRest);
  else
    emitRest();
}

void WindowConv::emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const {
  WindowRows rows = *findRows(layer);
  if (!rows.inPlace)
    rows.fillPads(k, layer, at.scratch);
  SmallVector<Value> map;
  for (int64_t word = 0; shape.oneMap && word < 3; ++word)
    map.push_back(k.load32(k.at(at.constants, 4 * word)));
  k.loop(0, rows.rows, 1, [&](Value row) { emitRow(k, layer, rows, at, map, row); });
}
