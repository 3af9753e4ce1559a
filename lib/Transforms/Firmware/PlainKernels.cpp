// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels that are right on every processor, for every layer: one sum at a time, the final map in 64-bit arithmetic.
#include "lib/Transforms/Firmware/Elements.h"
#include "lib/Transforms/Firmware/GroupedConv.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

template <typename T>
static T pick(const std::vector<T> &list, int64_t i) {
  return list[list.size() == 1 ? 0 : i];
}

namespace {
/// Constants: for each channel { i64 bias, i32 multiplier, i32 shift }, the factors of groups, then the weights, a byte each,
/// as the model has them.
struct PlainConv : ConvKernel {
  StringRef getName() const override { return "plain.conv"; }
  bool accepts(const ConvLayer &, const ConvConstants &) const override { return true; }
  bool takesGroups() const override { return true; }
  bool takesParts() const override { return true; }

  std::vector<char> pack(const ConvLayer &layer, const ConvConstants &constants) const override {
    std::vector<char> bytes;
    for (int64_t o = 0; o < layer.out.channels; ++o) {
      appendNumber<int64_t>(bytes, pick(constants.bias, o));
      appendNumber<int32_t>(bytes, pick(constants.multiplier, o));
      appendNumber<int32_t>(bytes, pick(constants.shift, o));
    }
    for (int32_t factor : constants.factors)
      appendNumber<int32_t>(bytes, factor);
    for (int32_t weight : constants.weights)
      appendNumber<int8_t>(bytes, int8_t(weight));
    return bytes;
  }

  bool takesSum(const ConvLayer &) const override { return true; }
  std::optional<Overlap> getSumOverlap(const ConvLayer &layer) const override {
    return overlapInPlace(layer.out.count() * layer.inputBits / 8);
  }
  std::optional<Overlap> getOutputOverlap(const ConvLayer &layer) const override {
    return overlapByPixels(WindowWalk(layer), /*pixels=*/1, /*readsFirst=*/false);
  }

  void emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const override {
    k.loop(0, layer.out.batch, 1, [&](Value n) {
      k.loop(0, layer.out.height, 1, [&](Value y) {
        k.loop(0, layer.out.width, 1, [&](Value x) {
          k.loop(0, layer.out.channels, 1, [&](Value o) { emitOne(k, layer, at, n, y, x, o); });
        });
      });
    });
  }

private:
  static constexpr int64_t kRecord = 16;
  static void emitOne(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at, Value n, Value y, Value x, Value o);
};
} // namespace

/// index(... (a * extents[1] + b) * extents[2] + c ...)
static Value flatten(KernelBuilder &k, ArrayRef<Value> position, ArrayRef<int64_t> extents) {
  Value flat = position[0];
  for (size_t i = 1; i < position.size(); ++i)
    flat = k.add(k.mul(flat, extents[i]), position[i]);
  return flat;
}

namespace {
/// Where a window's tap lies along an axis, and whether that is inside of the input.
struct Tap {
  Value position, inside;
};
} // namespace

static Tap tapPosition(KernelBuilder &k, Value out, Value tap, int64_t stride, int64_t dilation, int64_t pad, int64_t extent) {
  Value position = k.add(k.add(k.mul(out, stride), k.mul(tap, dilation)), -pad);
  Value inside = k.both(k.isLess(k.number(-1), position), k.isLess(position, k.number(extent)));
  return {position, inside};
}

/// The factors of layer `layer`: those of a channel, [rows of groups][columns][channels].
static SmallVector<int64_t, 3> factorExtents(const ConvLayer &layer) {
  const WeightGroups &g = layer.groups;
  if (!g)
    return {0, 0, 0};
  return {int64_t(llvm::divideCeil(layer.window.kernelHeight, g.height)), int64_t(llvm::divideCeil(layer.window.kernelWidth, g.width)),
          int64_t(llvm::divideCeil(layer.in.channels, g.channels))};
}

/// The code of a sum, every step of it as it is defined.
static Value emitSum(KernelBuilder &k, const AddLayer &layer, Value first, Value second) {
  auto map = [&](Value value, unsigned i) {
    return k.mapExactly(value, k.number(layer.multipliers[i]), k.number(layer.shifts[i]), layer.map.mode);
  };
  auto term = [&](Value code, unsigned i) { return map(k.left(k.add(code, -layer.zeros[i]), layer.leftShift), i); };
  Value a = term(first, 0), b = term(second, 1);
  Value mapped = map(layer.subtract ? k.sub(a, b) : k.add(a, b), 2);
  return k.clamp(k.add(mapped, layer.map.zero), layer.map.low, layer.map.high);
}

void PlainConv::emitOne(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at, Value n, Value y, Value x, Value o) {
  const Window &w = layer.window;
  bool wide = layer.map.mode == FixedMode::X16;
  Type sumType = wide ? k.i64() : k.i32();
  Value record = k.at(at.constants, k.mul(o, kRecord));
  Value bias = k.truncate(k.load(record, k.i64()), sumType);
  SmallVector<int64_t, 3> groups = factorExtents(layer);
  Value factors = k.at(at.constants, layer.out.channels * kRecord);
  Value weights = k.at(factors, 4 * layer.out.channels * groups[0] * groups[1] * groups[2]);
  int64_t depth = layer.depthwise ? 1 : layer.in.channels, bytes = layer.inputBits / 8;
  Value first = layer.depthwise ? k.quotient(o, layer.out.channels / layer.in.channels) : k.number(0);
  auto tap = [&](Value ky, Value kx, Value before) -> Value {
    Tap row = tapPosition(k, y, ky, w.strideHeight, w.dilationHeight, w.padTop, layer.in.height);
    Tap column = tapPosition(k, x, kx, w.strideWidth, w.dilationWidth, w.padLeft, layer.in.width);
    auto products = [&]() -> SmallVector<Value> {
      Value pixel =
          flatten(k, {n, row.position, column.position, first}, {0, layer.in.height, layer.in.width, layer.in.pixel()});
      Value weight = layer.depthwise ? flatten(k, {ky, kx, o}, {0, w.kernelWidth, layer.out.channels})
                                     : k.mul(flatten(k, {o, ky, kx}, {0, w.kernelHeight, w.kernelWidth}), depth);
      return k.loop(0, depth, 1, before, [&](Value c, ValueRange sum) -> SmallVector<Value> {
        Value code = k.loadCode(k.at(at.input, k.mul(k.add(pixel, c), bytes)), layer.inputBits);
        Value product = k.extend(k.mul(k.add(code, -layer.inputZero), k.loadCode(k.at(weights, k.add(weight, c)))), sumType);
        if (layer.groups) {
          const WeightGroups &g = layer.groups;
          Value group = flatten(k, {o, k.quotient(ky, g.height), k.quotient(kx, g.width), k.quotient(c, g.channels)},
                                {0, groups[0], groups[1], groups[2]});
          product = k.mul(product, k.extend(k.load32(k.at(factors, k.left(group, 2))), sumType));
        }
        return {k.add(sum[0], product)};
      });
    };
    if (!layer.hasPadding())
      return products()[0];
    return k.when(k.both(row.inside, column.inside), before, products)[0];
  };
  SmallVector<Value> sum = k.loop(0, w.kernelHeight, 1, bias, [&](Value ky, ValueRange rows) {
    return k.loop(0, w.kernelWidth, 1, rows,
                  [&](Value kx, ValueRange before) -> SmallVector<Value> { return {tap(ky, kx, before[0])}; });
  });
  Value mapped = k.mapExactly(sum[0], k.load32(k.at(record, 8)), k.load32(k.at(record, 12)), layer.map.mode);
  Value code = k.clamp(k.add(mapped, layer.map.zero), layer.map.low, layer.map.high);
  Value place = k.mul(flatten(k, {n, y, x, o}, {0, layer.out.height, layer.out.width, layer.out.pixel()}), bytes);
  if (layer.sum)
    code = emitSum(k, *layer.sum, code, k.loadCode(k.at(at.second, place), layer.inputBits));
  k.storeCode(code, k.at(at.output, place), layer.inputBits);
}

namespace {
struct PlainPool : PoolKernel {
  StringRef getName() const override { return "plain.pool"; }
  bool takesMean() const override { return true; }
  bool accepts(const PoolLayer &, const PoolConstants &) const override { return true; }
  std::vector<char> pack(const PoolLayer &, const PoolConstants &) const override { return {}; }
  std::optional<Overlap> getOutputOverlap(const PoolLayer &layer) const override {
    return overlapByPixels(WindowWalk(layer), /*pixels=*/1, /*readsFirst=*/false);
  }
  void emit(KernelBuilder &k, const PoolLayer &layer, const LayerPointers &at) const override {
    k.loop(0, layer.out.batch, 1, [&](Value n) {
      k.loop(0, layer.out.height, 1, [&](Value y) {
        k.loop(0, layer.out.width, 1, [&](Value x) {
          k.loop(0, layer.out.channels, 1, [&](Value c) { emitOne(k, layer, at, n, y, x, c); });
        });
      });
    });
  }

private:
  static void emitOne(KernelBuilder &k, const PoolLayer &layer, const LayerPointers &at, Value n, Value y, Value x, Value c);
};
} // namespace

void PlainPool::emitOne(KernelBuilder &k, const PoolLayer &layer, const LayerPointers &at, Value n, Value y, Value x, Value c) {
  const Window &w = layer.window;
  int64_t bytes = layer.bits / 8;
  // A sum and the number of its codes; the largest code.
  SmallVector<Value> start{k.number(layer.max ? -(int64_t(1) << (layer.bits - 1)) : 0), k.number(0)};
  SmallVector<Value> found = k.loop(0, w.kernelHeight, 1, start, [&](Value ky, ValueRange rows) {
    return k.loop(0, w.kernelWidth, 1, rows, [&](Value kx, ValueRange before) {
      Tap row = tapPosition(k, y, ky, w.strideHeight, w.dilationHeight, w.padTop, layer.in.height);
      Tap column = tapPosition(k, x, kx, w.strideWidth, w.dilationWidth, w.padLeft, layer.in.width);
      return k.when(k.both(row.inside, column.inside), before, [&]() -> SmallVector<Value> {
        Value from = flatten(k, {n, row.position, column.position, c}, {0, layer.in.height, layer.in.width, layer.in.channels});
        Value code = k.loadCode(k.at(at.input, k.mul(from, bytes)), layer.bits);
        return {layer.max ? k.most(before[0], code) : k.add(before[0], code), k.add(before[1], 1)};
      });
    });
  });
  Value result = found[0];
  if (layer.mean) {
    const MeanMap &mean = *layer.mean;
    Value sum = k.sub(found[0], k.mul(found[1], mean.inputZero));
    if (mean.multiple)
      sum = k.mul(sum, k.quotient(k.number(mean.multiple), k.most(found[1], k.number(1))));
    result = k.mapExactly(sum, k.number(mean.multiplier), k.number(mean.shift), mean.map.mode);
    result = k.add(result, mean.map.zero);
  } else if (!layer.max) {
    Value half = k.rightUnsigned(found[1], 1);
    Value nudged = k.select(k.isLess(k.number(0), result), k.add(result, half), k.sub(result, half));
    result = k.quotient(nudged, found[1]);
  }
  Value out = flatten(k, {n, y, x, c}, {0, layer.out.height, layer.out.width, layer.out.channels});
  k.storeCode(k.clamp(result, layer.low, layer.high), k.at(at.output, k.mul(out, bytes)), layer.bits);
}

namespace {
/// Constants: for each input 256 terms of 32 bits, by the code plus 128.
struct PlainAdd : AddKernel {
  StringRef getName() const override { return "plain.add"; }
  bool accepts(const AddLayer &layer, const AddConstants &) const override { return layer.bits == 8; }
  std::vector<char> pack(const AddLayer &layer, const AddConstants &) const override {
    std::vector<char> bytes;
    for (unsigned i : {0u, 1u})
      for (int64_t code = -128; code < 128; ++code)
        appendNumber<int32_t>(bytes, layer.term(i, code));
    return bytes;
  }
  void emit(KernelBuilder &k, const AddLayer &layer, const LayerPointers &at) const override {
    k.loop(0, layer.count, 1, [&](Value i) {
      auto term = [&](unsigned input, Value from) {
        Value code = k.loadCode(k.at(from, i));
        return k.load32(k.at(at.constants, k.add(k.mul(code, 4), 1024 * input + 512)));
      };
      Value a = term(0, at.input), b = term(1, at.second), sum = layer.subtract ? k.sub(a, b) : k.add(a, b);
      Value mapped = k.mapExactly(sum, k.number(layer.multipliers[2]), k.number(layer.shifts[2]), layer.map.mode);
      k.storeCode(k.clamp(k.add(mapped, layer.map.zero), layer.map.low, layer.map.high), k.at(at.output, i));
    });
  }
};

struct PlainMul : MulKernel {
  StringRef getName() const override { return "plain.mul"; }
  bool accepts(const MulLayer &layer, const MulConstants &) const override { return layer.bits == 8; }
  std::vector<char> pack(const MulLayer &, const MulConstants &) const override { return {}; }
  void emit(KernelBuilder &k, const MulLayer &layer, const LayerPointers &at) const override {
    auto factor = [&](Value from, unsigned i) { return k.add(k.loadCode(from), -layer.zeros[i]); };
    forProducts(
        k, layer, at, /*lanes=*/1, [&](Value from, int64_t) { return factor(from, 1); },
        [&](Value from, Value second, Value to, int64_t) {
          Value mapped = k.mapExactly(k.mul(factor(from, 0), second), k.number(layer.multiplier), k.number(layer.shift),
                                      layer.map.mode);
          k.storeCode(k.clamp(k.add(mapped, layer.map.zero), layer.map.low, layer.map.high), to);
        });
  }
};

/// Constants: the terms.
struct PlainSoftmax : SoftmaxKernel {
  StringRef getName() const override { return "plain.softmax"; }
  bool accepts(const SoftmaxLayer &, const SoftmaxConstants &) const override { return true; }
  std::vector<char> pack(const SoftmaxLayer &, const SoftmaxConstants &constants) const override {
    std::vector<char> bytes;
    for (int32_t term : constants.terms)
      appendNumber<int32_t>(bytes, term);
    return bytes;
  }
  void emit(KernelBuilder &k, const SoftmaxLayer &layer, const LayerPointers &at) const override {
    k.loop(0, layer.rows, 1, [&](Value row) {
      Value from = k.at(at.input, k.mul(row, layer.length)), to = k.at(at.output, k.mul(row, layer.length));
      emitRow(k, layer, at.constants, from, to);
    });
  }

private:
  static void emitRow(KernelBuilder &k, const SoftmaxLayer &layer, Value terms, Value from, Value to);
};
} // namespace

void PlainSoftmax::emitRow(KernelBuilder &k, const SoftmaxLayer &layer, Value terms, Value from, Value to) {
  auto one = [](Value value) { return SmallVector<Value>{value}; };
  Value top = k.loop(0, layer.length, 1, k.number(-128), [&](Value i, ValueRange most) {
    return one(k.most(most[0], k.loadCode(k.at(from, i))));
  })[0];
  auto term = [&](Value i) { return k.load32(k.at(terms, k.left(k.sub(top, k.loadCode(k.at(from, i))), 2))); };
  // Terms are not negative: a division with ties away from zero is one with ties up, and unsigned, where nothing overflows.
  Value sum = k.loop(0, layer.length, 1, k.number(0), [&](Value i, ValueRange before) {
    return one(k.add(before[0], k.rightUnsigned(k.add(term(i), 1 << 11), 12)));
  })[0];
  auto reciprocal = k.softmaxReciprocal(sum);
  Value inverse = reciprocal.first, bits = reciprocal.second;
  k.loop(0, layer.length, 1, [&](Value i) {
    Value product = k.doublingHighMultiply(inverse, term(i));
    Value half = k.left(k.number(1), k.add(bits, -1));
    Value code = k.add(k.rightUnsigned(k.add(product, half), bits), layer.low);
    k.storeCode(k.clamp(code, layer.low, layer.high), k.at(to, i));
  });
}

LayerKernels firmware::makeKernelTable(llvm::ArrayRef<void (*)(LayerKernels &)> parts) {
  static const PlainConv conv;
  static const PlainPool pool;
  static const PlainAdd add;
  static const PlainMul mul;
  static const PlainSoftmax softmax;
  LayerKernels kernels;
  for (auto *addPart : parts)
    addPart(kernels);
  kernels.conv.push_back(&conv);
  kernels.pool.push_back(&pool);
  kernels.add.push_back(&add);
  kernels.mul.push_back(&mul);
  kernels.softmax.push_back(&softmax);
  addGroupedConv(kernels);
  return kernels;
}
