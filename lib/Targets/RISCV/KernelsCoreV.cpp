// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions by dot products of four bytes (XCVsimd), what they do not take by multiply-adds (XCVmac). LLVM 22 has no
// intrinsics for the former: they are pieces of assembly of one instruction.
#include "lib/Targets/RISCV/Kernels.h"
#include "lib/Transforms/Firmware/ScalarKernels.h"
#include "lib/Transforms/Firmware/WindowConv.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

/// sum + the products of four signed bytes.
static Value dot(KernelBuilder &k, Value codes, Value weights, Value sum) {
  return k.assemble("cv.sdotsp.b $0, $1, $2", "=r,r,r,0", {codes, weights, sum});
}

namespace {
/// Words of four codes and four weights. With `digits` a word has four weights of 4 bits of two channels: bytes are
/// 16 * w1 + w0 + 8. The sum with them less the sum with their low halves is 16 times the second channel's; eight times
/// the sum of the codes takes away what the 8 has brought.
class CoreVConv : public WindowConv {
public:
  CoreVConv(const std::string &name, int64_t pixels, int64_t channels, bool digits, bool exact)
      : WindowConv(name, makeShape(pixels, channels, digits, exact)), digits(digits) {}

private:
  static Shape makeShape(int64_t pixels, int64_t channels, bool digits, bool exact) {
    Shape shape{pixels, channels, /*laneBytes=*/1, /*depthUnit=*/4, exact};
    shape.onePixel = pixels == 1;
    shape.sumsOfCodes = digits;
    shape.channelUnit = digits ? 2 : 1;
    return shape;
  }

  /// Sixteen times a sum of products of 4 bits must fit 32 bits.
  bool acceptsSums(const ConvLayer &layer, const ConvConstants &, ArrayRef<FastChannel>) const override {
    return digits ? layer.weightBits <= 4 && layer.depth() < 1 << 16 : true;
  }
  void packWeights(std::vector<char> &bytes, const Group &group) const override;
  void copyCodes(KernelBuilder &k, Value from, Value to, int64_t count) const override {
    int64_t size = count % 4 ? 1 : 4;
    Type type = count % 4 ? k.i8() : k.i32();
    k.loop(0, count, size, [&](Value i) { k.store(k.load(k.at(from, i), type), k.at(to, i)); });
  }
  Value sumCodes(KernelBuilder &k, Value from, int64_t lanes) const override;
  SmallVector<Value> sumProducts(KernelBuilder &k, Tile &tile, ValueRange biases, ValueRange codes) const override;
  /// Bytes of the weights of four lanes.
  int64_t getStepBytes(int64_t channels) const { return channels * (digits ? 2 : 4); }
  /// Calls `add` with the windows' words of each step, their weights and the sums; sums after the last.
  using Add = llvm::function_ref<void(ArrayRef<Value> codes, Value weights, MutableArrayRef<Value> sums)>;
  SmallVector<Value> sumSteps(KernelBuilder &k, const Tile &tile, SmallVector<Value> start, Add add) const;
  void addWords(KernelBuilder &k, ArrayRef<Value> codes, Value weights, MutableArrayRef<Value> sums) const;

  const bool digits;
};
} // namespace

void CoreVConv::packWeights(std::vector<char> &bytes, const Group &group) const {
  for (int64_t lane = 0; lane < group.lanes; lane += 4)
    for (int64_t c = 0; c < group.channels; c += digits ? 2 : 1)
      for (int64_t i = lane; i < lane + 4; ++i)
        bytes.push_back(char(digits ? 16 * group.weight(c + 1, i) + group.weight(c, i) + 8 : group.weight(c, i)));
}

SmallVector<Value> CoreVConv::sumSteps(KernelBuilder &k, const Tile &tile, SmallVector<Value> start, Add add) const {
  int64_t steps = tile.lanes / 4, unrolled = std::min<int64_t>(steps, 4);
  auto run = [&](int64_t count, SmallVector<Value> at) {
    for (int64_t i = 0; i < count; ++i) {
      // The words of all steps at once would leave no registers for sums: this address is not known before the last sum is.
      at[0] = k.pin(at[0])[0];
      SmallVector<Value> codes;
      for (int64_t p = 0; p < tile.pixels; ++p)
        codes.push_back(k.load32(k.at(at[0], p * tile.pixelBytes + 4 * i)));
      add(codes, k.at(at[1], i * getStepBytes(tile.channels)), MutableArrayRef(at).drop_front(2));
    }
    at[0] = k.at(at[0], 4 * count);
    at[1] = k.at(at[1], count * getStepBytes(tile.channels));
    return at;
  };
  SmallVector<Value> state{tile.window, tile.weights};
  state.append(start);
  Value end = k.at(tile.window, steps / unrolled * unrolled * 4);
  state = k.repeat(state, [&](ValueRange at, SmallVector<Value> &next) -> Value {
    next = run(unrolled, SmallVector<Value>(at));
    return k.isBefore(next[0], end);
  });
  return SmallVector<Value>(ArrayRef<Value>(run(steps % unrolled, state)).drop_front(2));
}

Value CoreVConv::sumCodes(KernelBuilder &k, Value from, int64_t lanes) const {
  auto add = [&](Value from, int64_t i, Value sum) {
    return dot(k, k.load32InOrder(k.at(from, 4 * i)), k.number(0x01010101), sum);
  };
  auto state = k.loop(0, lanes / 16, 1, ValueRange{from, k.number(0)}, [&](Value, ValueRange at) {
    Value sum = at[1];
    for (int64_t i = 0; i < 4; ++i)
      sum = add(at[0], i, sum);
    return SmallVector<Value>{k.at(at[0], 16), sum};
  });
  for (int64_t i = 0; i < lanes / 4 % 4; ++i)
    state[1] = add(state[0], i, state[1]);
  return state[1];
}

void CoreVConv::addWords(KernelBuilder &k, ArrayRef<Value> codes, Value weights, MutableArrayRef<Value> sums) const {
  int64_t channels = sums.size() / codes.size();
  for (int64_t c = 0; c < channels; c += digits ? 2 : 1) {
    Value word = k.load32(k.at(weights, digits ? 2 * c : 4 * c));
    SmallVector<Value, 2> parts{word};
    if (digits)
      parts = {k.both(word, k.number(0x0F0F0F0F)), word};
    for (auto [p, code] : llvm::enumerate(codes))
      for (auto [i, part] : llvm::enumerate(parts)) {
        Value &sum = sums[p * channels + c + i];
        sum = dot(k, code, part, sum);
      }
  }
}

SmallVector<Value> CoreVConv::sumProducts(KernelBuilder &k, Tile &tile, ValueRange biases, ValueRange codes) const {
  int64_t channels = tile.channels;
  SmallVector<Value> start;
  for (int64_t i = 0; i < tile.pixels * channels; ++i)
    start.push_back(digits ? k.number(0) : biases[i % channels]);
  SmallVector<Value> sums =
      sumSteps(k, tile, start, [&](ArrayRef<Value> codes, Value weights, MutableArrayRef<Value> sums) {
        addWords(k, codes, weights, sums);
      });
  tile.weights = k.at(tile.weights, tile.lanes / 4 * getStepBytes(channels));
  for (size_t i = 0; digits && i < sums.size(); i += 2) {
    sums[i + 1] = k.add(k.rightExact(k.sub(sums[i + 1], sums[i]), 4), biases[(i + 1) % channels]);
    sums[i] = k.add(k.sub(sums[i], k.left(codes[i / channels], 3)), biases[i % channels]);
  }
  return sums;
}

void riscv::addCoreVKernels(LayerKernels &kernels) {
  static const CoreVConv row4("xcv.row.digits", 1, 16, true, false), conv4("xcv.conv.digits", 4, 4, true, false),
      row8("xcv.row", 1, 16, false, false), conv8("xcv.conv", 4, 4, false, false),
      exact4("xcv.conv.digits.exact", 4, 4, true, true), exact8("xcv.conv.exact", 4, 4, false, true);
  kernels.conv.insert(kernels.conv.end(), {&row4, &conv4, &row8, &conv8, &exact4, &exact8});
  ScalarShape shape{/*pixels=*/4, /*channels=*/4, /*rowChannels=*/16, /*depthwisePixels=*/2, /*unrolled=*/8};
  shape.multiplyAdd = "llvm.riscv.cv.mac.mac";
  static const ScalarKernels scalar(shape);
  scalar.addTo(kernels);
}
