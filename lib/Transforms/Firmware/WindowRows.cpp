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
  if (w.dilationWidth != 1 || (apart && layer.hasPadding()))
    return std::nullopt;
  WindowRows r;
  r.laneBytes = laneBytes;
  r.laneOffset = laneOffset;
  r.allPixels = layer.out.batch * layer.out.height * layer.out.width;
  // Windows that are read by words begin at words.
  r.columnLanes = llvm::alignTo(w.kernelHeight * layer.in.channels, std::min(depthUnit, 4 / laneBytes));
  r.lanes = llvm::alignTo(layer.depthwise ? w.taps() : w.kernelWidth * r.columnLanes, depthUnit);
  r.pixelLanes = r.columnLanes * std::min(w.strideWidth, w.kernelWidth);
  r.chunks = w.taps() == 1 && w.strideWidth == 1 && w.strideHeight == 1 && !layer.hasPadding();
  r.inPlace = r.chunks && laneBytes == layer.inputBits / 8 && laneOffset == 0 && r.columnLanes == layer.in.channels &&
              r.lanes == layer.in.channels;
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
  r.columns = apart ? r.pixels * w.kernelWidth : (r.pixels - 1) * w.strideWidth + w.kernelWidth;
  r.firstColumn = std::min(w.padLeft, r.columns);
  r.lastColumn = apart ? r.columns : std::min(r.columns, w.padLeft + layer.in.width);
  return r;
}

int64_t WindowRows::bytes() const {
  if (inPlace)
    return 0;
  // The last window may be rounded up beyond the last column.
  int64_t lastWindow = (pixels - 1) * pixelLanes;
  return (lastWindow + std::max(lanes, columns * columnLanes - lastWindow)) * laneBytes;
}

void WindowRows::fillLanes(KernelBuilder &k, Value to, int64_t count, int64_t code) const {
  Type lane = k.getBuilder().getIntegerType(laneBytes * 8);
  Value value = k.number(code + laneOffset, lane);
  k.loop(0, count, 1, [&](Value i) { k.store(value, k.at(to, k.mul(i, laneBytes))); });
}

void WindowRows::fillPads(KernelBuilder &k, const ConvLayer &layer, Value buffer) const {
  fillLanes(k, buffer, firstColumn * columnLanes, layer.inputZero);
  fillLanes(k, k.at(buffer, lastColumn * columnLanes * laneBytes), (columns - lastColumn) * columnLanes,
            layer.inputZero);
}

Value WindowRows::countPixels(KernelBuilder &k, Value row) const {
  if (!chunks || allPixels % pixels == 0)
    return k.number(pixels);
  return k.least(k.number(pixels), k.sub(k.number(allPixels), k.mul(row, pixels)));
}

void WindowRows::fillTap(KernelBuilder &k, const ConvLayer &layer, Value input, Value buffer, Value y, Value ky,
                         CopyCodes copy) const {
  const Window &w = layer.window;
  int64_t channels = layer.in.channels, pixelBytes = channels * layer.inputBits / 8, columnBytes = columnLanes * laneBytes;
  Value row = k.add(k.sub(k.mul(y, w.strideHeight), k.number(w.padTop)), k.mul(ky, w.dilationHeight));
  Value to = k.at(buffer, k.add(k.mul(ky, channels * laneBytes), firstColumn * columnBytes));
  Value from = k.at(input, k.mul(row, layer.in.width * pixelBytes));
  auto columnsOf = [&](int64_t count, int64_t fromStep, Value from, Value to) {
    k.loop(0, count, 1, ValueRange{from, to}, [&](Value, ValueRange at) {
      copy(at[0], at[1], channels);
      return SmallVector<Value>{k.at(at[0], fromStep), k.at(at[1], columnBytes)};
    });
  };
  auto copyAll = [&] {
    if (w.strideWidth <= w.kernelWidth)
      return columnsOf(lastColumn - firstColumn, pixelBytes, from, to);
    k.loop(0, pixels, 1, [&](Value x) {
      columnsOf(w.kernelWidth, pixelBytes, k.at(from, k.mul(x, w.strideWidth * pixelBytes)),
                k.at(to, k.mul(x, w.kernelWidth * columnBytes)));
    });
  };
  int64_t lastRow = (layer.out.height - 1) * w.strideHeight - w.padTop + (w.kernelHeight - 1) * w.dilationHeight;
  if (w.padTop == 0 && lastRow < layer.in.height)
    return copyAll();
  Value inside = k.both(k.isLess(k.number(-1), row), k.isLess(row, k.number(layer.in.height)));
  k.when(inside, copyAll);
  k.when(k.isEqual(inside, k.number(0, k.getBuilder().getI1Type())), [&] {
    k.loop(0, lastColumn - firstColumn, 1, ValueRange{to}, [&](Value, ValueRange at) {
      fillLanes(k, at[0], channels, layer.inputZero);
      return SmallVector<Value>{k.at(at[0], columnBytes)};
    });
  });
}

void WindowRows::fillRow(KernelBuilder &k, const ConvLayer &layer, Value input, Value buffer, Value row,
                         CopyCodes copy) const {
  int64_t channels = layer.in.channels, pixelBytes = channels * layer.inputBits / 8;
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
