// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/WindowPool.h"
#include "lib/Transforms/Firmware/FastMap.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

std::optional<AverageMap> AverageMap::find(int64_t count) {
  int64_t half = count / 2, most = 255 * count + half;
  if (count < 1 || most >= 1 << 16)
    return std::nullopt;
  AverageMap map;
  if (count == 1) { // (t + 1) * (2^16 - 1) >> 16 is t.
    map.start = 129;
    map.multiplier = (1 << 16) - 1;
    return map;
  }
  map.start = int32_t(128 * count + half);
  map.even = count % 2 ? 0 : -1;
  while ((int64_t(1) << (17 + map.shift)) / count < 1 << 16)
    ++map.shift;
  int64_t one = int64_t(1) << (16 + map.shift);
  map.multiplier = int32_t(llvm::divideCeil(one, count));
  // The error of the multiplier must not reach the next quotient.
  if (map.multiplier >= 1 << 16 || (map.multiplier * count - one) * most >= one)
    return std::nullopt;
  return map;
}

/// Taps that stand in the code one by one.
static constexpr int64_t kUnrolledTaps = 16;

/// An output pixel, or a row of them (without columns): where the window's taps that lie in the input begin.
struct WindowPool::Place {
  Value image, output;     ///< Of a batch.
  Value row, rows;         ///< The first input row, how many; null: all of a window.
  Value column, columns;
};

/// The outputs [first, last) of an axis whose windows lie in the input.
static std::pair<int64_t, int64_t> findInside(int64_t pad, int64_t kernel, int64_t stride, int64_t out, int64_t in) {
  int64_t first = llvm::divideCeil(pad, stride);
  int64_t last = in + pad < kernel ? 0 : std::min(out, (in + pad - kernel) / stride + 1);
  return {std::min(first, last), last};
}

static std::pair<int64_t, int64_t> insideRows(const PoolLayer &l) {
  return findInside(l.window.padTop, l.window.kernelHeight, l.window.strideHeight, l.out.height, l.in.height);
}
static std::pair<int64_t, int64_t> insideColumns(const PoolLayer &l) {
  return findInside(l.window.padLeft, l.window.kernelWidth, l.window.strideWidth, l.out.width, l.in.width);
}
static bool hasBorder(const PoolLayer &l) {
  return insideRows(l) != std::pair(int64_t(0), l.out.height) || insideColumns(l) != std::pair(int64_t(0), l.out.width);
}

bool WindowPool::accepts(const PoolLayer &layer, const PoolConstants &) const {
  const Window &w = layer.window;
  if (layer.bits != 8 || w.dilationHeight != 1 || w.dilationWidth != 1 || !acceptsChannels(layer))
    return false;
  // Every window meets the input.
  auto meets = [](int64_t pad, int64_t kernel, int64_t stride, int64_t out, int64_t in) {
    return pad < kernel && (out - 1) * stride - pad < in;
  };
  if (!meets(w.padTop, w.kernelHeight, w.strideHeight, layer.out.height, layer.in.height) ||
      !meets(w.padLeft, w.kernelWidth, w.strideWidth, layer.out.width, layer.in.width))
    return false;
  if (layer.mean)
    return (sumBits() == 32 || w.taps() <= 256) && acceptsMean(layer);
  for (int64_t count = hasBorder(layer) ? 1 : w.taps(); !layer.max && count <= w.taps(); ++count)
    if (!AverageMap::find(count))
      return false;
  return true;
}

/// What the sum of `count` codes begins with and, where that has no room in it, what is added to it later.
struct WindowPool::MeanStart {
  static constexpr int64_t kBytes = 12;
  int32_t start = 0, bias = 0, factor = 1;
};

WindowPool::MeanStart WindowPool::startMean(const PoolLayer &layer, int64_t count) const {
  int64_t zero = layer.mean->inputZero, most = std::max(127 - zero, zero + 128) * layer.window.taps();
  MeanStart made;
  (sumBits() == 32 || most < 1 << 15 ? made.start : made.bias) = int32_t(-count * zero);
  made.factor = int32_t(layer.mean->factor(count));
  return made;
}

std::vector<char> WindowPool::pack(const PoolLayer &layer, const PoolConstants &) const {
  std::vector<char> bytes;
  for (int64_t count = 1; !layer.max && hasBorder(layer) && count <= layer.window.taps(); ++count) {
    if (layer.mean) {
      MeanStart mean = startMean(layer, count);
      for (int32_t word : {mean.start, mean.bias, mean.factor})
        appendNumber(bytes, word);
      continue;
    }
    AverageMap map = *AverageMap::find(count);
    for (int32_t word : {map.start, map.multiplier, map.shift, map.even})
      appendNumber(bytes, word);
  }
  return bytes;
}

void WindowPool::store(KernelBuilder &k, const PoolLayer &layer, ValueRange state, const MapValues &map, Value to,
                       Value length) const {
  if (layer.max)
    return storeLargest(k, layer, state, to, length);
  if (layer.mean)
    return storeMean(k, layer, state, map, to, length);
  storeAverage(k, layer, state, map, to, length);
}

WindowPool::MapValues WindowPool::insideMap(KernelBuilder &k, const PoolLayer &layer) const {
  MapValues map;
  if (layer.max)
    return map;
  if (layer.mean) {
    MeanStart mean = startMean(layer, layer.window.taps());
    map.start = k.number(mean.start);
    map.bias = mean.bias ? k.number(mean.bias) : Value();
    map.factor = mean.factor != 1 ? k.number(mean.factor) : Value();
    return map;
  }
  AverageMap known = *AverageMap::find(layer.window.taps());
  return {k.number(known.start),
          k.number(known.multiplier),
          k.number(known.shift),
          k.number(known.even),
          known.even != 0,
          {},
          {}};
}

WindowPool::MapValues WindowPool::loadMap(KernelBuilder &k, const PoolLayer &layer, Value constants,
                                          Value count) const {
  int64_t bytes = layer.mean ? MeanStart::kBytes : AverageMap::kBytes;
  Value record = k.at(constants, k.mul(k.add(count, -1), bytes));
  auto word = [&](int64_t i) { return k.load32(k.at(record, 4 * i)); };
  MapValues map;
  map.start = word(0);
  if (layer.mean) {
    map.bias = startMean(layer, 1).bias ? word(1) : Value();
    map.factor = layer.mean->multiple ? word(2) : Value();
    return map;
  }
  return {map.start, word(1), word(2), word(3), true, {}, {}};
}

void WindowPool::emitInside(KernelBuilder &k, const PoolLayer &layer, Value from, Value to) const {
  const Window &w = layer.window;
  int64_t channels = layer.in.channels, rowBytes = layer.in.width * channels;
  MapValues map = insideMap(k, layer);
  forStrips(k, layer, [&](Value channel, Value length) {
    Value first = k.at(from, channel);
    SmallVector<Value> state = begin(k, layer, first, map.start, length);
    if (w.taps() <= kUnrolledTaps) {
      for (int64_t tap = 1; tap < w.taps(); ++tap) {
        int64_t place = tap / w.kernelWidth * rowBytes + tap % w.kernelWidth * channels;
        state = combine(k, layer, state, k.at(first, place), length);
      }
      return store(k, layer, state, map, k.at(to, channel), length);
    }
    auto columns = [&](Value row, int64_t begins, ValueRange state) {
      return k.loop(begins, w.kernelWidth, 1, state, [&](Value x, ValueRange state) {
        return combine(k, layer, state, k.at(row, k.mul(x, channels)), length);
      });
    };
    state = columns(first, 1, state);
    state = k.loop(1, w.kernelHeight, 1, state,
                   [&](Value y, ValueRange state) { return columns(k.at(first, k.mul(y, rowBytes)), 0, state); });
    store(k, layer, state, map, k.at(to, channel), length);
  });
}

void WindowPool::emitBorder(KernelBuilder &k, const PoolLayer &layer, Value constants, const Place &place) const {
  int64_t channels = layer.in.channels, rowBytes = layer.in.width * channels;
  MapValues map = layer.max ? MapValues() : loadMap(k, layer, constants, k.mul(place.rows, place.columns));
  Value from = k.at(place.image, k.add(k.mul(place.row, rowBytes), k.mul(place.column, channels)));
  forStrips(k, layer, [&](Value channel, Value length) {
    Value first = k.at(from, channel);
    SmallVector<Value> state = begin(k, layer, first, map.start, length);
    auto columns = [&](Value row, Value begins, ValueRange state) {
      return k.loop(begins, place.columns, 1, state, [&](Value x, ValueRange state) {
        return combine(k, layer, state, k.at(row, k.mul(x, channels)), length);
      });
    };
    state = columns(first, k.number(1), state);
    state = k.loop(k.number(1), place.rows, 1, state, [&](Value y, ValueRange state) {
      return columns(k.at(first, k.mul(y, rowBytes)), k.number(0), state);
    });
    store(k, layer, state, map, k.at(place.output, channel), length);
  });
}

/// Where the window of output `out` begins in the input, and how many taps are inside.
static std::pair<Value, Value> clip(KernelBuilder &k, Value out, int64_t stride, int64_t pad, int64_t kernel,
                                    int64_t extent) {
  Value begin = k.add(k.mul(out, stride), -pad), end = k.least(k.add(begin, kernel), k.number(extent));
  begin = k.most(begin, k.number(0));
  return {begin, k.sub(end, begin)};
}

void WindowPool::emitRow(KernelBuilder &k, const PoolLayer &layer, const LayerPointers &at, const Place &row) const {
  const Window &w = layer.window;
  int64_t channels = layer.in.channels;
  auto [first, last] = insideColumns(layer);
  bool whole = !row.rows;
  auto border = [&](int64_t from, int64_t to) {
    k.loop(from, to, 1, [&](Value x) {
      Place place = row;
      if (whole)
        place.rows = k.number(w.kernelHeight);
      std::tie(place.column, place.columns) = clip(k, x, w.strideWidth, w.padLeft, w.kernelWidth, layer.in.width);
      place.output = k.at(row.output, k.mul(x, channels));
      emitBorder(k, layer, at.constants, place);
    });
  };
  border(0, whole ? first : layer.out.width);
  if (!whole)
    return;
  Value from = k.at(row.image, k.add(k.mul(row.row, layer.in.width * channels),
                                     (first * w.strideWidth - w.padLeft) * channels));
  k.loop(first, last, 1, ValueRange{from, k.at(row.output, first * channels)}, [&](Value, ValueRange at) {
    emitInside(k, layer, at[0], at[1]);
    return SmallVector<Value>{k.at(at[0], w.strideWidth * channels), k.at(at[1], channels)};
  });
  border(last, layer.out.width);
}

void WindowPool::emit(KernelBuilder &k, const PoolLayer &layer, const LayerPointers &at) const {
  const Window &w = layer.window;
  int64_t outRow = layer.out.width * layer.out.channels;
  std::pair<int64_t, int64_t> inside = insideRows(layer);
  k.loop(0, layer.out.batch, 1, [&](Value n) {
    Value image = k.at(at.input, k.mul(n, layer.in.height * layer.in.width * layer.in.channels));
    Value output = k.at(at.output, k.mul(n, layer.out.height * outRow));
    auto rows = [&](int64_t from, int64_t to, bool inside) {
      k.loop(from, to, 1, [&](Value y) {
        Place row{image, k.at(output, k.mul(y, outRow)), {}, {}, {}, {}};
        auto [begin, count] = clip(k, y, w.strideHeight, w.padTop, w.kernelHeight, layer.in.height);
        row.row = begin;
        row.rows = inside ? Value() : count;
        emitRow(k, layer, at, row);
      });
    };
    rows(0, inside.first, false);
    rows(inside.first, inside.second, true);
    rows(inside.second, layer.out.height, false);
  });
}

namespace {
/// Strips of four channels, or of one.
class ScalarPool : public WindowPool {
public:
  explicit ScalarPool(bool longMultiply) : longMultiply(longMultiply) {}
  StringRef getName() const override { return "scalar.pool"; }

private:
  static int64_t unitOf(const PoolLayer &layer) { return layer.in.channels % 4 ? 1 : 4; }
  bool acceptsChannels(const PoolLayer &) const override { return true; }
  bool acceptsMean(const PoolLayer &) const override { return true; }
  unsigned sumBits() const override { return 32; }
  void forStrips(KernelBuilder &k, const PoolLayer &layer, Body body) const override {
    k.loop(0, layer.in.channels, unitOf(layer), [&](Value channel) { body(channel, {}); });
  }
  SmallVector<Value> begin(KernelBuilder &k, const PoolLayer &layer, Value from, Value start, Value) const override {
    SmallVector<Value> state;
    for (int64_t i = 0; i < unitOf(layer); ++i) {
      Value code = k.loadCode(k.at(from, i));
      state.push_back(layer.max ? code : k.add(start, code));
    }
    return state;
  }
  SmallVector<Value> combine(KernelBuilder &k, const PoolLayer &layer, ValueRange state, Value from,
                             Value) const override {
    SmallVector<Value> next;
    for (auto [i, before] : llvm::enumerate(state)) {
      Value code = k.loadCode(k.at(from, i));
      next.push_back(layer.max ? k.most(before, code) : k.add(before, code));
    }
    return next;
  }
  void storeLargest(KernelBuilder &k, const PoolLayer &layer, ValueRange state, Value to, Value) const override {
    for (auto [i, code] : llvm::enumerate(state))
      k.storeCode(k.clamp(code, layer.low, layer.high), k.at(to, i));
  }
  void storeAverage(KernelBuilder &k, const PoolLayer &layer, ValueRange state, const MapValues &map, Value to,
                    Value) const override {
    for (auto [i, sum] : llvm::enumerate(state))
      k.storeCode(k.clamp(k.add(average(k, sum, map), -128), layer.low, layer.high), k.at(to, i));
  }
  void storeMean(KernelBuilder &k, const PoolLayer &layer, ValueRange state, const MapValues &map, Value to,
                 Value) const override {
    for (auto [i, sum] : llvm::enumerate(state))
      k.storeCode(emitMean(k, layer, sum, map, longMultiply), k.at(to, i));
  }

  const bool longMultiply;
};
} // namespace

Value WindowPool::average(KernelBuilder &k, Value sum, const MapValues &map) {
  if (map.mayBeEven)
    sum = k.add(sum, k.both(k.right(k.sub(sum, map.start), 31), map.even));
  return k.rightUnsigned(k.rightUnsigned(k.mul(sum, map.multiplier), 16), map.shift);
}

Value WindowPool::emitMean(KernelBuilder &k, const PoolLayer &layer, Value sum, const MapValues &map,
                           bool longMultiply) {
  const MeanMap &mean = *layer.mean;
  if (map.bias)
    sum = k.add(sum, map.bias);
  if (map.factor)
    sum = k.mul(sum, map.factor);
  if (std::optional<FastMap> fast = FastMap::find(mean.map, mean.multiplier, mean.shift, layer.meanBound())) {
    FastMapValues values{k.number(fast->multiplier), k.number(fast->rounding), k.number(fast->shift)};
    return values.apply(k, k.left(sum, 1), mean.map, longMultiply);
  }
  Value mapped = k.mapExactly(sum, k.number(mean.multiplier), k.number(mean.shift), mean.map.mode);
  return k.add(k.clamp(mapped, mean.map.low - mean.map.zero, mean.map.high - mean.map.zero), mean.map.zero);
}

std::unique_ptr<PoolKernel> firmware::makeScalarPool(bool longMultiply) {
  return std::make_unique<ScalarPool>(longMultiply);
}
