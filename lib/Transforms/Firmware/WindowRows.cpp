// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/WindowRows.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

/// Room for a chunk of pixels: enough for the loops around it to be nearly free, little beside any arena. Whole tiles.
static constexpr int64_t kChunkBytes = 512, kChunkTiles = 4;

std::optional<WindowRows> WindowRows::find(const ConvLayer &layer, int64_t laneBytes, int64_t depthUnit,
                                           int64_t laneOffset) {
  const Window &w = layer.window;
  // Columns of one window must be neighbours, or windows must not share columns.
  bool apart = w.strideWidth > w.kernelWidth;
  WindowRows r;
  r.phases = w.kernelWidth > 1 ? w.dilationWidth : 1;
  if ((r.phases > 1 && w.strideWidth > 1) || (apart && layer.hasPadding()))
    return std::nullopt;
  r.laneBytes = laneBytes;
  r.laneOffset = laneOffset;
  r.allPixels = layer.out.batch * layer.out.height * layer.out.width;
  // Windows that are read by words begin at words.
  r.columnLanes = llvm::alignTo(w.kernelHeight * layer.in.channels, std::min(depthUnit, 4 / laneBytes));
  r.lanes = llvm::alignTo(layer.depthwise ? w.taps() : w.kernelWidth * r.columnLanes, depthUnit);
  r.pixelLanes = r.columnLanes * std::min(w.strideWidth, w.kernelWidth);
  r.chunks = w.taps() == 1 && w.strideWidth == 1 && w.strideHeight == 1 && !layer.hasPadding();
  r.inPlace = r.chunks && laneBytes == layer.inputBits / 8 && laneOffset == 0 && r.columnLanes == layer.in.pixel() &&
              r.lanes == layer.in.pixel();
  if (r.inPlace) {
    r.pixels = r.allPixels;
    r.rows = 1;
    return r;
  }
  if (r.chunks) {
    int64_t room = std::max(kChunkTiles, kChunkBytes / (r.columnLanes * laneBytes) / kChunkTiles * kChunkTiles);
    r.pixels = std::min(r.allPixels, room);
    r.rows = llvm::divideCeil(r.allPixels, r.pixels);
    r.columns = r.lastColumn = r.pixels;
    return r;
  }
  r.rows = layer.out.batch * layer.out.height;
  r.pixels = layer.out.width;
  r.columns = apart ? r.pixels * w.kernelWidth : (r.pixels - 1) * w.strideWidth + (w.kernelWidth - 1) * r.phases + 1;
  r.firstColumn = std::min(w.padLeft, r.columns);
  r.lastColumn = apart ? r.columns : std::min(r.columns, w.padLeft + layer.in.width);
  if (r.phases > 1) {
    r.phaseColumns = llvm::divideCeil(r.columns, r.phases);
    r.columns = r.phases * r.phaseColumns;
  }
  return r;
}

int64_t WindowRows::bytes() const {
  if (inPlace)
    return 0;
  // The last window may be rounded up beyond the last column.
  int64_t lastWindow = (phases - 1) * phaseColumns * columnLanes + (llvm::divideCeil(pixels, phases) - 1) * pixelLanes;
  return (lastWindow + std::max(lanes, columns * columnLanes - lastWindow)) * laneBytes;
}

void WindowRows::fillLanes(KernelBuilder &k, Value to, int64_t count, int64_t code) const {
  Type lane = k.getBuilder().getIntegerType(laneBytes * 8);
  Value value = k.number(code + laneOffset, lane);
  k.loop(0, count, 1, [&](Value i) { k.store(value, k.at(to, k.mul(i, laneBytes))); });
}

void WindowRows::fillPads(KernelBuilder &k, const ConvLayer &layer, Value buffer) const {
  if (phases > 1)
    return fillLanes(k, buffer, columns * columnLanes, layer.inputZero);
  fillLanes(k, buffer, firstColumn * columnLanes, layer.inputZero);
  fillLanes(k, k.at(buffer, lastColumn * columnLanes * laneBytes), (columns - lastColumn) * columnLanes,
            layer.inputZero);
}

Value WindowRows::countPixels(KernelBuilder &k, Value row) const {
  if (!chunks || allPixels % pixels == 0)
    return k.number(pixels);
  return k.least(k.number(pixels), k.sub(k.number(allPixels), k.mul(row, pixels)));
}

void WindowRows::forColumns(KernelBuilder &k, int64_t pixelBytes, Value from, Value to,
                            llvm::function_ref<void(Value, Value)> body) const {
  int64_t columnBytes = columnLanes * laneBytes;
  if (phases == 1) {
    k.loop(0, lastColumn - firstColumn, 1, ValueRange{from, to}, [&](Value, ValueRange at) {
      body(at[0], at[1]);
      return SmallVector<Value>{k.at(at[0], pixelBytes), k.at(at[1], columnBytes)};
    });
    return;
  }
  Value first = k.at(to, firstColumn % phases * phaseBytes() + firstColumn / phases * columnBytes);
  Value back = k.number(columnBytes - (phases - 1) * phaseBytes()), onward = k.number(phaseBytes());
  k.loop(0, lastColumn - firstColumn, 1, ValueRange{from, first, k.number(firstColumn % phases)},
         [&](Value, ValueRange at) {
           body(at[0], at[1]);
           Value wraps = k.isEqual(at[2], k.number(phases - 1));
           return SmallVector<Value>{k.at(at[0], pixelBytes), k.at(at[1], k.select(wraps, back, onward)),
                                     k.select(wraps, k.number(0), k.add(at[2], 1))};
         });
}

void WindowRows::fillTap(KernelBuilder &k, const ConvLayer &layer, Value input, Value buffer, Value y, Value ky,
                         CopyCodes copy) const {
  const Window &w = layer.window;
  int64_t channels = layer.in.channels, pixelBytes = layer.in.pixel() * layer.inputBits / 8,
          columnBytes = columnLanes * laneBytes;
  Value row = k.add(k.sub(k.mul(y, w.strideHeight), k.number(w.padTop)), k.mul(ky, w.dilationHeight));
  Value to = k.at(buffer, k.add(k.mul(ky, channels * laneBytes), phases == 1 ? firstColumn * columnBytes : 0));
  Value from = k.at(input, k.mul(row, layer.in.width * pixelBytes));
  auto copyColumn = [&](Value from, Value to) { copy(from, to, channels); };
  auto copyAll = [&] {
    if (w.strideWidth <= w.kernelWidth)
      return forColumns(k, pixelBytes, from, to, copyColumn);
    WindowRows window = *this;
    window.lastColumn = w.kernelWidth;
    k.loop(0, pixels, 1, [&](Value x) {
      window.forColumns(k, pixelBytes, k.at(from, k.mul(x, w.strideWidth * pixelBytes)),
                        k.at(to, k.mul(x, w.kernelWidth * columnBytes)), copyColumn);
    });
  };
  int64_t lastRow = (layer.out.height - 1) * w.strideHeight - w.padTop + (w.kernelHeight - 1) * w.dilationHeight;
  if (w.padTop == 0 && lastRow < layer.in.height)
    return copyAll();
  Value inside = k.both(k.isLess(k.number(-1), row), k.isLess(row, k.number(layer.in.height)));
  k.when(inside, copyAll);
  k.when(k.isEqual(inside, k.number(0, k.getBuilder().getI1Type())), [&] {
    forColumns(k, pixelBytes, from, to, [&](Value, Value to) { fillLanes(k, to, channels, layer.inputZero); });
  });
}

void WindowRows::fillRow(KernelBuilder &k, const ConvLayer &layer, Value input, Value buffer, Value row,
                         CopyCodes copy) const {
  int64_t channels = layer.in.channels, pixelBytes = layer.in.pixel() * layer.inputBits / 8;
  if (chunks) {
    Value from = k.at(input, k.mul(row, pixels * pixelBytes));
    k.loop(k.number(0), countPixels(k, row), 1, ValueRange{from, buffer}, [&](Value, ValueRange at) {
      copy(at[0], at[1], channels);
      return SmallVector<Value>{k.at(at[0], pixelBytes), k.at(at[1], columnLanes * laneBytes)};
    });
    return;
  }
  Value y = row, image = input;
  if (layer.out.batch > 1) {
    Value height = k.number(layer.out.height);
    Value batch = arith::DivUIOp::create(k.getBuilder(), row, height);
    y = k.sub(row, k.mul(batch, height));
    image = k.at(input, k.mul(batch, layer.in.height * layer.in.width * pixelBytes));
  }
  k.loop(0, layer.window.kernelHeight, 1, [&](Value ky) { fillTap(k, layer, image, buffer, y, ky, copy); });
}

std::optional<WindowRows::Place> WindowRows::placeOfLane(const ConvLayer &layer, int64_t lane) const {
  int64_t channels = layer.depthwise ? 1 : layer.in.channels;
  int64_t column = layer.depthwise ? layer.window.kernelHeight : columnLanes;
  Place place{lane % column / channels, lane / column, lane % column % channels};
  if (place.kx >= layer.window.kernelWidth || place.ky >= layer.window.kernelHeight)
    return std::nullopt;
  return place;
}

int32_t WindowRows::weightOfLane(const ConvLayer &layer, const ConvConstants &constants, int64_t o,
                                 int64_t lane) const {
  std::optional<Place> place = placeOfLane(layer, lane);
  return place && o < layer.out.channels ? constants.weight(layer, o, place->ky, place->kx, place->channel) : 0;
}

int32_t WindowRows::factorOfLane(const ConvLayer &layer, const ConvConstants &constants, int64_t o,
                                 int64_t lane) const {
  std::optional<Place> place = placeOfLane(layer, lane);
  return place && o < layer.out.channels ? constants.factor(layer, o, place->ky, place->kx, place->channel) : 0;
}
