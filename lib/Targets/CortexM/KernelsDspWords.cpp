// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions of codes of 16 bits by pairs of products.
#include "lib/Targets/CortexM/DspConv.h"
#include "lib/Targets/CortexM/Kernels.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;
using namespace mlir::qtensor::cortexm;

namespace {

/// Lanes are the codes as they are. A word has the weights of two channels and two lanes, its even bytes those of the first:
/// each SXTB16 of it serves all pixels. Sums have 32 bits where the constants prove that they fit, else 64.
class DspWords : public DspConv {
public:
  DspWords(StringRef name, Shape shape, bool wide) : DspConv(name, inPairs(ofWords(shape, wide))) {}

protected:
  bool acceptsSums(const ConvLayer &, const ConvConstants &, ArrayRef<FastChannel>) const override { return true; }

  void copyCodes(KernelBuilder &k, Value from, Value to, int64_t count) const override {
    // Rows of an odd number of codes begin anywhere.
    Type type = count % 2 ? k.i16() : k.i32();
    int64_t size = count % 2 ? 2 : 4, units = 2 * count / size;
    constexpr int64_t unrolled = 4;
    auto copy = [&](Value from, Value to, int64_t count) {
      for (int64_t i = 0; i < count; ++i)
        k.store(k.load(k.at(from, size * i), type), k.at(to, size * i));
    };
    auto end = k.loop(0, units / unrolled, 1, ValueRange{from, to}, [&](Value, ValueRange at) {
      copy(at[0], at[1], unrolled);
      return SmallVector<Value>{k.at(at[0], size * unrolled), k.at(at[1], size * unrolled)};
    });
    copy(end[0], end[1], units % unrolled);
  }

  void packWeights(std::vector<char> &bytes, const Group &group) const override {
    for (int64_t lane = 0; lane < group.lanes; lane += 2)
      for (int64_t c = 0; c < group.channels; c += 2)
        for (int64_t place : {0, 1, 2, 3})
          appendNumber(bytes, int8_t(group.weight(c + place % 2, lane + place / 2)));
  }

  SmallVector<Value> sumProducts(KernelBuilder &k, Tile &tile, ValueRange biases, ValueRange) const override {
    int64_t channels = tile.channels;
    SmallVector<Value> start;
    for (int64_t p = 0; p < tile.pixels; ++p)
      start.append(biases.begin(), biases.end());
    auto step = [&](Word load, Value weights, MutableArrayRef<Value> sums) {
      for (int64_t half : {0, 1}) {
        // One pixel has many channels: its word stays. Of many pixels the weights do.
        Value only = tile.pixels == 1 ? load(half, 0) : Value();
        for (int64_t c = 0; c < channels; c += 2) {
          Value four = k.load32InOrder(k.at(weights, 2 * (half * channels + c)));
          Value two[] = {evenBytes(k, four), oddBytes(k, four)};
          for (int64_t p = 0; p < tile.pixels; ++p) {
            Value codes = only ? only : load(half, p);
            for (int64_t i : {0, 1}) {
              Value &sum = sums[p * channels + c + i];
              sum = shape.exact ? smlald(k, codes, two[i], sum) : smladInOrder(k, codes, two[i], sum);
            }
          }
        }
      }
    };
    return sumWords(k, tile, 4 * channels, start, step);
  }

private:
  static Shape ofWords(Shape shape, bool wide) {
    shape.codeBits = 16;
    shape.exact = wide;
    return shape;
  }
};

} // namespace

void cortexm::addDspWords(LayerKernels &kernels) {
  static const DspWords uniform("dsp.row.16.uniform", DspConv::row(8, true), false), row("dsp.row.16", DspConv::row(8), false),
      tile("dsp.conv.16", DspConv::tile(4, 2), false), wideRow("dsp.row.16.wide", DspConv::row(4), true),
      wide("dsp.conv.16.wide", DspConv::tile(2, 2), true);
  kernels.conv.insert(kernels.conv.end(), {&uniform, &row, &tile, &wideRow, &wide});
}
