// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions of one product at a time: a lane is a code.
#include "lib/Transforms/Firmware/ScalarKernels.h"
#include "lib/Transforms/Firmware/WindowConv.h"
#include "lib/Transforms/Firmware/WindowPool.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

namespace {

class ScalarConv : public WindowConv {
public:
  ScalarConv(StringRef name, Shape shape, const ScalarShape &row)
      : WindowConv(name, shape.channelUnit ? shape : apart(shape)), unrolled(row.unrolled),
        productsAtOnce(row.productsAtOnce), multiplyAdd(row.multiplyAdd) {}

protected:
  bool acceptsSums(const ConvLayer &, const ConvConstants &, ArrayRef<FastChannel>) const override { return true; }

  void packWeights(std::vector<char> &bytes, const Group &group) const override {
    for (int64_t lane = 0; lane < group.lanes; ++lane)
      for (int64_t c = 0; c < group.channels; ++c)
        appendNumber(bytes, int8_t(group.weight(c, lane)));
    bytes.resize((bytes.size() + 3) / 4 * 4);
  }

  void copyCodes(KernelBuilder &k, Value from, Value to, int64_t count) const override {
    count *= shape.laneBytes;
    int64_t size = count % 4 == 0 ? 4 : shape.laneBytes;
    Type type = k.getBuilder().getIntegerType(8 * size);
    k.loop(0, count, size, [&](Value i) {
      Value codes = k.load(k.at(from, i), type);
      if (shape.laneOffset) // Bit by bit: 128 more, without a carry.
        codes = arith::XOrIOp::create(k.getBuilder(), codes,
                                      k.number(shape.laneOffset * (size == 4 ? 0x01010101 : 1), type));
      k.store(codes, k.at(to, i));
    });
  }

  /// `step` adds the products of one lane: its weights are at `weights`, `weightBytes` of them.
  using Step = llvm::function_ref<void(ArrayRef<Value> codes, Value weights, MutableArrayRef<Value> sums)>;
  SmallVector<Value> sumLanes(KernelBuilder &k, Tile &tile, int64_t weightBytes, SmallVector<Value> start,
                              Step step) const;

  SmallVector<Value> sumProducts(KernelBuilder &k, Tile &tile, ValueRange biases, ValueRange) const override {
    SmallVector<Value> start;
    for (int64_t p = 0; p < tile.pixels; ++p)
      start.append(biases.begin(), biases.end());
    int64_t channels = tile.channels;
    return sumLanes(k, tile, channels, start, [&](ArrayRef<Value> codes, Value weights, MutableArrayRef<Value> sums) {
      SmallVector<int64_t> fresh;
      for (int64_t c = 0; c < channels; ++c) {
        Value weight = k.loadCode(k.at(weights, c));
        for (auto [p, code] : llvm::enumerate(codes)) {
          fresh.push_back(p * channels + c);
          sums[fresh.back()] = addProduct(k, sums[fresh.back()], code, weight);
        }
        pinFresh(k, sums, fresh);
      }
    });
  }

  /// Pins the sums that got a product since the last time, where these are many.
  void pinFresh(KernelBuilder &k, MutableArrayRef<Value> sums, SmallVector<int64_t> &fresh) const {
    if (productsAtOnce == 0 || int64_t(fresh.size()) < productsAtOnce)
      return;
    SmallVector<Value> values;
    for (int64_t i : fresh)
      values.push_back(sums[i]);
    for (auto [i, value] : llvm::zip_equal(fresh, k.pin(values)))
      sums[i] = value;
    fresh.clear();
  }

  Value addProduct(KernelBuilder &k, Value sum, Value x, Value y) const {
    return multiplyAdd.empty() ? k.add(sum, k.mul(x, y)) : k.intrinsic(multiplyAdd, k.i32(), {x, y, sum});
  }

  Value loadLane(KernelBuilder &k, Value from) const {
    return shape.laneOffset ? k.extendUnsigned(k.load(from, k.i8()), k.i32()) : k.loadCode(from, shape.codeBits);
  }
  Value sumCodes(KernelBuilder &k, Value from, int64_t lanes) const override;

  const int64_t unrolled, productsAtOnce;
  const StringRef multiplyAdd;
};

Value ScalarConv::sumCodes(KernelBuilder &k, Value from, int64_t lanes) const {
  Tile all{from, from, 1, 0, 0, lanes, shape.laneBytes, {}, {}, {}, {}};
  return sumLanes(k, all, 0, {k.number(0)}, [&](ArrayRef<Value> codes, Value, MutableArrayRef<Value> sums) {
    sums[0] = k.add(sums[0], codes[0]);
  })[0];
}

SmallVector<Value> ScalarConv::sumLanes(KernelBuilder &k, Tile &tile, int64_t weightBytes, SmallVector<Value> start,
                                        Step step) const {
  // The taps of a depthwise window are few, and far apart.
  int64_t inTurn = shape.depthwise && tile.lanes <= 12 ? tile.lanes : std::min(unrolled, tile.lanes);
  int64_t turns = tile.lanes / inTurn;
  auto run = [&](Value window, Value weights, int64_t count, MutableArrayRef<Value> sums) {
    for (int64_t lane = 0; lane < count; ++lane) {
      SmallVector<Value> codes;
      for (int64_t p = 0; p < tile.pixels; ++p)
        codes.push_back(loadLane(k, k.at(window, p * tile.pixelBytes + lane * tile.laneStep)));
      step(codes, k.at(weights, weightBytes * lane), sums);
    }
  };
  Value end = k.at(tile.window, inTurn * turns * tile.laneStep);
  auto turn = [&](ValueRange at, SmallVector<Value> &next) -> Value {
    SmallVector<Value> sums(at.drop_front(2));
    run(at[0], at[1], inTurn, sums);
    next = {k.at(at[0], inTurn * tile.laneStep), k.at(at[1], weightBytes * inTurn)};
    next.append(sums);
    return k.isBefore(next[0], end);
  };
  SmallVector<Value> state{tile.window, tile.weights}, after;
  state.append(start);
  if (turns == 1)
    turn(state, after);
  else
    after = k.repeat(state, turn);
  SmallVector<Value> sums(ArrayRef<Value>(after).drop_front(2));
  run(after[0], after[1], tile.lanes - turns * inTurn, sums);
  int64_t total = weightBytes * tile.lanes;
  tile.weights = k.at(tile.weights, (total + 3) / 4 * 4);
  return sums;
}

/// Two channels share a half: 256 * w1 + w0 + 2^15, without a sign. The sum with its low byte is the first channel's,
/// the sum with all of it less that one 256 times the second's; the sum of the codes takes away what the 2^15 has
/// brought. Sums of second channels must stay below 2^23.
class ScalarPairs : public ScalarConv {
public:
  ScalarPairs(StringRef name, Shape shape, const ScalarShape &row) : ScalarConv(name, withSums(inPairs(shape)), row) {}

protected:
  bool acceptsSums(const ConvLayer &, const ConvConstants &constants, ArrayRef<FastChannel> channels) const override {
    // -128 * 256 leaves no room for a negative neighbour.
    return !llvm::is_contained(constants.weights, -128) &&
           llvm::all_of(channels, [](const FastChannel &channel) { return channel.bound < int64_t(1) << 23; });
  }

  void packWeights(std::vector<char> &bytes, const Group &group) const override {
    for (int64_t lane = 0; lane < group.lanes; ++lane)
      for (int64_t c = 0; c < group.channels; c += 2)
        appendNumber(bytes, uint16_t(256 * group.weight(c + 1, lane) + group.weight(c, lane) + (1 << 15)));
    bytes.resize((bytes.size() + 3) / 4 * 4);
  }

  SmallVector<Value> sumProducts(KernelBuilder &k, Tile &tile, ValueRange biases, ValueRange codes) const override {
    int64_t channels = tile.channels;
    SmallVector<Value> start;
    for (int64_t p = 0; p < tile.pixels; ++p)
      for (int64_t c = 0; c < channels; c += 2) {
        start.push_back(biases[c]);
        start.push_back(k.sub(k.add(biases[c], k.left(biases[c + 1], 8)), k.left(codes[p], 15)));
      }
    SmallVector<Value> sums =
        sumLanes(k, tile, channels, start, [&](ArrayRef<Value> codes, Value weights, MutableArrayRef<Value> sums) {
          SmallVector<int64_t> fresh;
          for (int64_t c = 0; c < channels; c += 2) {
            Value half = k.load(k.at(weights, c), k.i16());
            Value both = k.extendUnsigned(half, k.i32()), low = k.extend(k.truncate(half, k.i8()), k.i32());
            for (auto [p, code] : llvm::enumerate(codes)) {
              MutableArrayRef<Value> pair = sums.slice(p * channels + c, 2);
              pair[0] = k.add(pair[0], k.mul(low, code));
              pair[1] = k.add(pair[1], k.mul(both, code));
              for (int64_t i : {0, 1})
                fresh.push_back(p * channels + c + i);
            }
            pinFresh(k, sums, fresh);
          }
        });
    for (size_t i = 0; i < sums.size(); i += 2)
      sums[i + 1] = k.rightExact(k.sub(sums[i + 1], sums[i]), 8);
    return sums;
  }
};

/// Weights of at most 4 bits; two channels share a byte, 16 * u1 + u0, with u = w + 8. Its sum less the sum of its low
/// digit is the second channel's; the sum of the codes takes away what the 8 has brought.
class ScalarNibbles : public ScalarConv {
public:
  ScalarNibbles(StringRef name, Shape shape, const ScalarShape &row)
      : ScalarConv(name, withSums(inPairs(shape)), row) {}

protected:
  bool acceptsSums(const ConvLayer &layer, const ConvConstants &, ArrayRef<FastChannel>) const override {
    return layer.weightBits <= 4 && layer.depth() < int64_t(1) << 15;
  }

  void packWeights(std::vector<char> &bytes, const Group &group) const override {
    for (int64_t lane = 0; lane < group.lanes; ++lane)
      for (int64_t c = 0; c < group.channels; c += 2)
        appendNumber(bytes, uint8_t(16 * (group.weight(c + 1, lane) + 8) + group.weight(c, lane) + 8));
    bytes.resize((bytes.size() + 3) / 4 * 4);
  }

  SmallVector<Value> sumProducts(KernelBuilder &k, Tile &tile, ValueRange biases, ValueRange codes) const override {
    int64_t channels = tile.channels;
    SmallVector<Value> start(channels * tile.pixels, k.number(0));
    SmallVector<Value> sums =
        sumLanes(k, tile, channels / 2, start, [&](ArrayRef<Value> codes, Value weights, MutableArrayRef<Value> sums) {
          SmallVector<int64_t> fresh;
          for (int64_t c = 0; c < channels; c += 2) {
            Value digits = k.extendUnsigned(k.load(k.at(weights, c / 2), k.i8()), k.i32()),
                  low = k.both(digits, k.number(15));
            for (auto [p, code] : llvm::enumerate(codes)) {
              MutableArrayRef<Value> pair = sums.slice(p * channels + c, 2);
              pair[0] = k.add(pair[0], k.mul(low, code));
              pair[1] = k.add(pair[1], k.mul(digits, code));
              for (int64_t i : {0, 1})
                fresh.push_back(p * channels + c + i);
            }
            pinFresh(k, sums, fresh);
          }
        });
    for (int64_t i = 0; i < int64_t(sums.size()); i += 2) {
      Value second = k.rightExact(k.sub(sums[i + 1], sums[i]), 4), eight = k.left(codes[i / channels], 3);
      sums[i] = k.add(k.sub(sums[i], eight), biases[i % channels]);
      sums[i + 1] = k.add(k.sub(second, eight), biases[(i + 1) % channels]);
    }
    return sums;
  }
};

} // namespace

/// For codes of 16 bits, with sums of 32.
static void addWords(std::vector<std::unique_ptr<ConvKernel>> &conv, const ScalarShape &s, WindowConv::Shape tile,
                     WindowConv::Shape row, WindowConv::Shape uniform, WindowConv::Shape depthwise) {
  auto add = [&](StringRef name, WindowConv::Shape shape) {
    shape.codeBits = 16;
    shape.laneBytes = 2;
    shape.laneOffset = 0;
    conv.push_back(std::make_unique<ScalarConv>(name, shape, s));
  };
  add("scalar.row.16.uniform", uniform);
  add("scalar.row.16", row);
  add("scalar.conv.16", tile);
  add("scalar.depthwise.16", depthwise);
}

ScalarKernels::ScalarKernels(const ScalarShape &s)
    : add(makeTableAdd(s.longMultiply)), mul(makeScalarMul(s.longMultiply)), softmax(makeTableSoftmax(s.longMultiply)),
      pool(makeScalarPool(s.longMultiply)) {
  for (bool exact : {false, true}) {
    std::string suffix = exact ? ".exact" : "";
    WindowConv::Shape tile{s.pixels, s.channels, 1, 1, exact, s.longMultiply}, row = tile, depthwise = tile;
    row.pixels = depthwise.channels = 1;
    row.onePixel = true;
    row.channels = s.rowChannels;
    depthwise.pixels = s.depthwisePixels;
    depthwise.depthwise = true;
    if (s.unsignedLoads)
      tile.laneOffset = row.laneOffset = depthwise.laneOffset = 128;
    WindowConv::Shape uniform = row;
    uniform.oneMap = true;
    conv.push_back(std::make_unique<ScalarNibbles>("scalar.row.nibbles" + suffix, row, s));
    conv.push_back(std::make_unique<ScalarNibbles>("scalar.conv.nibbles" + suffix, tile, s));
    if (s.unsignedLoads && !exact) {
      conv.push_back(std::make_unique<ScalarPairs>("scalar.row.pairs.uniform", uniform, s));
      conv.push_back(std::make_unique<ScalarPairs>("scalar.row.pairs", row, s));
      conv.push_back(std::make_unique<ScalarPairs>("scalar.conv.pairs", tile, s));
    }
    if (!exact)
      conv.push_back(std::make_unique<ScalarConv>("scalar.row.uniform", uniform, s));
    conv.push_back(std::make_unique<ScalarConv>("scalar.row" + suffix, row, s));
    conv.push_back(std::make_unique<ScalarConv>("scalar.conv" + suffix, tile, s));
    conv.push_back(std::make_unique<ScalarConv>("scalar.depthwise" + suffix, depthwise, s));
    if (!exact)
      addWords(conv, s, tile, row, uniform, depthwise);
    std::string groups = exact ? ".groups.wide" : ".groups";
    tile.groups = row.groups = true;
    conv.push_back(std::make_unique<ScalarNibbles>("scalar.row.nibbles" + groups, row, s));
    conv.push_back(std::make_unique<ScalarNibbles>("scalar.conv.nibbles" + groups, tile, s));
    conv.push_back(std::make_unique<ScalarConv>("scalar.row" + groups, row, s));
    conv.push_back(std::make_unique<ScalarConv>("scalar.conv" + groups, tile, s));
  }
}

ScalarKernels::~ScalarKernels() = default;

void ScalarKernels::addTo(LayerKernels &kernels) const {
  for (const auto &kernel : conv)
    kernels.conv.push_back(kernel.get());
  kernels.add.push_back(add.get());
  kernels.mul.push_back(mul.get());
  kernels.softmax.push_back(softmax.get());
  kernels.pool.push_back(pool.get());
}
