// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Targets/CortexM/MvePatches.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::cortexm;

MvePatches::MvePatches(const ConvLayer &layer, int64_t channels)
    : imageCount(layer.in.batch), outRows(layer.out.height), outPixels(layer.out.width), inHeight(layer.in.height),
      inWidth(layer.in.width), channels(channels), codeBytes(layer.inputBits / 8), pieceBytes(channels * codeBytes),
      pixelBytes(layer.in.pixel() * codeBytes), kernelHeight(layer.window.kernelHeight),
      kernelWidth(layer.window.kernelWidth), strideHeight(layer.window.strideHeight),
      strideWidth(layer.window.strideWidth), dilationHeight(layer.window.dilationHeight),
      dilationWidth(layer.window.dilationWidth), padTop(layer.window.padTop), padLeft(layer.window.padLeft),
      zero(layer.inputZero) {
  // An image of one column is one of one row: its pixels are then computed side by side.
  transposed = inWidth == 1 && outPixels == 1 && kernelWidth == 1 && padLeft == 0;
  if (transposed) {
    std::swap(outRows, outPixels);
    std::swap(inHeight, inWidth);
    std::swap(kernelHeight, kernelWidth);
    std::swap(strideHeight, strideWidth);
    std::swap(dilationHeight, dilationWidth);
    std::swap(padTop, padLeft);
  }
  dilated = dilationWidth > 1 && kernelWidth > 1;
  // Kernels of single channels read eight at a time.
  bool whole = pieceBytes == pixelBytes && (!layer.depthwise || channels == 1 || channels % 8 == 0);
  direct = kernelHeight == 1 && !dilated && !layer.hasPadding() && whole;
  columnBytes = kernelHeight * pieceBytes;
  rowsMayLeave = padTop > 0 || (outRows - 1) * strideHeight + (kernelHeight - 1) * dilationHeight - padTop >= inHeight;
  if (direct) {
    pixelPitch = strideWidth * pieceBytes;
    // Pixels of 1 x 1 follow each other across rows and images.
    if (kernelWidth == 1 && strideWidth == 1 && strideHeight == 1) {
      outPixels *= outRows * imageCount;
      inWidth = outPixels;
      outRows = imageCount = 1;
    }
    return;
  }
  columns = dilated ? outPixels * kernelWidth : (outPixels - 1) * strideWidth + kernelWidth;
  pixelPitch = (dilated ? kernelWidth : strideWidth) * columnBytes;
  bufferBytes = columns * columnBytes;
}

int64_t MvePatches::outputDistance(int64_t outChannels, int64_t pixels, bool readsFirst) const {
  int64_t stepPixels = direct ? pixels : outPixels, perRow = llvm::divideCeil(outPixels, stepPixels);
  auto firstPixel = [&](int64_t step) {
    return std::min(step % perRow * stepPixels, std::max<int64_t>(outPixels - stepPixels, 0));
  };
  auto readsFrom = [&](int64_t step) {
    int64_t line = step / perRow, image = line / outRows;
    int64_t row = std::clamp<int64_t>(line % outRows * strideHeight - padTop, 0, inHeight - 1);
    return (image * inHeight + row) * inWidth * pixelBytes + (direct ? firstPixel(step) * pixelPitch : 0);
  };
  auto writtenTo = [&](int64_t step) {
    return (step / perRow * outPixels + std::min(firstPixel(step) + stepPixels, outPixels)) * outChannels * codeBytes;
  };
  return firmware::distanceOfSteps(imageCount * outRows * perRow, readsFirst || !direct, readsFrom, writtenTo);
}

firmware::WindowRows::Place MvePatches::placeOf(int64_t i) const {
  int64_t c = i % channels, ky = i / channels % kernelHeight, kx = i / channels / kernelHeight;
  return transposed ? firmware::WindowRows::Place{kx, ky, c} : firmware::WindowRows::Place{ky, kx, c};
}

int32_t MvePatches::weight(const ConvLayer &layer, const ConvConstants &constants, int64_t channel, int64_t i) const {
  auto [ky, kx, c] = placeOf(i);
  return constants.weight(layer, channel, ky, kx, c);
}

int32_t MvePatches::factor(const ConvLayer &layer, const ConvConstants &constants, int64_t channel, int64_t i) const {
  auto [ky, kx, c] = placeOf(i);
  return constants.factor(layer, channel, ky, kx, c);
}

/// ceil(a / b) for any a and b > 0.
static int64_t ceilDivide(int64_t a, int64_t b) { return a <= 0 ? -(-a / b) : (a - 1) / b + 1; }

std::vector<MvePatches::Run> MvePatches::runs() const {
  std::vector<Run> found;
  for (int64_t kx = 0; kx < (dilated ? kernelWidth : 1); ++kx) {
    int64_t step = dilated ? strideWidth : 1, offset = kx * dilationWidth - padLeft,
            count = dilated ? outPixels : columns;
    // Columns i of the copy with 0 <= i * step + offset < width.
    int64_t first = std::max<int64_t>(ceilDivide(-offset, step), 0);
    int64_t end = std::min(count, ceilDivide(inWidth - offset, step));
    if (first >= end)
      continue;
    int64_t pitch = dilated ? kernelWidth : 1;
    found.push_back({(first * step + offset) * pixelBytes, step * pixelBytes, (first * pitch + kx) * columnBytes,
                     pitch * columnBytes, end - first});
  }
  return found;
}

/// Calls body(offset, size) for pieces of at most 16 bytes that make up `size`; in a loop where there are many.
static void forEachVector(Mve &m, int64_t size, Value from, Value to,
                          llvm::function_ref<void(Value, Value, int64_t)> body) {
  int64_t whole = size / 16 * 16;
  if (whole > 128)
    m.k.loop(0, whole, 16, [&](Value i) { body(from ? m.k.at(from, i) : Value(), m.k.at(to, i), 16); });
  for (int64_t i = whole > 128 ? whole : 0; i < size; i += 16)
    body(from ? m.k.at(from, i) : Value(), m.k.at(to, i), std::min<int64_t>(16, size - i));
}

/// Several pieces of less than 16 bytes at once: they lie one behind the other in the input, and are scattered.
void MvePatches::copyNarrowPieces(Mve &m, const Run &run, Value from, Value to) const {
  int64_t pieces = std::min<int64_t>(16 / pieceBytes, (256 - pieceBytes) / run.toPitch + 1);
  SmallVector<int64_t> offsets;
  for (int64_t i = 0; i < 16; ++i)
    offsets.push_back(i < pieces * pieceBytes ? int8_t(i / pieceBytes * run.toPitch + i % pieceBytes) : 0);
  Value where = m.lanes(offsets, m.bytes());
  auto copy = [&](Value piece, int64_t count) {
    Value source = m.k.at(from, m.k.mul(piece, run.fromPitch)), target = m.k.at(to, m.k.mul(piece, run.toPitch));
    m.scatterBytes(target, where, m.loadBytes(source, count * pieceBytes), count * pieceBytes);
  };
  int64_t whole = run.count / pieces * pieces;
  m.k.loop(0, whole, pieces, [&](Value piece) { copy(piece, pieces); });
  if (run.count > whole)
    copy(m.k.number(whole), run.count - whole);
}

void MvePatches::copyRun(Mve &m, const Run &run, Value from, Value to) const {
  auto move = [&](Value source, Value target, int64_t size) { m.storeBytes(m.loadBytes(source, size), target, size); };
  if (run.fromPitch == pieceBytes && run.toPitch == pieceBytes)
    return forEachVector(m, run.count * pieceBytes, from, to, move);
  if (pieceBytes < 16 && run.fromPitch == pieceBytes && run.toPitch + pieceBytes <= 256)
    return copyNarrowPieces(m, run, from, to);
  m.k.loop(0, run.count, 1, ValueRange{from, to}, [&](Value, ValueRange at) {
    // Unrolled, with an address of its own for each store, the loop would spill.
    SmallVector<Value> place = m.k.pin(at);
    forEachVector(m, pieceBytes, place[0], place[1], move);
    return SmallVector<Value>{m.k.at(place[0], run.fromPitch), m.k.at(place[1], run.toPitch)};
  });
}

void MvePatches::fillRun(Mve &m, const Run &run, Value to) const {
  Value zeros = m.splat(zero, m.bytes());
  m.k.loop(0, run.count, 1, ValueRange{to}, [&](Value, ValueRange at) {
    Value place = m.k.pin(at)[0];
    forEachVector(m, pieceBytes, Value(), place,
                  [&](Value, Value target, int64_t size) { m.storeBytes(zeros, target, size); });
    return SmallVector<Value>{m.k.at(place, run.toPitch)};
  });
}

void MvePatches::emitStart(Mve &m, Value scratch) const {
  if (direct)
    return;
  Value zeros = m.splat(zero, m.bytes());
  forEachVector(m, bufferBytes, Value(), scratch,
                [&](Value, Value target, int64_t size) { m.storeBytes(zeros, target, size); });
}

Value MvePatches::emitRow(Mve &m, Value input, Value scratch, Value image, Value row) const {
  KernelBuilder &k = m.k;
  int64_t rowBytes = inWidth * pixelBytes;
  Value first = k.at(input, k.mul(image, inHeight * rowBytes));
  if (direct)
    return k.at(first, k.mul(row, strideHeight * rowBytes));
  k.loop(0, kernelHeight, 1, [&](Value ky) {
    Value y = k.add(k.add(k.mul(row, strideHeight), k.mul(ky, dilationHeight)), -padTop);
    Value column = k.at(scratch, k.mul(ky, pieceBytes));
    for (const Run &run : runs()) {
      Value to = k.at(column, run.to);
      auto copy = [&] { copyRun(m, run, k.at(k.at(first, k.mul(y, rowBytes)), run.from), to); };
      if (!rowsMayLeave) {
        copy();
        continue;
      }
      Value above = k.isLess(y, k.number(0)), below = k.isLess(k.number(inHeight - 1), y);
      Value outside = k.either(above, below);
      k.when(k.isEqual(outside, k.number(0, outside.getType())), copy);
      k.when(outside, [&] { fillRun(m, run, to); });
    }
  });
  return scratch;
}

void MvePatches::emitTiles(Mve &m, const ConvLayer &layer, const firmware::LayerPointers &at, int64_t step,
                           llvm::function_ref<void(Value, Value, Value)> body) const {
  KernelBuilder &k = m.k;
  int64_t outBytes = layer.out.pixel() * codeBytes;
  emitStart(m, at.scratch);
  k.loop(0, imageCount, 1, [&](Value image) {
    k.loop(0, outRows, 1, [&](Value y) {
      Value from = emitRow(m, at.input, at.scratch, image, y);
      Value line = k.mul(k.add(k.mul(image, outRows), y), outPixels * outBytes), to = k.at(at.output, line);
      Value second = layer.sum ? k.at(at.second, line) : Value();
      k.loop(0, outPixels, step, [&](Value x) {
        // The last tile's first pixels are made by the tile before too.
        if (outPixels % step)
          x = k.least(x, k.number(std::max<int64_t>(outPixels - step, 0)));
        Value pixel = k.mul(x, outBytes);
        body(k.at(from, k.mul(x, pixelPitch)), k.at(to, pixel), layer.sum ? k.at(second, pixel) : Value());
      });
    });
  });
}
