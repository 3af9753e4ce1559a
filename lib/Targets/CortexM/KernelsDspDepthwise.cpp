// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Depthwise convolutions by pairs of 16-bit products: the codes of a window's column become neighbours.
#include "lib/Targets/CortexM/Dsp.h"
#include "lib/Targets/CortexM/Kernels.h"
#include "lib/Transforms/Firmware/FastMap.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;
using namespace mlir::qtensor::cortexm;

namespace {

/// Four channels at a time. Their codes of one row of outputs are written as four planes, [column][ky] of 16 bits, in
/// which a window is one run of words; all columns of pads are written once. Rows go to the planes in pairs. Of an odd
/// last row a word holds two channels, as SXTB16 gives them: channels 0 and 1 use its low half, 2 and 3 the high one,
/// and the weight of the other half is 0.
///
/// Constants: for each channel bias and map, then its weights, words in the planes' order.
class DspDepthwise : public ConvKernel {
public:
  StringRef getName() const override { return "dsp.depthwise"; }
  bool accepts(const ConvLayer &layer, const ConvConstants &constants) const override {
    return layer.depthwise && layer.inputBits == 8 && layer.map.mode != FixedMode::X16 &&
           layer.in.channels == layer.out.channels && layer.in.channels % kPlanes == 0 &&
           layer.window.dilationWidth == 1 && findFastChannels(layer, constants);
  }
  std::vector<char> pack(const ConvLayer &layer, const ConvConstants &constants) const override;
  int64_t getScratchBytes(const ConvLayer &layer) const override { return kPlanes * Planes(layer).bytes; }
  std::optional<Overlap> getOutputOverlap(const ConvLayer &layer) const override {
    // Four channels after four: those behind are still in the input.
    return Overlap{overlapByRows(WindowWalk(layer)).distance, layer.in.channels};
  }
  void emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const override;

private:
  static constexpr int64_t kPlanes = 4;

  struct Planes {
    explicit Planes(const ConvLayer &layer);
    int64_t slots;                            ///< Of a column, even.
    int64_t columns, firstColumn, lastColumn; ///< In a plane, and of those the ones in the input.
    int64_t bytes;                            ///< Of a plane.
    int64_t words() const { return slots / 2; }
  };

  static void fillPads(KernelBuilder &k, const ConvLayer &layer, const Planes &planes, Value scratch);
  static void fillRow(KernelBuilder &k, const ConvLayer &layer, const Planes &planes, Value group, Value scratch,
                      Value y);
  static void fillInside(KernelBuilder &k, const ConvLayer &layer, const Planes &planes, Value from, Value to);
  static void fillAtBorder(KernelBuilder &k, const ConvLayer &layer, const Planes &planes, Value group, Value to,
                           Value first);
  static void fillTap(KernelBuilder &k, const ConvLayer &layer, const Planes &planes, Value from, Value to,
                      int64_t skipped);
  static void computeRow(KernelBuilder &k, const ConvLayer &layer, const Planes &planes, Value scratch, Value constants,
                         Value output);
  struct Channel {
    Value bias;
    FastMapValues map;
    SmallVector<Value> weights; ///< [kx][word]
  };
  static void computePixels(KernelBuilder &k, const ConvLayer &layer, const Channel &channel, Value window,
                            Value output, int64_t pixels);
  static int64_t constantBytes(const ConvLayer &layer, const Planes &planes) {
    return 16 + 4 * planes.words() * layer.window.kernelWidth;
  }
};

} // namespace

DspDepthwise::Planes::Planes(const ConvLayer &layer) {
  const Window &w = layer.window;
  slots = (w.kernelHeight + 1) / 2 * 2;
  columns = (layer.out.width - 1) * w.strideWidth + w.kernelWidth;
  firstColumn = std::min(w.padLeft, columns);
  lastColumn = std::min(columns, w.padLeft + layer.in.width);
  bytes = columns * slots * 2;
}

std::vector<char> DspDepthwise::pack(const ConvLayer &layer, const ConvConstants &constants) const {
  std::vector<FastChannel> channels = *findFastChannels(layer, constants);
  const Window &w = layer.window;
  std::vector<char> bytes;
  for (auto [o, channel] : llvm::enumerate(channels)) {
    appendNumber(bytes, int32_t(channel.bias));
    channel.map.append(bytes);
    for (int64_t kx = 0; kx < w.kernelWidth; ++kx) {
      for (int64_t ky = 0; ky < w.kernelHeight / 2 * 2; ++ky)
        appendNumber(bytes, int16_t(constants.weight(layer, o, ky, kx, 0)));
      if (w.kernelHeight % 2) {
        auto last = int16_t(constants.weight(layer, o, w.kernelHeight - 1, kx, 0));
        appendNumber(bytes, o % kPlanes < 2 ? last : int16_t(0));
        appendNumber(bytes, o % kPlanes < 2 ? int16_t(0) : last);
      }
    }
  }
  return bytes;
}

void DspDepthwise::fillPads(KernelBuilder &k, const ConvLayer &layer, const Planes &planes, Value scratch) {
  Value zero = k.number(layer.inputZero, k.i16());
  auto fill = [&](Value to, int64_t columns) {
    k.loop(0, columns * planes.slots, 1, [&](Value i) { k.store(zero, k.at(to, k.left(i, 1))); });
  };
  if (planes.firstColumn == 0 && planes.lastColumn == planes.columns)
    return;
  k.loop(0, kPlanes, 1, [&](Value plane) {
    Value to = k.at(scratch, k.mul(plane, planes.bytes));
    fill(to, planes.firstColumn);
    fill(k.at(to, planes.lastColumn * planes.slots * 2), planes.columns - planes.lastColumn);
  });
}

void DspDepthwise::fillInside(KernelBuilder &k, const ConvLayer &layer, const Planes &planes, Value from, Value to) {
  const Window &w = layer.window;
  int64_t rowBytes = w.dilationHeight * layer.in.width * layer.in.channels;
  Value high = k.number(int64_t(0xFFFF0000)), low = k.number(0xFFFF);
  auto column = [&](Value from, Value to) {
    auto put = [&](Value word, int64_t plane, int64_t i) { k.store(word, k.at(to, plane * planes.bytes + 4 * i), 4); };
    for (int64_t i = 0; i < w.kernelHeight / 2; ++i) {
      Value a = k.load32(k.at(from, 2 * i * rowBytes)), b = k.load32(k.at(from, (2 * i + 1) * rowBytes));
      Value first = k.either(k.both(a, low), k.left(b, 16)), second = k.either(k.both(b, high), k.rightUnsigned(a, 16));
      put(evenBytes(k, first), 0, i);
      put(oddBytes(k, first), 1, i);
      put(evenBytes(k, second), 2, i);
      put(oddBytes(k, second), 3, i);
    }
    if (w.kernelHeight % 2 == 0)
      return;
    Value last = k.load32(k.at(from, (w.kernelHeight - 1) * rowBytes)), even = evenBytes(k, last),
          odd = oddBytes(k, last);
    for (int64_t plane = 0; plane < kPlanes; ++plane)
      put(plane % 2 ? odd : even, plane, w.kernelHeight / 2);
  };
  k.loop(0, planes.lastColumn - planes.firstColumn, 1, ValueRange{from, to}, [&](Value, ValueRange at) {
    column(at[0], at[1]);
    return SmallVector<Value>{k.at(at[0], layer.in.channels), k.at(at[1], planes.slots * 2)};
  });
}

void DspDepthwise::fillTap(KernelBuilder &k, const ConvLayer &layer, const Planes &planes, Value from, Value to,
                           int64_t skipped) {
  k.loop(0, planes.lastColumn - planes.firstColumn, 1, ValueRange{from, to}, [&](Value, ValueRange at) {
    for (int64_t plane = 0; plane < kPlanes; ++plane)
      k.store(k.extend(k.load(k.at(at[0], plane), k.i8()), k.i16()),
              k.at(at[1], plane * planes.bytes + (plane < 2 ? 0 : skipped)));
    return SmallVector<Value>{k.at(at[0], layer.in.channels), k.at(at[1], planes.slots * 2)};
  });
}

void DspDepthwise::fillAtBorder(KernelBuilder &k, const ConvLayer &layer, const Planes &planes, Value group, Value to,
                                Value first) {
  const Window &w = layer.window;
  Value zero = k.number(layer.inputZero, k.i16());
  auto tap = [&](Value ky, int64_t skipped) {
    Value row = k.add(first, k.mul(ky, w.dilationHeight)), slot = k.at(to, k.left(ky, 1));
    Value inside = k.both(k.isLess(k.number(-1), row), k.isLess(row, k.number(layer.in.height)));
    k.when(inside, [&] {
      fillTap(k, layer, planes, k.at(group, k.mul(row, layer.in.width * layer.in.channels)), slot, skipped);
    });
    k.when(k.isEqual(inside, k.number(0, k.getBuilder().getI1Type())), [&] {
      k.loop(0, planes.lastColumn - planes.firstColumn, 1, ValueRange{slot}, [&](Value, ValueRange at) {
        for (int64_t plane = 0; plane < kPlanes; ++plane)
          k.store(zero, k.at(at[0], plane * planes.bytes + (plane < 2 ? 0 : skipped)));
        return SmallVector<Value>{k.at(at[0], planes.slots * 2)};
      });
    });
  };
  int64_t paired = w.kernelHeight / 2 * 2;
  k.loop(0, paired, 1, [&](Value ky) { tap(ky, 0); });
  if (paired < w.kernelHeight)
    tap(k.number(paired), 2);
}

void DspDepthwise::fillRow(KernelBuilder &k, const ConvLayer &layer, const Planes &planes, Value group, Value scratch,
                           Value y) {
  const Window &w = layer.window;
  Value first = k.add(k.mul(y, w.strideHeight), -w.padTop);
  Value to = k.at(scratch, planes.firstColumn * planes.slots * 2);
  int64_t reach = (w.kernelHeight - 1) * w.dilationHeight;
  auto inside = [&] {
    fillInside(k, layer, planes, k.at(group, k.mul(first, layer.in.width * layer.in.channels)), to);
  };
  if (w.padTop == 0 && (layer.out.height - 1) * w.strideHeight + reach < layer.in.height)
    return inside();
  Value whole = k.both(k.isLess(k.number(-1), first), k.isLess(first, k.number(layer.in.height - reach)));
  k.when(whole, inside);
  k.when(k.isEqual(whole, k.number(0, k.getBuilder().getI1Type())),
         [&] { fillAtBorder(k, layer, planes, group, to, first); });
}

/// Pixels that are computed together: neighbours share columns. A divisor of the width, or what leaves few over.
static int64_t pixelsTogether(int64_t width) {
  for (int64_t candidate : {4, 5, 3})
    if (width % candidate == 0)
      return candidate;
  return std::min<int64_t>(width, 4);
}

void DspDepthwise::computePixels(KernelBuilder &k, const ConvLayer &layer, const Channel &channel, Value window,
                                 Value output, int64_t pixels) {
  const Window &w = layer.window;
  int64_t words = Planes(layer).words(), stride = w.strideWidth;
  SmallVector<Value> sums(pixels, channel.bias);
  for (int64_t column = 0; column < (pixels - 1) * stride + w.kernelWidth; ++column) {
    for (int64_t i = 0; i < words; ++i) {
      Value codes;
      for (int64_t p = 0; p < pixels; ++p) {
        int64_t kx = column - p * stride;
        if (kx < 0 || kx >= w.kernelWidth)
          continue;
        if (!codes)
          codes = k.load32(k.at(window, 4 * (column * words + i)));
        sums[p] = smlad(k, codes, channel.weights[kx * words + i], sums[p]);
      }
    }
    int64_t done = column - w.kernelWidth + 1;
    if (done >= 0 && done % stride == 0)
      k.storeCode(channel.map.apply(k, k.left(sums[done / stride], 1), layer.map),
                  k.at(output, done / stride * layer.out.channels));
  }
}

void DspDepthwise::computeRow(KernelBuilder &k, const ConvLayer &layer, const Planes &planes, Value scratch,
                              Value constants, Value output) {
  int64_t words = planes.words() * layer.window.kernelWidth, width = layer.out.width, pixels = pixelsTogether(width);
  int64_t windowStep = layer.window.strideWidth * planes.slots * 2;
  k.loop(0, kPlanes, 1, ValueRange{scratch, constants, output}, [&](Value, ValueRange plane) {
    Channel channel{k.load32(plane[1]), FastMapValues::load(k, k.at(plane[1], 4)), {}};
    for (int64_t i = 0; i < words; ++i)
      channel.weights.push_back(k.load32(k.at(plane[1], 16 + 4 * i)));
    auto rest = k.loop(0, width / pixels, 1, ValueRange{plane[0], plane[2]}, [&](Value, ValueRange at) {
      computePixels(k, layer, channel, at[0], at[1], pixels);
      return SmallVector<Value>{k.at(at[0], pixels * windowStep), k.at(at[1], pixels * layer.out.channels)};
    });
    if (width % pixels)
      computePixels(k, layer, channel, rest[0], rest[1], width % pixels);
    return SmallVector<Value>{k.at(plane[0], planes.bytes), k.at(plane[1], constantBytes(layer, planes)),
                              k.at(plane[2], 1)};
  });
}

void DspDepthwise::emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const {
  Planes planes(layer);
  int64_t channels = layer.in.channels, inBytes = layer.in.height * layer.in.width * channels;
  int64_t outRow = layer.out.width * channels;
  fillPads(k, layer, planes, at.scratch);
  k.loop(0, layer.in.batch, 1, [&](Value n) {
    Value image = k.at(at.input, k.mul(n, inBytes)), result = k.at(at.output, k.mul(n, layer.out.height * outRow));
    k.loop(0, channels / kPlanes, 1, ValueRange{image, at.constants, result}, [&](Value, ValueRange group) {
      k.loop(0, layer.out.height, 1, ValueRange{group[2]}, [&](Value y, ValueRange row) {
        fillRow(k, layer, planes, group[0], at.scratch, y);
        computeRow(k, layer, planes, at.scratch, group[1], row[0]);
        return SmallVector<Value>{k.at(row[0], outRow)};
      });
      return SmallVector<Value>{k.at(group[0], kPlanes), k.at(group[1], kPlanes * constantBytes(layer, planes)),
                                k.at(group[2], kPlanes)};
    });
  });
}

void cortexm::addDspDepthwiseKernels(LayerKernels &kernels) {
  static const DspDepthwise depthwise;
  kernels.conv.push_back(&depthwise);
}
