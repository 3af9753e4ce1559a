// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Weights of 4 and 2 bits: two product-sums for three channels.
#include "lib/Targets/CortexM/DspConv.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;
using namespace mlir::qtensor::cortexm;

namespace {

/// Halves of words are w0 + 2^place w1 and w1 + 2^place w2, so the sums are A = s0 + 2^place s1 and B = s1 + 2^place s2,
/// modulo 2^32. B has the low bits of s1; A without these is s0 and, above it, the rest of s1; then B has s2. What is
/// summed of w0 and w1 has no sign, w + 2^(bits - 1): the sum of the activations is taken away beforehand.
///
/// A word of weights has the three digits of two lanes (4 bits) or four (2 bits): its halves under a mask are those of A,
/// those of the word turned by `place` are those of B. w1 stands once and serves both.
class DspTriples : public DspConv {
public:
  DspTriples(StringRef name, Shape shape, int64_t bits, const DspConv *frugal = nullptr)
      : DspConv(name, inTriples(shape), frugal), bits(bits), place(bits == 4 ? 11 : 13) {}

protected:
  bool acceptsSums(const ConvLayer &layer, const ConvConstants &, ArrayRef<FastChannel> channels) const override {
    if (layer.weightBits > bits || !isFaster(layer))
      return false;
    for (auto [o, channel] : llvm::enumerate(channels))
      if (channel.bound >= int64_t(1) << (o % 3 == 0 ? 2 * place - 1 : 31 - place))
        return false;
    return true;
  }

  void packWeights(std::vector<char> &bytes, const Group &group) const override {
    int64_t pairs = 4 / bits;
    for (int64_t i = 0; i < group.lanes; i += 2 * pairs)
      for (int64_t first = 0; first < group.channels; first += 3) {
        uint32_t word = 0;
        for (int64_t l = 0; l < 2 * pairs; ++l)
          word |= digitsOf(group, first, laneAt(group, i + l), 16 * (l % 2) + kNextPair * (l / 2));
        appendNumber(bytes, word);
      }
  }

  void packBiases(MutableArrayRef<int32_t> biases) const override {
    for (size_t c = 0; c < biases.size(); ++c)
      if (c % 3 != 2)
        biases[c] = int32_t(biases[c] + int64_t(biases[c + 1]) * (int64_t(1) << place));
  }

  SmallVector<Value> sumProducts(KernelBuilder &k, Tile &tile, ValueRange biases, ValueRange codes) const override;

private:
  bool isFaster(const ConvLayer &layer) const;

  static Shape inTriples(Shape shape) {
    shape.channelUnit = 3;
    return withSums(shape);
  }

  /// From the digits of two lanes to those of the next two in the same word.
  static constexpr int64_t kNextPair = 8;

  /// The digits of a lane, at `at`, at `at + place` and at `at + 2 * place`, around the word's end.
  uint32_t digitsOf(const Group &group, int64_t first, int64_t lane, int64_t at) const {
    uint32_t word = 0, middle = 1u << (bits - 1), high = (1u << (16 - place)) - 1;
    for (int64_t c = 0; c < 3; ++c) {
      uint32_t weight = uint32_t(group.weight(first + c, lane));
      word |= llvm::rotl(c == 2 ? weight & high : weight + middle, int((at + c * place) % 32));
    }
    return word;
  }

  static Value turn(KernelBuilder &k, Value word, int64_t by) {
    return by ? k.either(k.rightUnsigned(word, by), k.left(word, 32 - by)) : word;
  }

  /// The three sums of a chain from its two.
  SmallVector<Value> split(KernelBuilder &k, Value a, Value b) const {
    Value low = k.both(b, k.number((1 << place) - 1));
    a = k.sub(a, k.left(low, place));
    Value first = k.right(k.left(a, 32 - 2 * place), 32 - 2 * place);
    Value second = k.add(low, k.right(k.sub(a, first), place));
    return {first, second, k.rightExact(k.sub(b, second), place)};
  }

  const int64_t bits, place;
};

/// Beside weights of bytes in pairs of channels: three channels take 15 instructions for two lanes of four pixels, four
/// channels 28; but sums are split, activations summed, and the last chain may have less than three. What is beside the
/// loops are the counts of 350 layers, fitted; bytes are taken where the difference is within what the fit leaves.
bool DspTriples::isFaster(const ConvLayer &layer) const {
  WindowRows rows = *WindowRows::find(layer, shape.laneBytes, shape.depthUnit);
  int64_t channels = layer.out.channels, chains = llvm::divideCeil(channels, 3), halves = rows.lanes / 2;
  int64_t twos = llvm::divideCeil(channels, 2);
  int64_t turns = rows.lanes > 16 ? rows.lanes / 16 : 0;
  int64_t codes = rows.chunks ? rows.allPixels * rows.lanes : rows.rows * rows.columns * rows.columnLanes;
  if (rows.allPixels == 1) {
    int64_t own = llvm::divideCeil(channels, 9), pairs = llvm::divideCeil(channels, 8);
    int64_t others = (pairs + 4 * twos) * halves, loops = (own + 5 * chains) * halves - others;
    return loops + 14 * chains + 7 * own - 9 * twos / 2 + 12 * turns * (own - pairs) + codes * 9 / 8 < -others / 20;
  }
  int64_t lines = rows.chunks ? 1 : rows.rows, inLine = rows.chunks ? rows.allPixels : rows.pixels;
  int64_t groups = llvm::divideCeil(channels, 4), own = llvm::divideCeil(inLine, 4), pairs = llvm::divideCeil(inLine, 2);
  int64_t others = ((2 * groups + 6 * twos) * (inLine / 2) + (groups + 4 * twos) * (inLine % 2)) * halves;
  int64_t loops = (3 * own + 3 * inLine) * halves * chains - others;
  int64_t beside = 9 * chains * inLine + 4 * groups * pairs + 6 * turns * (chains * own - groups * pairs);
  return rows.lanes >= 16 && lines * (loops + beside) + codes * 5 / 4 < -lines * others / 20;
}

SmallVector<Value> DspTriples::sumProducts(KernelBuilder &k, Tile &tile, ValueRange biases, ValueRange codes) const {
  int64_t chains = tile.channels / 3;
  uint32_t half = ((1u << bits) - 1) | (0xFFFFu << place & 0xFFFFu);
  // Pinned, for it is no constant of an instruction, and LLVM would try to make it of two.
  Value mask = k.pin(k.number(int32_t(half | half << 16)))[0];
  SmallVector<Value> start;
  for (int64_t p = 0; p < tile.pixels; ++p) {
    Value surplus = k.left(codes[p], bits - 1);
    for (int64_t c = 0; c < chains; ++c)
      start.append({k.sub(biases[3 * c], k.add(surplus, k.left(surplus, place))), k.sub(biases[3 * c + 1], surplus)});
  }
  auto step = [&](Word load, Value weights, MutableArrayRef<Value> sums) {
    for (int64_t half : {0, 1}) {
      Value only = tile.pixels == 1 ? load(half, 0) : Value();
      for (int64_t c = 0; c < chains; ++c) {
        Value word = k.load32InOrder(k.at(weights, 4 * (bits == 4 ? half * chains + c : c)));
        int64_t by = bits == 4 ? 0 : kNextPair * half;
        Value first = k.both(mask, turn(k, word, by)), second = k.both(mask, turn(k, word, by + place));
        for (int64_t p = 0; p < tile.pixels; ++p) {
          Value codes = only ? only : load(half, p), *sum = &sums[2 * (p * chains + c)];
          sum[0] = smladInOrder(k, codes, first, sum[0]);
          sum[1] = smladInOrder(k, codes, second, sum[1]);
        }
      }
    }
  };
  SmallVector<Value> pairs = sumWords(k, tile, chains * 2 * bits, start, step), sums;
  for (size_t i = 0; i < pairs.size(); i += 2)
    sums.append(split(k, pairs[i], pairs[i + 1]));
  return sums;
}

} // namespace

void cortexm::addDspTriples(LayerKernels &kernels) {
  using D = DspConv;
  static const DspTriples direct4("dsp.row.triples4.direct", D::directRow(9), 4), direct2("dsp.row.triples2.direct", D::directRow(9), 2),
      uniformDirect4("dsp.row.triples4.uniform.direct", D::directRow(9, true), 4),
      uniformDirect2("dsp.row.triples2.uniform.direct", D::directRow(9, true), 2);
  static const DspTriples row4("dsp.row.triples4", D::row(9), 4, &direct4), row2("dsp.row.triples2", D::row(9), 2, &direct2),
      uniform4("dsp.row.triples4.uniform", D::row(9, true), 4, &uniformDirect4),
      uniform2("dsp.row.triples2.uniform", D::row(9, true), 2, &uniformDirect2);
  static const DspTriples tile4("dsp.conv.triples4", D::tile(4, 3), 4), tile2("dsp.conv.triples2", D::tile(4, 3), 2);
  kernels.conv.insert(kernels.conv.end(), {&uniform2, &uniformDirect2, &row2, &direct2, &tile2});
  kernels.conv.insert(kernels.conv.end(), {&uniform4, &uniformDirect4, &row4, &direct4, &tile4});
}
