// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions by pairs of 16-bit products. Activations are widened once, into the rows of windows. What bounds these
// loops is told in README.md.
#include "lib/Targets/CortexM/Dsp.h"
#include "lib/Targets/CortexM/Kernels.h"
#include "lib/Transforms/Firmware/WindowConv.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;
using namespace mlir::qtensor::cortexm;

namespace {

/// Lanes are codes of 16 bits, a word holds two. Where pixels have whole words of codes, the bytes (0, 1, 2, 3) of one
/// lie as (0, 2), (1, 3): that is what two SXTB16 make of it. Weights have the same order.
class DspConv : public WindowConv {
public:
  static Shape tile(int64_t pixels, int64_t channels, int64_t fewestLanes = 0) {
    Shape shape{pixels, channels, /*laneBytes=*/2, /*depthUnit=*/4};
    shape.fewestLanes = fewestLanes;
    return shape;
  }
  static Shape row(int64_t channels, bool oneMap = false) {
    Shape shape = tile(1, channels);
    shape.onePixel = true;
    shape.oneMap = oneMap;
    return shape;
  }
  static Shape exact(int64_t pixels, int64_t channels) {
    Shape shape = tile(pixels, channels);
    shape.exact = true;
    return shape;
  }
  using WindowConv::WindowConv;

protected:
  void copyCodes(KernelBuilder &k, Value from, Value to, int64_t count) const override;

  /// The lane of a window that lies at place `i` of the buffer.
  static int64_t laneAt(const Group &group, int64_t i) {
    static constexpr int64_t order[] = {0, 2, 1, 3};
    return group.inWords ? i / 4 * 4 + order[i % 4] : i;
  }

  /// The sums after `step` has run for every two words of activations. It gets the words, [pixel][2], the address of
  /// their weights (`weightBytes` of them) and the sums so far.
  using Words = SmallVector<std::array<Value, 2>>;
  using Step = llvm::function_ref<void(const Words &words, Value weights, MutableArrayRef<Value> sums)>;
  static SmallVector<Value> sumWords(KernelBuilder &k, Tile &tile, int64_t weightBytes, SmallVector<Value> start,
                                     Step step);
};

void DspConv::copyCodes(KernelBuilder &k, Value from, Value to, int64_t count) const {
  if (count % 4) {
    auto copy = [&](Value i) { k.store(k.extend(k.load(k.at(from, i), k.i8()), k.i16()), k.at(to, k.left(i, 1))); };
    return k.loop(0, count, 1, copy);
  }
  auto copy = [&](Value from, Value to, int64_t words) {
    for (int64_t i = 0; i < words; ++i) {
      Value codes = k.load32(k.at(from, 4 * i));
      k.store(evenBytes(k, codes), k.at(to, 8 * i), 4);
      k.store(oddBytes(k, codes), k.at(to, 8 * i + 4), 4);
    }
  };
  constexpr int64_t unrolled = 4;
  int64_t words = count / 4, rest = words % unrolled;
  auto end = k.loop(0, words / unrolled, 1, ValueRange{from, to}, [&](Value, ValueRange at) {
    copy(at[0], at[1], unrolled);
    return SmallVector<Value>{k.at(at[0], 4 * unrolled), k.at(at[1], 8 * unrolled)};
  });
  copy(end[0], end[1], rest);
}

/// How many steps a turn of the loop makes: a divisor, or all where there are few.
static int64_t stepsPerTurn(int64_t steps) {
  if (steps <= 4)
    return steps;
  for (int64_t candidate : {4, 3, 5, 2})
    if (steps % candidate == 0)
      return candidate;
  return 4;
}

SmallVector<Value> DspConv::sumWords(KernelBuilder &k, Tile &tile, int64_t weightBytes, SmallVector<Value> start,
                                     Step step) {
  int64_t steps = tile.lanes / 4, unrolled = stepsPerTurn(steps), turns = steps / unrolled;
  auto run = [&](Value window, Value weights, int64_t count, MutableArrayRef<Value> sums) {
    for (int64_t i = 0; i < count; ++i) {
      Words words;
      for (int64_t p = 0; p < tile.pixels; ++p) {
        int64_t place = p * tile.pixelBytes + 8 * i;
        words.push_back({k.load32(k.at(window, place)), k.load32(k.at(window, place + 4))});
      }
      step(words, k.at(weights, weightBytes * i), sums);
    }
  };
  Value window = tile.window, end = k.at(window, 8 * unrolled * turns);
  SmallVector<Value> state{window, tile.weights};
  state.append(start);
  auto turn = [&](ValueRange at, SmallVector<Value> &next) -> Value {
    SmallVector<Value> sums(at.drop_front(2));
    run(at[0], at[1], unrolled, sums);
    next = {k.at(at[0], 8 * unrolled), k.at(at[1], weightBytes * unrolled)};
    next.append(sums);
    return k.isBefore(next[0], end);
  };
  SmallVector<Value> after;
  if (turns == 1)
    turn(state, after);
  else
    after = k.repeat(state, turn);
  SmallVector<Value> sums(ArrayRef<Value>(after).drop_front(2));
  run(after[0], after[1], steps - turns * unrolled, sums);
  tile.weights = k.at(after[1], weightBytes * (steps - turns * unrolled));
  return sums;
}

/// Two channels share a word: each half is 256 * w1 + w0. One product-sum with the word as it is gives
/// 256 * sum1 + sum0, one with its low bytes sum0, so a word of four weights needs a single SXTB16. Sums of odd
/// channels must stay below 2^23.
class DspPairs : public DspConv {
public:
  using DspConv::DspConv;

protected:
  static int32_t pairOf(const Group &group, int64_t c, int64_t i) {
    int64_t lane = laneAt(group, i);
    return 256 * group.weight(c + 1, lane) + group.weight(c, lane);
  }

  bool acceptsSums(const ConvLayer &layer, const ConvConstants &constants,
                   ArrayRef<FastChannel> channels) const override;

  void packWeights(std::vector<char> &bytes, const Group &group) const override {
    for (int64_t i = 0; i < group.lanes; i += 2)
      for (int64_t c = 0; c < shape.channels; c += 2)
        for (int64_t half = 0; half < 2; ++half)
          appendNumber(bytes, int16_t(pairOf(group, c, i + half)));
  }

  SmallVector<Value> sumProducts(KernelBuilder &k, Tile &tile, ValueRange biases, ValueRange) const override {
    int64_t channels = shape.channels;
    SmallVector<Value> start;
    for (int64_t p = 0; p < tile.pixels; ++p)
      for (int64_t c = 0; c < channels; c += 2) {
        start.push_back(biases[c]);
        start.push_back(k.add(biases[c], k.left(biases[c + 1], 8)));
      }
    SmallVector<Value> sums =
        sumWords(k, tile, 4 * channels, start, [&](const Words &words, Value weights, MutableArrayRef<Value> sums) {
          for (int64_t half = 0; half < 2; ++half)
            for (int64_t c = 0; c < channels; c += 2) {
              // The word as it is, then its low bytes in the same register.
              Value pair = k.load32(k.at(weights, 2 * (half * channels + c)));
              for (int64_t p = 0; p < tile.pixels; ++p)
                sums[p * channels + c + 1] = smlad(k, words[p][half], pair, sums[p * channels + c + 1]);
              pair = evenBytes(k, pair);
              for (int64_t p = 0; p < tile.pixels; ++p)
                sums[p * channels + c] = smlad(k, words[p][half], pair, sums[p * channels + c]);
            }
        });
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
  using DspConv::DspConv;

protected:
  bool acceptsSums(const ConvLayer &, const ConvConstants &, ArrayRef<FastChannel>) const override { return true; }

  void packWeights(std::vector<char> &bytes, const Group &group) const override {
    for (int64_t i = 0; i < group.lanes; i += 4)
      for (int64_t c = 0; c < shape.channels; ++c)
        for (int64_t place : {0, 2, 1, 3})
          appendNumber(bytes, int8_t(group.weight(c, laneAt(group, i + place))));
  }

  SmallVector<Value> sumProducts(KernelBuilder &k, Tile &tile, ValueRange biases, ValueRange) const override {
    int64_t channels = shape.channels;
    SmallVector<Value> start;
    for (int64_t p = 0; p < tile.pixels; ++p)
      start.append(biases.begin(), biases.end());
    return sumWords(k, tile, 4 * channels, start, [&](const Words &words, Value weights, MutableArrayRef<Value> sums) {
      for (int64_t c = 0; c < channels; ++c) {
        Value four = k.load32(k.at(weights, 4 * c));
        for (int64_t half = 0; half < 2; ++half) {
          Value two = half ? oddBytes(k, four) : evenBytes(k, four);
          for (int64_t p = 0; p < tile.pixels; ++p)
            sums[p * channels + c] = smlad(k, words[p][half], two, sums[p * channels + c]);
        }
      }
    });
  }
};

/// Weights of 4 or 2 bits; as many channels share a word as a half has digits. A digit is w + 2^(bits - 1), the last one w
/// with its sign. Sums with more and more of the digits masked away give the channels' by differences, so the word as it is
/// serves too. The sum of the activations takes away what the added numbers have brought.
class DspDigits : public DspConv {
public:
  DspDigits(StringRef name, Shape shape) : DspConv(name, shape), bits(16 / shape.channels) {}

protected:
  bool acceptsSums(const ConvLayer &layer, const ConvConstants &constants,
                   ArrayRef<FastChannel> channels) const override;

  void packWeights(std::vector<char> &bytes, const Group &group) const override {
    int64_t last = shape.channels - 1;
    for (int64_t i = 0; i < group.lanes; ++i) {
      int64_t lane = laneAt(group, i), digits = group.weight(last, lane) * (int64_t(1) << (bits * last));
      for (int64_t c = 0; c < last; ++c)
        digits += (group.weight(c, lane) + (1 << (bits - 1))) << (bits * c);
      appendNumber(bytes, int16_t(digits));
    }
  }

  SmallVector<Value> prepare(KernelBuilder &k, const Tile &tile) const override {
    Tile all = tile;
    SmallVector<Value> start(tile.pixels, k.number(0));
    SmallVector<Value> sums = sumWords(k, all, 0, start, [&](const Words &words, Value, MutableArrayRef<Value> sums) {
      for (int64_t p = 0; p < tile.pixels; ++p)
        for (Value word : words[p])
          sums[p] = smlad(k, word, k.number(0x00010001), sums[p]);
    });
    for (Value &sum : sums)
      sum = k.left(sum, bits - 1);
    return sums;
  }

  SmallVector<Value> sumProducts(KernelBuilder &k, Tile &tile, ValueRange biases, ValueRange surplus) const override;

private:
  /// Only the digits up to `channel`, in both halves.
  Value keepDigits(KernelBuilder &k, Value digits, int64_t channel) const {
    int64_t kept = bits * (channel + 1);
    if (kept == 8)
      return k.intrinsic("llvm.arm.uxtb16", k.i32(), {digits});
    return kept == 16 ? digits : k.both(digits, k.number(((1 << kept) - 1) * 0x00010001));
  }

  const int64_t bits;
};

SmallVector<Value> DspDigits::sumProducts(KernelBuilder &k, Tile &tile, ValueRange biases, ValueRange surplus) const {
  int64_t channels = shape.channels;
  SmallVector<Value> start(channels * tile.pixels, k.number(0));
  SmallVector<Value> sums =
      sumWords(k, tile, 8, start, [&](const Words &words, Value weights, MutableArrayRef<Value> sums) {
        for (int64_t half = 0; half < 2; ++half) {
          // Digits vanish one by one: a register holds what is left of them.
          Value digits = k.load32(k.at(weights, 4 * half));
          for (int64_t c = channels - 1; c >= 0; --c) {
            digits = keepDigits(k, digits, c);
            for (int64_t p = 0; p < tile.pixels; ++p)
              sums[channels * p + c] = smlad(k, words[p][half], digits, sums[channels * p + c]);
          }
        }
      });
  for (int64_t p = 0; p < tile.pixels; ++p) {
    MutableArrayRef<Value> pixel = MutableArrayRef<Value>(sums).slice(channels * p, channels);
    for (int64_t c = channels - 1; c > 0; --c)
      pixel[c] = k.rightExact(k.sub(pixel[c], pixel[c - 1]), bits * c);
    for (int64_t c = 0; c < channels; ++c)
      pixel[c] = k.add(c < channels - 1 ? k.sub(pixel[c], surplus[p]) : pixel[c], biases[c]);
  }
  return sums;
}

bool DspDigits::acceptsSums(const ConvLayer &layer, const ConvConstants &, ArrayRef<FastChannel> channels) const {
  if (layer.weightBits > bits)
    return false;
  // A difference of sums is shifted by its digit's place: 32 - place bits are left for it. The last digit's are
  // products alone; the others' are of positive digits, also for lanes of padding, which hold any 16 bits.
  int64_t last = shape.channels - 1, room = int64_t(1) << (31 - bits * last);
  int64_t unknown = 4 + layer.window.kernelWidth * (layer.window.kernelHeight * layer.in.channels % 2);
  int64_t most = ((1 << bits) - 1) * 128 * layer.depth() + (1 << (bits - 1)) * 32768 * unknown;
  if (most >= room << bits)
    return false;
  for (auto [o, channel] : llvm::enumerate(channels))
    if (int64_t(o) % shape.channels == last && channel.bound - std::abs(channel.bias) >= room)
      return false;
  return true;
}

} // namespace

void cortexm::addDspConvKernels(LayerKernels &kernels) {
  static const DspDigits twoBits("dsp.conv.digits2", DspConv::tile(1, 8)),
      fourBits("dsp.conv.digits4", DspConv::tile(2, 4, 40)), fourBitRow("dsp.row.digits4", DspConv::row(4)),
      fourBitUniform("dsp.row.digits4.uniform", DspConv::row(4, true));
  static const DspPairs row("dsp.row.pairs", DspConv::row(4)), uniform("dsp.row.pairs.uniform", DspConv::row(4, true)),
      pairs("dsp.conv.pairs", DspConv::tile(2, 4, 40)), shortPairs("dsp.conv.pairs.short", DspConv::tile(2, 2));
  static const DspWide wide("dsp.conv.wide", DspConv::exact(2, 2));
  kernels.conv.insert(kernels.conv.end(),
                      {&twoBits, &fourBitUniform, &fourBitRow, &fourBits, &uniform, &row, &pairs, &shortPairs, &wide});
}
