// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions by pairs of 16-bit products. Activations are widened once, into the rows of windows. What bounds these
// loops is told in README.md.
#include "lib/Targets/CortexM/DspConv.h"
#include "lib/Targets/CortexM/Kernels.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;
using namespace mlir::qtensor::cortexm;

namespace {

/// Two channels share a word: each half is 256 * w1 + w0. One product-sum with the word as it is gives
/// 256 * sum1 + sum0, one with its low bytes sum0, so a word of four weights needs a single SXTB16. Sums of odd
/// channels must stay below 2^23.
class DspPairs : public DspConv {
public:
  DspPairs(StringRef name, Shape shape, const DspConv *frugal = nullptr) : DspConv(name, inPairs(shape), frugal) {}

protected:
  static int32_t pairOf(const Group &group, int64_t c, int64_t i) {
    int64_t lane = laneAt(group, i);
    return 256 * group.weight(c + 1, lane) + group.weight(c, lane);
  }

  bool acceptsSums(const ConvLayer &layer, const ConvConstants &constants,
                   ArrayRef<FastChannel> channels) const override;

  void packWeights(std::vector<char> &bytes, const Group &group) const override {
    for (int64_t i = 0; i < group.lanes; i += 2)
      for (int64_t c = 0; c < group.channels; c += 2)
        for (int64_t half = 0; half < 2; ++half)
          appendNumber(bytes, int16_t(pairOf(group, c, i + half)));
  }

  /// Adds the products of one channel to each pixel's sum.
  void addProducts(KernelBuilder &k, ArrayRef<Value> codes, Value weights, MutableArrayRef<Value> sums,
                   int64_t channels, int64_t channel) const {
    for (auto [p, code] : llvm::enumerate(codes)) {
      Value &sum = sums[p * channels + channel];
      sum = smladInOrder(k, code, weights, sum);
    }
  }

  /// The sum of both channels begins with both biases.
  void packBiases(MutableArrayRef<int32_t> biases) const override {
    for (size_t c = 0; c < biases.size(); c += 2)
      biases[c + 1] = int32_t(int64_t(biases[c + 1]) * 256 + biases[c]);
  }

  SmallVector<Value> sumProducts(KernelBuilder &k, Tile &tile, ValueRange biases, ValueRange) const override {
    int64_t channels = tile.channels;
    SmallVector<Value> start;
    for (int64_t p = 0; p < tile.pixels; ++p)
      start.append(biases.begin(), biases.end());
    auto step = [&](Word word, Value weights, MutableArrayRef<Value> sums) {
      for (int64_t half : {0, 1}) {
        SmallVector<Value> codes = loadAll(word, half, tile.pixels);
        for (int64_t c = 0; c < channels; c += 2) {
          // The word as it is, then its low bytes in the same register.
          Value pair = k.load32InOrder(k.at(weights, 2 * (half * channels + c)));
          addProducts(k, codes, pair, sums, channels, c + 1);
          addProducts(k, codes, evenBytes(k, pair), sums, channels, c);
        }
      }
    };
    SmallVector<Value> sums = sumWords(k, tile, 4 * channels, start, step);
    for (size_t i = 0; i < sums.size(); i += 2)
      sums[i + 1] = k.rightExact(k.sub(sums[i + 1], sums[i]), 8);
    return sums;
  }
};

bool DspPairs::acceptsSums(const ConvLayer &, const ConvConstants &constants, ArrayRef<FastChannel> channels) const {
  for (const FastChannel &channel : channels)
    if (channel.bound >= int64_t(1) << 23)
      return false;
  // -128 * 256 leaves no room for a negative neighbour.
  return !llvm::is_contained(constants.weights, -128);
}

/// Each channel has its words: two SXTB16 for four weights, any sum.
class DspWide : public DspConv {
public:
  DspWide(StringRef name, Shape shape) : DspConv(name, apart(shape)) {}

protected:
  bool acceptsSums(const ConvLayer &, const ConvConstants &, ArrayRef<FastChannel>) const override { return true; }

  void packWeights(std::vector<char> &bytes, const Group &group) const override {
    for (int64_t i = 0; i < group.lanes; i += 4)
      for (int64_t c = 0; c < group.channels; ++c)
        for (int64_t place : {0, 2, 1, 3})
          appendNumber(bytes, int8_t(group.weight(c, laneAt(group, i + place))));
  }

  SmallVector<Value> sumProducts(KernelBuilder &k, Tile &tile, ValueRange biases, ValueRange) const override {
    int64_t channels = tile.channels;
    SmallVector<Value> start;
    for (int64_t p = 0; p < tile.pixels; ++p)
      start.append(biases.begin(), biases.end());
    return sumWords(k, tile, 4 * channels, start, [&](Word word, Value weights, MutableArrayRef<Value> sums) {
      SmallVector<Value> codes[] = {loadAll(word, 0, tile.pixels), loadAll(word, 1, tile.pixels)};
      for (int64_t c = 0; c < channels; ++c) {
        Value four = k.load32InOrder(k.at(weights, 4 * c));
        for (int64_t half = 0; half < 2; ++half) {
          Value two = half ? oddBytes(k, four) : evenBytes(k, four);
          for (int64_t p = 0; p < tile.pixels; ++p)
            sums[p * channels + c] = smladInOrder(k, codes[half][p], two, sums[p * channels + c]);
        }
      }
    });
  }
};

} // namespace

/// Weights in groups: sums of 32 bits where they fit, else of 64.
static void addGroupKernels(LayerKernels &kernels) {
  auto row = [](bool wide) { return DspConv::inGroups(DspConv::row(4), wide); };
  auto tile = [](bool wide) { return DspConv::inGroups(DspConv::tile(2, 4), wide); };
  static const DspPairs rows[] = {DspPairs("dsp.row.pairs.groups", row(false)),
                                  DspPairs("dsp.row.pairs.groups.wide", row(true))};
  static const DspPairs tiles[] = {DspPairs("dsp.conv.pairs.groups", tile(false)),
                                   DspPairs("dsp.conv.pairs.groups.wide", tile(true))};
  static const DspWide any("dsp.conv.wide.groups", DspConv::inGroups(DspConv::tile(2, 2), true));
  for (bool wide : {false, true}) {
    addDspDigitGroups(kernels, wide);
    kernels.conv.insert(kernels.conv.end(), {&rows[wide], &tiles[wide]});
  }
  kernels.conv.push_back(&any);
}

void cortexm::addDspConvKernels(LayerKernels &kernels) {
  static const DspPairs direct("dsp.row.pairs.direct", DspConv::directRow(8)),
      uniformDirect("dsp.row.pairs.uniform.direct", DspConv::directRow(8, true));
  static const DspPairs row("dsp.row.pairs", DspConv::row(8), &direct),
      uniform("dsp.row.pairs.uniform", DspConv::row(8, true), &uniformDirect), pairs("dsp.conv.pairs", DspConv::tile(2, 4));
  static const DspWide wide("dsp.conv.wide", DspConv::exact(2, 2));
  addDspDigits(kernels);
  addDspTriples(kernels);
  kernels.conv.insert(kernels.conv.end(), {&uniform, &uniformDirect, &row, &direct, &pairs, &wide});
  addGroupKernels(kernels);
}
