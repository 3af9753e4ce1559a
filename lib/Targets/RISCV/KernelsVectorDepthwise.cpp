// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Depthwise convolutions and pooling: a vector of channels, one output pixel at a time.
#include "lib/Targets/RISCV/Kernels.h"
#include "lib/Targets/RISCV/Vectors.h"
#include "lib/Transforms/Firmware/WindowGroups.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;
using namespace mlir::qtensor::riscv;

/// Calls `body` for each output pixel with its number and the first row and column of its window.
static void forPixels(KernelBuilder &k, const Window &w, const Extents &in, const Extents &out, Value input,
                      int64_t codeBytes,
                      llvm::function_ref<void(Value image, Value pixel, Value top, Value left)> body) {
  k.loop(0, out.batch, 1, [&](Value n) {
    Value image = k.at(input, k.mul(n, in.height * in.width * in.channels * codeBytes));
    k.loop(0, out.height, 1, [&](Value y) {
      Value top = k.add(k.mul(y, w.strideHeight), -w.padTop);
      Value row = k.mul(k.add(k.mul(n, out.height), y), out.width);
      k.loop(0, out.width, 1,
             [&](Value x) { body(image, k.add(row, x), top, k.add(k.mul(x, w.strideWidth), -w.padLeft)); });
    });
  });
}

namespace {
/// `pairs`: two products of a channel fit 16 bits. `words`: codes of 16 bits, products of 32.
class VectorDepthwise : public ConvKernel {
public:
  VectorDepthwise(StringRef name, bool pairs, bool words = false) : name(name), pairs(pairs), words(words) {}

  StringRef getName() const override { return name; }
  bool accepts(const ConvLayer &layer, const ConvConstants &constants) const override;
  std::vector<char> pack(const ConvLayer &layer, const ConvConstants &constants) const override;
  /// Zero points that a tap outside of the input reads.
  int64_t getScratchBytes(const ConvLayer &layer) const override {
    return layer.hasPadding() ? layer.in.channels * codeBytes() : 0;
  }
  /// Strip after strip of channels: those behind are still in the input.
  std::optional<Overlap> getOutputOverlap(const ConvLayer &layer) const override {
    return Overlap{overlapByPixels(WindowWalk(layer), /*pixels=*/1, /*readsFirst=*/true).distance,
                   layer.in.channels * codeBytes()};
  }
  void emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const override;

private:
  using AddressOfTap = llvm::function_ref<Value(int64_t ky, int64_t kx)>;
  /// Channels `from` to `from + vl`: where their maps and weights are, and what stays in registers.
  struct Strip {
    Value from, vl, map, weights, bias, outside;
    SmallVector<Value> kept;
  };
  using Sum = llvm::function_ref<Value(const Strip &pixel)>;
  Value loadWeight(KernelBuilder &k, Vectors &v, const ConvLayer &layer, const Strip &strip, int64_t tap) const;
  int64_t tapsInRegisters(const ConvLayer &layer) const;
  Value sumTaps(KernelBuilder &k, Vectors &v, const ConvLayer &layer, Strip strip, AddressOfTap tap) const;
  Value addProducts(KernelBuilder &k, Vectors &v, Value sum, int64_t taps, Value vl,
                    llvm::function_ref<std::pair<Value, Value>(int64_t tap)> factors) const;
  Value sumLines(KernelBuilder &k, Vectors &v, const ConvLayer &layer, const Strip &strip, Value image, Value first,
                 ArrayRef<Value> corner) const;
  void emitCodes(KernelBuilder &k, Vectors &v, const ConvLayer &layer, const Strip &strip, Value output, Sum sum) const;
  void emitPixel(KernelBuilder &k, Vectors &v, const ConvLayer &layer, const Strip &strip, Value image, Value output,
                 Value top, Value left) const;

  int64_t codeBytes() const { return words ? 2 : 1; }

  StringRef name;
  bool pairs, words;
};
} // namespace

/// Weights of so many taps stay in registers for all pixels; of so many, with 16 bits.
static constexpr int64_t mostTapsInRegisters = 9, mostWordsInRegisters = 8;

/// Longer windows are summed in loops, so many taps at a time: written out, LLVM loads for more of them than it has
/// registers.
static bool isLong(const ConvLayer &layer) { return layer.window.taps() > mostTapsInRegisters; }
static constexpr int64_t tapsOfTurn = 8;

namespace {
/// Taps of a window that follow one another in one direction.
struct Line {
  int64_t count, extent;   ///< Taps; pixels of the input.
  int64_t dilation, codes; ///< From one tap to the next, in pixels of this direction and in codes.
  int64_t weights;         ///< The same in taps of the window.
};
/// Long windows: lines in the longer direction, one after the other in the shorter one.
struct Lines {
  Line along, across;
  bool isRow; ///< A line is a row of the window.

  explicit Lines(const ConvLayer &layer) {
    const Window &w = layer.window;
    int64_t channels = layer.in.channels;
    along = {w.kernelWidth, layer.in.width, w.dilationWidth, w.dilationWidth * channels, 1};
    across = {w.kernelHeight, layer.in.height, w.dilationHeight, w.dilationHeight * layer.in.width * channels,
              w.kernelWidth};
    isRow = w.kernelWidth >= w.kernelHeight;
    if (!isRow)
      std::swap(along, across);
  }
};
} // namespace

/// Calls `body` with two taps whose products of 16 bits meet in one sum.
static void forPairs(const ConvLayer &layer, llvm::function_ref<void(int64_t, int64_t)> body) {
  Lines lines(layer);
  bool split = isLong(layer);
  int64_t count = split ? lines.along.count : layer.window.taps(), step = split ? lines.along.weights : 1;
  for (int64_t line = 0; line < (split ? lines.across.count : 1); ++line)
    for (int64_t i = 0; i + 1 < count; i += 2)
      body(line * lines.across.weights + i * step, line * lines.across.weights + (i + 1) * step);
}

bool VectorDepthwise::accepts(const ConvLayer &layer, const ConvConstants &constants) const {
  int64_t taps = layer.window.taps(), channels = layer.out.channels;
  bool fits = words ? takesWords(layer, constants)
                    : layer.inputBits == 8 && layer.weightBits == 8 && takesMap(layer.map, constants);
  if (!layer.depthwise || layer.in.channels != channels || taps == 0 || taps > 64 || !fits)
    return false;
  bool inRange = true;
  auto weight = [&](int64_t tap, int64_t o) { return std::abs(constants.weights[tap * channels + o]); };
  forPairs(layer, [&](int64_t i, int64_t j) {
    for (int64_t o = 0; o < channels; ++o)
      inRange &= (weight(i, o) + weight(j, o)) * 128 <= INT16_MAX;
  });
  return !pairs || inRange;
}

std::vector<char> VectorDepthwise::pack(const ConvLayer &layer, const ConvConstants &constants) const {
  std::vector<char> bytes = packChannelMaps(layer, words ? NarrowMap(layer, constants).constants : constants);
  for (int32_t weight : constants.weights)
    bytes.push_back(char(weight));
  return bytes;
}

/// One of two addresses, without a branch: sums would be made behind all branches of a window, and codes wait on the
/// stack.
static Value selectAddress(KernelBuilder &k, Value condition, Value x, Value otherwise) {
  ImplicitLocOpBuilder &b = k.getBuilder();
  auto number = [&](Value pointer) -> Value { return LLVM::PtrToIntOp::create(b, k.i32(), pointer); };
  Value difference = k.select(condition, k.sub(number(x), number(otherwise)), k.number(0));
  Value address = k.add(number(otherwise), k.pin(difference)[0]);
  return LLVM::IntToPtrOp::create(b, x.getType(), address);
}

/// All or none, but for the last of words.
int64_t VectorDepthwise::tapsInRegisters(const ConvLayer &layer) const {
  int64_t taps = layer.window.taps();
  return isLong(layer) ? 0 : words ? std::min(taps, mostWordsInRegisters) : taps;
}

/// All products of 16 bits come before all sums of 32: the element width of vector operations changes once.
Value VectorDepthwise::addProducts(KernelBuilder &k, Vectors &v, Value sum, int64_t taps, Value vl,
                                   llvm::function_ref<std::pair<Value, Value>(int64_t tap)> factors) const {
  SmallVector<Value> parts;
  for (int64_t i = 0; i < taps; ++i) {
    auto [code, weight] = factors(i);
    if (words)
      sum = v.multiplyAdd(sum, code, weight, vl);
    else if (i % (pairs ? 2 : 1) == 0)
      parts.push_back(v.apply("vwmul", 16, weight, code, vl));
    else
      parts.back() = v.multiplyAdd(parts.back(), code, weight, vl);
  }
  for (Value part : parts)
    sum = v.apply("vwadd.w", 32, sum, part, vl);
  return sum;
}

/// The sum of a long window, line by line. `first`: its first code, a number. `corner`: its first row and column, where
/// it may leave the input.
Value VectorDepthwise::sumLines(KernelBuilder &k, Vectors &v, const ConvLayer &layer, const Strip &strip, Value image,
                                Value first, ArrayRef<Value> corner) const {
  Lines lines(layer);
  int64_t channels = layer.in.channels;
  ImplicitLocOpBuilder &b = k.getBuilder();
  auto inside = [&](unsigned direction, const Line &line, Value tap) -> Value {
    Value place = k.add(corner[direction], k.mul(tap, line.dilation));
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, place, k.number(line.extent));
  };
  auto weight = [&](Value weights, int64_t i) {
    Value loaded = v.load(k.at(weights, i * lines.along.weights * channels), 8, strip.vl);
    return words ? v.extend(loaded, 16, strip.vl) : loaded;
  };
  using Code = llvm::function_ref<Value(Value tap, Value first, int64_t i)>;
  auto sumLine = [&](Value sum, Value weights, Value first, Code code) {
    int64_t whole = lines.along.count / tapsOfTurn * tapsOfTurn;
    auto turn = [&](Value from, ValueRange at, int64_t taps) {
      return addProducts(k, v, at[0], taps, strip.vl,
                         [&](int64_t i) { return std::pair(code(k.add(from, i), at[2], i), weight(at[1], i)); });
    };
    auto moved = [&](ValueRange at) {
      return SmallVector<Value>{k.at(at[1], tapsOfTurn * lines.along.weights * channels),
                                k.add(at[2], tapsOfTurn * lines.along.codes)};
    };
    SmallVector<Value> end = k.loop(0, whole, tapsOfTurn, {sum, weights, first}, [&](Value from, ValueRange at) {
      SmallVector<Value> next{turn(from, at, tapsOfTurn)};
      next.append(moved(at));
      return next;
    });
    // Or LLVM loads for the rest before a single turn's products.
    if (whole > 0 && whole < lines.along.count)
      end[1] = k.pin(end[1])[0];
    return turn(k.number(whole), end, lines.along.count - whole);
  };
  auto inner = [&](Value, Value first, int64_t i) {
    Value at = k.at(image, k.mul(k.add(first, i * lines.along.codes), codeBytes()));
    return v.load(at, 8 * codeBytes(), strip.vl);
  };
  auto guarded = [&](Value tap, Value first, int64_t i) {
    Value at = k.at(image, k.mul(k.add(first, i * lines.along.codes), codeBytes()));
    return v.load(selectAddress(k, inside(lines.isRow, lines.along, tap), at, strip.outside), 8 * codeBytes(),
                  strip.vl);
  };
  Value zero = k.number(layer.inputZero, k.i8());
  auto outside = [&](Value, Value, int64_t) { return zero; };
  auto guardedLine = [&](Value line, ValueRange at) -> Value {
    Value within = inside(!lines.isRow, lines.across, line);
    Value sum = k.when(within, at[0], [&] { return SmallVector<Value>{sumLine(at[0], at[1], at[2], guarded)}; })[0];
    if (layer.inputZero == 0)
      return sum;
    Value without = arith::XOrIOp::create(b, within, k.number(1, within.getType()));
    return k.when(without, sum, [&] { return SmallVector<Value>{sumLine(sum, at[1], at[2], outside)}; })[0];
  };
  return k.loop(0, lines.across.count, 1, {strip.bias, strip.weights, first}, [&](Value line, ValueRange at) {
    Value sum = corner.empty() ? sumLine(at[0], at[1], at[2], inner) : guardedLine(line, at);
    return SmallVector<Value>{sum, k.at(at[1], lines.across.weights * channels), k.add(at[2], lines.across.codes)};
  })[0];
}

Value VectorDepthwise::sumTaps(KernelBuilder &k, Vectors &v, const ConvLayer &layer, Strip strip,
                               AddressOfTap tap) const {
  int64_t width = layer.window.kernelWidth;
  return addProducts(k, v, strip.bias, layer.window.taps(), strip.vl, [&](int64_t i) {
    // Or LLVM loads for all taps first, beyond its registers.
    if (words && i % 4 == 0)
      strip.weights = k.pin(strip.weights)[0];
    Value code = v.load(tap(i / width, i % width), 8 * codeBytes(), strip.vl);
    return std::pair(code, i < int64_t(strip.kept.size()) ? strip.kept[i] : loadWeight(k, v, layer, strip, i));
  });
}

Value VectorDepthwise::loadWeight(KernelBuilder &k, Vectors &v, const ConvLayer &layer, const Strip &strip,
                                  int64_t tap) const {
  Value weight = v.load(k.at(strip.weights, tap * layer.in.channels), 8, strip.vl);
  return words ? v.extend(weight, 16, strip.vl) : weight;
}

void VectorDepthwise::emitCodes(KernelBuilder &k, Vectors &v, const ConvLayer &layer, const Strip &strip, Value output,
                                Sum sumOf) const {
  int64_t channels = layer.in.channels;
  FinalMap map = layer.map;
  // What has no registers for all pixels is loaded for each, or LLVM would keep it on the stack.
  Strip pixel = strip;
  if (tapsInRegisters(layer) < layer.window.taps())
    pixel.weights = k.pin(strip.weights)[0];
  if (words || pixel.weights != strip.weights)
    pixel.map = k.pin(strip.map)[0];
  if (words) {
    map.mode = FixedMode::Single;
    pixel.bias = v.load(pixel.map, 32, strip.vl);
  }
  Value sum = sumOf(pixel);
  Value multiplier = v.load(k.at(pixel.map, 4 * channels), 32, strip.vl);
  Value shift = v.load(k.at(pixel.map, 8 * channels), 32, strip.vl);
  v.store(v.mapSums(sum, multiplier, shift, map, strip.vl, 8 * codeBytes()), output, strip.vl);
}

/// Pixels whose windows lie inside have a body of their own.
void VectorDepthwise::emitPixel(KernelBuilder &k, Vectors &v, const ConvLayer &layer, const Strip &strip, Value image,
                                Value output, Value top, Value left) const {
  const Window &w = layer.window;
  int64_t width = layer.in.width, channels = layer.in.channels;
  // One sum of numbers and then one address: a window at a border may begin before the image.
  Value first = k.add(k.mul(k.add(k.mul(top, width), left), channels), strip.from);
  auto inner = [&](int64_t ky, int64_t kx) {
    Value code = k.add(first, (ky * w.dilationHeight * width + kx * w.dilationWidth) * channels);
    return k.at(image, k.mul(code, codeBytes()));
  };
  auto sum = [&](AddressOfTap tap, ArrayRef<Value> corner) {
    return [&, tap, corner](const Strip &pixel) {
      return isLong(layer) ? sumLines(k, v, layer, pixel, image, first, corner) : sumTaps(k, v, layer, pixel, tap);
    };
  };
  if (!layer.hasPadding())
    return emitCodes(k, v, layer, strip, output, sum(inner, {}));
  ImplicitLocOpBuilder &b = k.getBuilder();
  auto below = [&](Value i, int64_t extent) -> Value {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::ult, i, k.number(std::max<int64_t>(extent, 0)));
  };
  auto guarded = [&](int64_t ky, int64_t kx) {
    Value y = k.add(top, ky * w.dilationHeight), x = k.add(left, kx * w.dilationWidth);
    Value inside = k.both(below(y, layer.in.height), below(x, width));
    return words ? selectAddress(k, inside, inner(ky, kx), strip.outside)
                 : k.select(inside, inner(ky, kx), strip.outside);
  };
  auto branch = [&](Sum sumOf) {
    return [&, sumOf](OpBuilder &inBranch, Location) {
      OpBuilder::InsertionGuard guard(b);
      b.restoreInsertionPoint(inBranch.saveInsertionPoint());
      emitCodes(k, v, layer, strip, output, sumOf);
      scf::YieldOp::create(b);
    };
  };
  Value inside = k.both(below(top, layer.in.height - (w.kernelHeight - 1) * w.dilationHeight),
                        below(left, width - (w.kernelWidth - 1) * w.dilationWidth));
  Value corner[] = {top, left};
  auto sumInside = sum(inner, {}), sumAtBorder = sum(guarded, corner);
  scf::IfOp::create(b, inside, branch(sumInside), branch(sumAtBorder));
}

void VectorDepthwise::emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const {
  int64_t channels = layer.in.channels;
  Vectors v(k, 1);
  if (layer.hasPadding())
    fillBytes(k, at.scratch, layer.inputZero, channels * codeBytes());
  v.strips(channels, [&](Value from, Value vl) {
    Strip strip{from, vl, k.at(at.constants, k.left(from, 2)), k.at(k.at(at.constants, 12 * channels), from), {}, {}, {}};
    if (!words)
      strip.bias = v.load(strip.map, 32, vl);
    for (int64_t i = 0; i < tapsInRegisters(layer); ++i)
      strip.kept.push_back(loadWeight(k, v, layer, strip, i));
    if (layer.hasPadding())
      strip.outside = k.at(at.scratch, k.mul(from, codeBytes()));
    forPixels(k, layer.window, layer.in, layer.out, at.input, codeBytes(),
              [&](Value image, Value pixel, Value top, Value left) {
                Value output = k.at(at.output, k.mul(k.add(k.mul(pixel, channels), from), codeBytes()));
                emitPixel(k, v, layer, strip, image, output, top, left);
              });
  });
}

namespace {
/// The mean or the largest code of windows that lie in the input: a strip of channels after the other, so that nothing
/// but the window's place changes from pixel to pixel. KernelsVectorPool.cpp has the others.
class VectorPool : public PoolKernel {
public:
  StringRef getName() const override { return "rvv.pool.strips"; }
  /// Sums of 254 codes, and half their number, fit 16 bits.
  bool accepts(const PoolLayer &layer, const PoolConstants &) const override {
    return layer.bits == 8 && !layer.hasPadding() && layer.in.channels == layer.out.channels &&
           (layer.max || layer.window.taps() <= 254);
  }
  std::vector<char> pack(const PoolLayer &, const PoolConstants &) const override { return {}; }
  std::optional<Overlap> getOutputOverlap(const PoolLayer &layer) const override {
    return Overlap{overlapByPixels(WindowWalk(layer), /*pixels=*/1, /*readsFirst=*/true).distance, layer.in.channels};
  }
  void emit(KernelBuilder &k, const PoolLayer &layer, const LayerPointers &at) const override;
};
} // namespace

/// [first, last) of the taps that lie inside along one axis.
static std::pair<Value, Value> tapsInside(KernelBuilder &k, Value start, int64_t extent, int64_t kernel) {
  return {k.most(k.sub(k.number(0), start), k.number(0)), k.least(k.sub(k.number(extent), start), k.number(kernel))};
}

/// sum / count, ties away from zero, as code.
static Value divideSum(KernelBuilder &k, Vectors &v, Value sum, Value count, Value vl) {
  // Half of the count with the sign of the sum: xor and subtraction of the sign.
  Value sign = v.apply("vsra", sum, k.number(15), vl), half = v.fill(k.rightUnsigned(count, 1), 16, vl);
  Value away = v.apply("vsub", v.apply("vxor", half, sign, vl), sign, vl);
  Value mean = v.apply("vdiv", v.apply("vadd", sum, away, vl), k.truncate(count, k.i16()), vl);
  return v.applyRounded("vnclip", 8, mean, k.number(0), Vectors::Nearest, vl);
}

void VectorPool::emit(KernelBuilder &k, const PoolLayer &layer, const LayerPointers &at) const {
  const Window &w = layer.window;
  int64_t channels = layer.in.channels;
  Vectors v(k, 1);
  v.strips(channels, [&](Value from, Value vl) {
    forPixels(k, w, layer.in, layer.out, at.input, 1, [&](Value image, Value pixel, Value top, Value left) {
      std::pair<Value, Value> rows = tapsInside(k, top, layer.in.height, w.kernelHeight);
      std::pair<Value, Value> columns = tapsInside(k, left, layer.in.width, w.kernelWidth);
      Value start = v.fill(k.number(layer.max ? -128 : 0), layer.max ? 8 : 16, vl);
      Value sum = k.loop(rows.first, rows.second, 1, start, [&](Value ky, ValueRange before) {
        Value row = k.at(image, k.mul(k.mul(k.add(top, ky), layer.in.width), channels));
        return k.loop(columns.first, columns.second, 1, before, [&](Value kx, ValueRange sums) {
          Value code = v.load(k.at(k.at(row, k.mul(k.add(left, kx), channels)), from), 8, vl);
          Value next = layer.max ? v.apply("vmax", sums[0], code, vl) : v.apply("vwadd.w", 16, sums[0], code, vl);
          return SmallVector<Value>{next};
        });
      })[0];
      if (!layer.max)
        sum = divideSum(k, v, sum, k.mul(k.sub(rows.second, rows.first), k.sub(columns.second, columns.first)), vl);
      v.store(v.clampCodes(sum, layer.low, layer.high, vl), k.at(k.at(at.output, k.mul(pixel, channels)), from), vl);
    });
  });
}

void riscv::addVectorDepthwiseKernels(LayerKernels &kernels) {
  static const VectorDepthwise pairs("rvv.depthwise.pairs", true), any("rvv.depthwise", false),
      words("rvv.depthwise.16", false, true);
  static const VectorPool pool;
  kernels.conv.insert(kernels.conv.end(), {&pairs, &any, &words});
  kernels.pool.push_back(&pool);
}
