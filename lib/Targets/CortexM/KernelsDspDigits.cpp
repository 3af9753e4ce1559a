// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Weights of 4 and 2 bits: channels share the halves of a word as digits.
#include "lib/Targets/CortexM/DspConv.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;
using namespace mlir::qtensor::cortexm;

namespace {

/// Weights of 4 or 2 bits; as many channels share a word as a half has digits, a chain. A digit is w + 2^(bits - 1),
/// the last one w with its sign. Sums with more and more of the digits masked away give the channels' by differences,
/// so the word as it is serves too. The sum of the activations takes away what the added numbers have brought.
class DspDigits : public DspConv {
public:
  DspDigits(StringRef name, Shape shape, int64_t bits, const DspConv *frugal = nullptr)
      : DspConv(name, withSums(shape), frugal), bits(bits), digits(16 / bits) {}

protected:
  bool acceptsSums(const ConvLayer &layer, const ConvConstants &constants,
                   ArrayRef<FastChannel> channels) const override;

  void packWeights(std::vector<char> &bytes, const Group &group) const override {
    for (int64_t i = 0; i < group.lanes; i += 2)
      for (int64_t first = 0; first < shape.channels; first += digits)
        for (int64_t half : {0, 1})
          appendNumber(bytes, int16_t(chainOf(group, first, laneAt(group, i + half))));
  }

  /// Sums of a chain begin with the biases of their digits.
  void packBiases(MutableArrayRef<int32_t> biases) const override {
    for (int64_t c = shape.channels - 1; c >= 0; --c) {
      int64_t sum = 0;
      for (int64_t first = c / digits * digits, i = first; i <= c; ++i)
        sum += int64_t(biases[i]) * (int64_t(1) << (bits * (i - first)));
      biases[c] = int32_t(sum);
    }
  }

  SmallVector<Value> sumProducts(KernelBuilder &k, Tile &tile, ValueRange biases, ValueRange codes) const override;

private:
  /// The sum of the codes and the differences cost more than the longer turns bring where windows are short or channels few:
  /// weights of 8 bits are faster there. Windows that share columns share their sums.
  static bool paysFor(const ConvLayer &layer) {
    return layer.depth() >= 96 && layer.out.channels >= (layer.window.taps() == 1 ? 256 : 64);
  }
  void sumDigits(KernelBuilder &k, Tile &tile, int64_t from, int64_t to, MutableArrayRef<Value> all) const;

  int64_t chainOf(const Group &group, int64_t first, int64_t lane) const {
    int64_t last = digits - 1, chain = group.weight(first + last, lane) * (int64_t(1) << (bits * last));
    for (int64_t c = 0; c < last; ++c)
      chain += (group.weight(first + c, lane) + (1 << (bits - 1))) << (bits * c);
    return chain;
  }

  /// Only the digits up to the chain's `channel`, in both halves.
  Value keepDigits(KernelBuilder &k, Value chain, int64_t channel) const {
    int64_t kept = bits * (channel + 1);
    if (kept == 8)
      return k.intrinsic("llvm.arm.uxtb16", k.i32(), {chain});
    return kept == 16 ? chain : k.both(chain, k.number(((1 << kept) - 1) * 0x00010001));
  }

  const int64_t bits, digits;
};

/// The digits [from, to) of all chains: sums of the digits up to each one.
void DspDigits::sumDigits(KernelBuilder &k, Tile &tile, int64_t from, int64_t to, MutableArrayRef<Value> all) const {
  int64_t channels = shape.channels, count = to - from, chains = channels / digits;
  SmallVector<Value *> places;
  for (int64_t p = 0; p < tile.pixels; ++p)
    for (int64_t chain = 0; chain < chains; ++chain)
      for (int64_t c = from; c < to; ++c)
        places.push_back(&all[channels * p + digits * chain + c]);
  auto step = [&](Word word, Value weights, MutableArrayRef<Value> sums) {
    for (int64_t half : {0, 1}) {
      SmallVector<Value> codes = loadAll(word, half, tile.pixels);
      for (int64_t chain = 0; chain < chains; ++chain) {
        // Digits vanish one by one: a register holds what is left of them.
        Value left = k.load32InOrder(k.at(weights, 4 * (half * chains + chain)));
        for (int64_t c = to - 1; c >= from; --c) {
          // Pinned, or a mask is made ahead, or of the word as it was: in a register of its own.
          left = keepDigits(k, c == to - 1 ? left : k.pin(left)[0], c);
          for (int64_t p = 0; p < tile.pixels; ++p) {
            Value &sum = sums[(p * chains + chain) * count + c - from];
            sum = smladInOrder(k, codes[p], left, sum);
          }
        }
      }
    }
  };
  SmallVector<Value> start;
  for (Value *place : places)
    start.push_back(*place);
  SmallVector<Value> sums = sumWords(k, tile, 8 * chains, start, step, shape.onePixel ? 8 : 12);
  for (auto [place, sum] : llvm::zip_equal(places, sums))
    *place = sum;
}

SmallVector<Value> DspDigits::sumProducts(KernelBuilder &k, Tile &tile, ValueRange biases, ValueRange codes) const {
  int64_t channels = shape.channels;
  SmallVector<Value> sums;
  for (int64_t p = 0; p < tile.pixels; ++p)
    sums.append(biases.begin(), biases.end());
  // More sums than registers hold are made in two passes over the words, the high digits first.
  int64_t first = tile.pixels > 1 && channels > 4 ? digits / 2 : 0;
  if (first > 0) {
    Tile same = tile;
    sumDigits(k, same, first, digits, sums);
  }
  sumDigits(k, tile, 0, first > 0 ? first : digits, sums);
  for (int64_t i = 0; i < channels * tile.pixels; i += digits) {
    MutableArrayRef<Value> chain = MutableArrayRef<Value>(sums).slice(i, digits);
    // Pinned, for LLVM would make multiples of the sum ahead, and have no registers for them.
    Value surplus = k.pin(codes[i / channels])[0];
    for (int64_t c = digits - 1; c >= 0; --c) {
      if (c > 0)
        chain[c] = k.sub(chain[c], chain[c - 1]);
      if (c < digits - 1)
        chain[c] = k.sub(chain[c], k.left(surplus, bits - 1 + bits * c));
    }
    // All of a pixel's at once, where registers hold all sums.
    SmallVector<Value> differences = first > 0 ? SmallVector<Value>(chain) : k.pin(chain);
    for (auto [c, difference] : llvm::enumerate(differences))
      chain[c] = k.rightExact(difference, bits * c);
  }
  return sums;
}

bool DspDigits::acceptsSums(const ConvLayer &layer, const ConvConstants &, ArrayRef<FastChannel> channels) const {
  if (layer.weightBits > bits || (!shape.groups && !paysFor(layer)))
    return false;
  // All is modulo 2^32 but the differences, which are sums shifted by the places of their digits.
  for (auto [o, channel] : llvm::enumerate(channels))
    if (channel.bound >= int64_t(1) << (31 - bits * (int64_t(o) % digits)))
      return false;
  return true;
}

} // namespace

void cortexm::addDspDigits(LayerKernels &kernels) {
  auto frugal = [](WindowConv::Shape shape) {
    shape.frugal = true;
    return shape;
  };
  static const DspDigits direct("dsp.row.digits4.direct", frugal(DspConv::directRow(8)), 4),
      uniformDirect("dsp.row.digits4.uniform.direct", frugal(DspConv::directRow(8, true)), 4);
  static const DspDigits row("dsp.row.digits4", frugal(DspConv::row(8)), 4, &direct),
      uniform("dsp.row.digits4.uniform", frugal(DspConv::row(8, true)), 4, &uniformDirect),
      tile("dsp.conv.digits4", frugal(DspConv::tile(2, 4)), 4);
  kernels.conv.insert(kernels.conv.end(), {&uniform, &uniformDirect, &row, &direct, &tile});
}

void cortexm::addDspDigitGroups(LayerKernels &kernels, bool wide) {
  auto row = [](int64_t channels, bool wide) { return DspConv::inGroups(DspConv::row(channels), wide); };
  auto tile = [](int64_t channels, bool wide) { return DspConv::inGroups(DspConv::tile(2, channels), wide); };
  static const DspDigits twoBitRows[] = {{"dsp.row.digits2.groups", row(8, false), 2},
                                         {"dsp.row.digits2.groups.wide", row(8, true), 2}};
  static const DspDigits twoBits[] = {{"dsp.conv.digits2.groups", tile(8, false), 2},
                                      {"dsp.conv.digits2.groups.wide", tile(8, true), 2}};
  static const DspDigits fourBitRows[] = {{"dsp.row.digits4.groups", row(4, false), 4},
                                          {"dsp.row.digits4.groups.wide", row(4, true), 4}};
  static const DspDigits fourBits[] = {{"dsp.conv.digits4.groups", tile(4, false), 4},
                                       {"dsp.conv.digits4.groups.wide", tile(4, true), 4}};
  kernels.conv.insert(kernels.conv.end(), {&twoBitRows[wide], &twoBits[wide], &fourBitRows[wide], &fourBits[wide]});
}
