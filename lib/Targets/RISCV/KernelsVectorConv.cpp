// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions and matrix products with a vector of output channels: weights lie [depth][channels], whatever the vector
// length, and each is multiplied by codes of several pixels, which are scalars.
#include "lib/Targets/RISCV/Kernels.h"
#include "lib/Targets/RISCV/Vectors.h"
#include "lib/Transforms/Firmware/FastMap.h"
#include "lib/Transforms/Firmware/WindowGroups.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;
using namespace mlir::qtensor::riscv;

namespace {
/// Pixels whose codes follow one another: those of a product of matrices, or of a 1 x 1 window that moves by one.
bool readsInPlace(const ConvLayer &layer) {
  const Window &w = layer.window;
  return w.taps() == 1 && w.strideHeight == 1 && w.strideWidth == 1 && !layer.hasPadding() &&
         layer.in.pixel() == layer.in.channels;
}

int64_t countPixels(const ConvLayer &layer) { return layer.out.batch * layer.out.height * layer.out.width; }

/// How products of a channel are summed.
struct Sums {
  /// Products that a sum of 16 bits holds, in the order of the depth (of a group) and for all codes; 1: products go to sums of
  /// 32 bits; kWhole: the sum of a group is one of 16 bits.
  int64_t run = 1;
  bool groups = false; ///< Weights in groups: their sums are multiplied by factors, of 16 bits where the sums are.
  unsigned codeBits = 8;
  bool wide = false; ///< Sums of 64 bits: one of the codes' upper bytes, one of their lower ones.

  static constexpr int64_t kWhole = 0;
  static Sums ofWords(bool wide) { return {1, false, 16, wide}; }
  unsigned factorBits() const { return run == kWhole ? 16 : 32; }
};

/// The groups of a layer, in whole bytes of packed weights.
std::optional<GroupRuns> findGroups(const ConvLayer &layer) { return GroupRuns::find(layer, 8 / layer.weightBits); }

/// Bias (of 64 bits), multiplier and shift of a channel with wide sums.
constexpr int64_t kWideRecord = 16;

/// The bytes before the weights: bias, multiplier and shift of each channel, and the factors of its groups, [group][channel].
int64_t getHeaderBytes(const ConvLayer &layer, const Sums &how) {
  if (how.wide)
    return kWideRecord * layer.out.channels;
  int64_t factors = how.groups ? findGroups(layer)->count() * how.factorBits() / 8 : 0;
  return (12 + factors) * layer.out.channels;
}

/// One tile: `pixels` pixels by one strip of channels, over the depth.
class Tile {
public:
  Tile(KernelBuilder &k, Vectors &v, const ConvLayer &layer, int64_t pixels, const Sums &how)
      : k(k), v(v), layer(layer), pixels(pixels), how(how) {}

  /// Sums of the pixels whose codes begin at `codes`, `layer.depth()` apart. `factors`: of the first group. Wide sums
  /// are two for each pixel, of upper and of lower bytes.
  SmallVector<Value> sum(Value bias, Value weights, Value codes, Value factors, Value vl);

private:
  /// Codes of one packed byte: 8 / weightBits.
  int64_t codesInByte() const { return 8 / layer.weightBits; }
  int64_t countSums() const { return how.wide ? 2 * pixels : pixels; }
  Value codeAt(Value codes, int64_t p, int64_t i) { return k.at(codes, (p * layer.depth() + i) * how.codeBits / 8); }
  SmallVector<Value> loadCode(Value from);
  SmallVector<Value> addProducts(int64_t depth, ArrayRef<Value> sums, Value &weights, Value &codes, Value vl);
  void addTurn(int64_t depth, SmallVector<Value> &sums, Value weights, Value codes, Value vl);
  SmallVector<Value> multiplyRun(int64_t from, int64_t to, ArrayRef<Value> start, Value weights, Value codes, Value vl);
  SmallVector<Value> sumGroup(int64_t depth, Value &weights, Value &codes, Value vl);
  Value unpack(Value bytes, int64_t i, Value vl);

  KernelBuilder &k;
  Vectors &v;
  const ConvLayer &layer;
  int64_t pixels;
  Sums how;
};
} // namespace

Value Tile::unpack(Value bytes, int64_t i, Value vl) {
  int64_t above = 8 - layer.weightBits * (i + 1);
  Value top = above ? v.apply("vsll", bytes, k.number(above), vl) : bytes;
  return layer.weightBits == 8 ? top : v.apply("vsra", top, k.number(8 - layer.weightBits), vl);
}

/// Products of a run, in 16 bits, on top of `start` (null: nothing).
SmallVector<Value> Tile::multiplyRun(int64_t from, int64_t to, ArrayRef<Value> start, Value weights, Value codes,
                                     Value vl) {
  SmallVector<Value> part(start);
  Value bytes;
  for (int64_t i = from; i < to; ++i) {
    if (i == from || i % codesInByte() == 0)
      bytes = v.load(k.at(weights, i / codesInByte() * layer.out.channels), 8, vl);
    Value weight = unpack(bytes, i % codesInByte(), vl);
    for (int64_t p = 0; p < pixels; ++p) {
      Value code = k.load(codeAt(codes, p, i), k.i8());
      part[p] = part[p] ? v.multiplyAdd(part[p], code, weight, vl) : v.apply("vwmul", 16, weight, code, vl);
    }
  }
  return part;
}

/// A code as factors of its pixel's sums, of 16 bits.
SmallVector<Value> Tile::loadCode(Value from) {
  if (how.wide)
    return {k.extend(k.load(k.at(from, 1), k.i8()), k.i16()), k.extendUnsigned(k.load(from, k.i8()), k.i16())};
  return {k.extend(k.load(from, k.getBuilder().getIntegerType(how.codeBits)), k.i16())};
}

void Tile::addTurn(int64_t depth, SmallVector<Value> &sums, Value weights, Value codes, Value vl) {
  if (how.run > 1) {
    SmallVector<Value> none(pixels);
    for (int64_t i = 0; i < depth; i += how.run) {
      SmallVector<Value> part = multiplyRun(i, std::min(i + how.run, depth), none, weights, codes, vl);
      for (int64_t p = 0; p < pixels; ++p)
        sums[p] = v.apply("vwadd.w", 32, sums[p], part[p], vl);
    }
    return;
  }
  for (int64_t i = 0; i < depth; ++i) {
    Value weight = v.extend(v.load(k.at(weights, i * layer.out.channels), 8, vl), 16, vl);
    for (int64_t p = 0; p < pixels; ++p) {
      SmallVector<Value> factors = loadCode(codeAt(codes, p, i));
      for (auto [half, factor] : llvm::enumerate(factors)) {
        Value &sum = sums[p * factors.size() + half];
        sum = v.multiplyAdd(sum, factor, weight, vl);
      }
    }
  }
}

/// On top of `sums`, in their width; weights and codes move on.
SmallVector<Value> Tile::addProducts(int64_t depth, ArrayRef<Value> start, Value &weights, Value &codes, Value vl) {
  int64_t unroll = std::max<int64_t>(8, how.run), whole = depth / unroll * unroll, count = countSums(),
          codeBytes = how.codeBits / 8;
  auto turn = [&](int64_t length, SmallVector<Value> sums, Value weights, Value codes) {
    if (how.run == Sums::kWhole)
      return multiplyRun(0, length, sums, weights, codes, vl);
    addTurn(length, sums, weights, codes, vl);
    return sums;
  };
  auto moved = [&](Value pointer, int64_t length) {
    return k.at(pointer, llvm::divideCeil(length, codesInByte()) * layer.out.channels);
  };
  SmallVector<Value> values(start);
  values.append({weights, codes});
  SmallVector<Value> carried = k.loop(0, whole, unroll, values, [&](Value, ValueRange at) {
    SmallVector<Value> sums = turn(unroll, SmallVector<Value>(at.take_front(count)), at[count], at[count + 1]);
    sums.append({moved(at[count], unroll), k.at(at[count + 1], unroll * codeBytes)});
    return sums;
  });
  SmallVector<Value> sums =
      turn(depth - whole, SmallVector<Value>(ArrayRef(carried).take_front(count)), carried[count], carried[count + 1]);
  weights = moved(carried[count], depth - whole);
  codes = k.at(carried[count + 1], (depth - whole) * codeBytes);
  return sums;
}

/// The sums of a group of `depth` products, of 16 or 32 bits.
SmallVector<Value> Tile::sumGroup(int64_t depth, Value &weights, Value &codes, Value vl) {
  SmallVector<Value> zeros(pixels, v.fill(k.number(0), how.factorBits(), vl));
  return addProducts(depth, zeros, weights, codes, vl);
}

SmallVector<Value> Tile::sum(Value bias, Value weights, Value codes, Value factors, Value vl) {
  SmallVector<Value> start(countSums(), bias);
  if (!how.groups)
    return addProducts(layer.depth(), start, weights, codes, vl);
  start.append({weights, codes, factors});
  SmallVector<Value> end = findGroups(layer)->emit(k, start, [&](ValueRange at, int64_t depth) {
    SmallVector<Value> totals(at.take_front(pixels));
    Value weights = at[pixels], codes = at[pixels + 1], factors = at[pixels + 2];
    SmallVector<Value> sums = sumGroup(depth, weights, codes, vl);
    Value factor = v.load(factors, how.factorBits(), vl);
    for (int64_t p = 0; p < pixels; ++p)
      totals[p] = how.run == Sums::kWhole ? v.multiplyAdd(totals[p], factor, sums[p], vl)
                                          : v.accumulate(totals[p], factor, sums[p], vl);
    totals.append({weights, codes, k.at(factors, how.factorBits() / 8 * layer.out.channels)});
    return totals;
  });
  end.truncate(pixels);
  return end;
}

/// Writes the codes of one pixel's window to `to`, row by row; the zero point where the window leaves the input (of 16
/// bits it is 0).
static void gatherWindow(KernelBuilder &k, const ConvLayer &layer, Value image, Value y, Value x, Value to) {
  const Window &w = layer.window;
  int64_t pixelBytes = layer.in.pixel() * layer.inputBits / 8, tapBytes = layer.in.channels * layer.inputBits / 8;
  int64_t width = layer.in.width, height = layer.in.height;
  Value top = k.add(k.mul(y, w.strideHeight), -w.padTop), left = k.add(k.mul(x, w.strideWidth), -w.padLeft);
  int64_t lastTop = height - (w.kernelHeight - 1) * w.dilationHeight,
          lastLeft = width - (w.kernelWidth - 1) * w.dilationWidth;
  bool padding = layer.hasPadding();
  if (padding) {
    Value outside = k.either(k.either(k.isLess(top, k.number(0)), k.isLess(k.number(lastTop - 1), top)),
                             k.either(k.isLess(left, k.number(0)), k.isLess(k.number(lastLeft - 1), left)));
    k.when(outside, [&] { fillBytes(k, to, layer.inputZero, w.taps() * tapBytes); });
  }
  // A row of taps that touch is one copy.
  bool whole = w.dilationWidth == 1 && tapBytes == pixelBytes;
  int64_t taps = whole ? w.kernelWidth : 1;
  auto inside = [&](Value at, int64_t extent, llvm::function_ref<void()> body) {
    if (!padding)
      return body();
    ImplicitLocOpBuilder &b = k.getBuilder();
    k.when(arith::CmpIOp::create(b, arith::CmpIPredicate::ult, at, k.number(extent)), body);
  };
  k.loop(0, w.kernelHeight, 1, [&](Value ky) {
    Value row = k.add(top, k.mul(ky, w.dilationHeight));
    inside(row, height, [&] {
      k.loop(0, whole ? 1 : w.kernelWidth, 1, [&](Value kx) {
        Value column = k.add(left, k.mul(kx, w.dilationWidth)), first = k.number(0), last = k.number(taps);
        auto copy = [&] {
          Value from = k.at(image, k.mul(k.add(k.add(k.mul(row, width), column), first), pixelBytes));
          Value tap = k.add(k.add(k.mul(ky, w.kernelWidth), kx), first);
          copyBytes(k, k.at(to, k.mul(tap, tapBytes)), from, k.mul(k.sub(last, first), tapBytes), taps * tapBytes);
        };
        if (!whole)
          return inside(column, width, copy);
        if (padding) {
          first = k.most(k.sub(first, column), first);
          last = k.least(k.sub(k.number(width), column), last);
          k.when(k.isLess(first, last), copy);
        } else {
          copy();
        }
      });
    });
  });
}

/// Writes the windows of `pixels` pixels from the `first` on; their codes then follow one another.
static void gatherPixels(KernelBuilder &k, const ConvLayer &layer, Value input, Value first, int64_t pixels, Value to) {
  ImplicitLocOpBuilder &b = k.getBuilder();
  int64_t area = layer.out.height * layer.out.width;
  k.loop(0, pixels, 1, [&](Value p) {
    Value pixel = k.add(first, p), image = input;
    if (layer.out.batch > 1) {
      Value n = arith::DivUIOp::create(b, pixel, k.number(area));
      image = k.at(input, k.mul(n, layer.in.height * layer.in.width * layer.in.pixel() * layer.inputBits / 8));
      pixel = k.sub(pixel, k.mul(n, area));
    }
    Value y = arith::DivUIOp::create(b, pixel, k.number(layer.out.width));
    Value x = k.sub(pixel, k.mul(y, layer.out.width));
    gatherWindow(k, layer, image, y, x, k.at(to, k.mul(p, layer.depth() * layer.inputBits / 8)));
  });
}

namespace {
class VectorConv : public ConvKernel {
public:
  VectorConv(StringRef name, unsigned weightBits, const Sums &how) : name(name), weightBits(weightBits), how(how) {}

  StringRef getName() const override { return name; }
  bool takesGroups() const override { return how.groups; }
  bool takesParts() const override { return true; }
  bool accepts(const ConvLayer &layer, const ConvConstants &constants) const override;
  std::vector<char> pack(const ConvLayer &layer, const ConvConstants &constants) const override;
  int64_t getScratchBytes(const ConvLayer &layer) const override {
    return windowBytes(layer) + (how.wide ? 8 * pixelsOfTile(layer) * layer.out.channels : 0);
  }
  bool takesSum(const ConvLayer &layer) const override { return how.codeBits == 8 && riscv::takesSum(*layer.sum); }
  std::optional<Overlap> getSumOverlap(const ConvLayer &layer) const override {
    // A pixel that is computed twice would find its own result.
    return countPixels(layer) % pixelsOfTile(layer) ? std::nullopt : std::optional(overlapInPlace(layer.out.count()));
  }
  std::optional<Overlap> getOutputOverlap(const ConvLayer &layer) const override;
  void emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const override;

private:
  void packFactors(std::vector<char> &bytes, const ConvLayer &layer, const ConvConstants &constants) const;
  int64_t pixelsOfTile(const ConvLayer &layer) const;
  /// Of a tile, where they are gathered.
  int64_t windowBytes(const ConvLayer &layer) const {
    return readsInPlace(layer) ? 0 : llvm::alignTo(pixelsOfTile(layer) * layer.depth() * layer.inputBits / 8, 4);
  }
  void emitStrips(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at, Value first, Value codes) const;
  void finishWide(KernelBuilder &k, const ConvLayer &layer, Value constants, Value sums, Value row) const;

  StringRef name;
  unsigned weightBits;
  Sums how;
};
} // namespace

/// Whether sums of runs of products fit 16 bits, whatever the codes.
static bool runsFit(ArrayRef<int32_t> weights, int64_t run) {
  for (; !weights.empty(); weights = weights.drop_front(std::min<size_t>(run, weights.size()))) {
    int64_t most = 0;
    for (int32_t weight : weights.take_front(run))
      most += std::abs(int64_t(weight)) * 128;
    if (most > INT16_MAX)
      return false;
  }
  return true;
}

/// Groups are whole bytes, and sums and maps fit what they are computed in.
static bool groupsFit(const ConvLayer &layer, const ConvConstants &constants, const Sums &how) {
  NarrowMap narrow(layer, constants);
  std::optional<GroupRuns> groups = findGroups(layer);
  if (!groups || layer.sumBound > INT32_MAX || !takesMap(narrow.layer.map, narrow.constants))
    return false;
  auto isNarrow = [](int32_t factor) { return factor == int16_t(factor); };
  if (how.run == Sums::kWhole && !llvm::all_of(constants.factors, isNarrow))
    return false;
  bool fit = true;
  for (int64_t o = 0; o < layer.out.channels; ++o)
    groups->forEach([&](int64_t first, int64_t depth) {
      ArrayRef<int32_t> weights = ArrayRef(constants.weights).slice(o * layer.depth() + first, depth);
      fit &= how.run == 1 || runsFit(weights, how.run == Sums::kWhole ? depth : how.run);
    });
  return fit;
}

bool VectorConv::accepts(const ConvLayer &layer, const ConvConstants &constants) const {
  if (layer.depthwise || layer.inputBits != how.codeBits || layer.depth() == 0 || how.groups != bool(layer.groups))
    return false;
  if (how.codeBits == 16) // Weights have a byte each; sums of bytes of codes have 32 bits.
    return layer.hasWords() && (how.wide ? layer.depth() < 1 << 16 : takesWords(layer, constants));
  if (layer.weightBits != weightBits)
    return false;
  if (how.groups)
    return groupsFit(layer, constants, how);
  bool fit = how.run == 1;
  for (int64_t o = 0; !fit && o < layer.out.channels; ++o)
    if (!runsFit(ArrayRef(constants.weights).slice(o * layer.depth(), layer.depth()), how.run))
      return false;
  return takesMap(layer.map, constants);
}

static std::vector<char> packWideMaps(const ConvLayer &layer, const ConvConstants &constants) {
  std::vector<char> bytes;
  for (auto [o, bias] : llvm::enumerate(constants.foldedBias(layer))) {
    appendNumber<int64_t>(bytes, bias);
    appendNumber(bytes, ofChannel(constants.multiplier, o));
    appendNumber(bytes, ofChannel(constants.shift, o));
  }
  return bytes;
}

std::vector<char> VectorConv::pack(const ConvLayer &layer, const ConvConstants &constants) const {
  bool narrow = how.groups || how.codeBits == 16;
  std::vector<char> bytes = how.wide
                                ? packWideMaps(layer, constants)
                                : packChannelMaps(layer, narrow ? NarrowMap(layer, constants).constants : constants);
  int64_t depth = layer.depth(), codes = 8 / weightBits;
  if (how.groups)
    packFactors(bytes, layer, constants);
  for (int64_t i = 0; i < depth; i += codes)
    for (int64_t o = 0; o < layer.out.channels; ++o) {
      unsigned byte = 0;
      for (int64_t j = 0; j < codes && i + j < depth; ++j)
        byte |= (unsigned(constants.weights[o * depth + i + j]) & ((1u << weightBits) - 1)) << (j * weightBits);
      bytes.push_back(char(byte));
    }
  return bytes;
}

void VectorConv::packFactors(std::vector<char> &bytes, const ConvLayer &layer, const ConvConstants &constants) const {
  int64_t channels = layer.in.channels, width = layer.window.kernelWidth;
  findGroups(layer)->forEach([&](int64_t first, int64_t) {
    int64_t tap = first / channels;
    for (int64_t o = 0; o < layer.out.channels; ++o) {
      int32_t factor = constants.factor(layer, o, tap / width, tap % width, first % channels);
      if (how.factorBits() == 16)
        appendNumber(bytes, int16_t(factor));
      else
        appendNumber(bytes, factor);
    }
  });
}

/// The tile of the smallest price: a turn costs the load of weights and, for each pixel, a load and a product. Groups with
/// sums of 32 bits leave registers for two pixels: vectors that a compiler saves are on no stack of known size.
int64_t VectorConv::pixelsOfTile(const ConvLayer &layer) const {
  int64_t count = countPixels(layer), best = 1, price = INT64_MAX;
  int64_t most = how.wide || (how.groups && how.run != Sums::kWhole) ? 2 : 4;
  for (int64_t pixels = 1; pixels <= std::min(count, most); ++pixels) {
    int64_t now = llvm::divideCeil(count, pixels) * (3 + 2 * pixels);
    if (now <= price)
      std::tie(best, price) = std::pair(pixels, now);
  }
  return best;
}

std::optional<Overlap> VectorConv::getOutputOverlap(const ConvLayer &layer) const {
  WindowWalk walk(layer);
  int64_t pixels = pixelsOfTile(layer), count = countPixels(layer);
  auto first = [&](int64_t step) { return std::min(step * pixels, count - pixels); };
  auto readsFrom = [&](int64_t step) {
    int64_t byte = walk.firstByte(first(step));
    for (int64_t pixel = first(step); pixel < first(step) + pixels; ++pixel)
      byte = std::min(byte, walk.firstByte(pixel));
    return byte;
  };
  // Without scratch each strip of channels reads the codes again.
  return Overlap{distanceOfSteps(llvm::divideCeil(count, pixels), /*readsFirst=*/!readsInPlace(layer), readsFrom,
                                 [&](int64_t step) { return (first(step) + pixels) * walk.pixelBytes(); })};
}

/// The codes of a tile's pixels from `first` on, or their wide sums.
void VectorConv::emitStrips(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at, Value first,
                            Value codes) const {
  int64_t pixels = pixelsOfTile(layer), channels = layer.out.channels, bytes = how.codeBits / 8;
  int64_t outBytes = layer.out.pixel() * bytes;
  // One row of sums leaves room for vectors twice as long.
  Vectors v(k, pixels == 1 && channels > 16 ? 2 : 1);
  FinalMap finalMap = layer.map;
  if (how.groups || how.codeBits == 16)
    finalMap.mode = FixedMode::Single;
  Value row = k.at(at.output, k.mul(first, outBytes));
  v.strips(channels, [&](Value from, Value vl) {
    Value map = k.at(at.constants, k.left(from, 2)),
          weights = k.at(k.at(at.constants, getHeaderBytes(layer, how)), from);
    Value factors = k.at(k.at(at.constants, 12 * channels), k.left(from, how.factorBits() == 16 ? 1 : 2));
    Value bias = how.wide ? v.fill(k.number(0), 32, vl) : v.load(map, 32, vl);
    SmallVector<Value> sums = Tile(k, v, layer, pixels, how).sum(bias, weights, codes, factors, vl);
    if (how.wide) {
      Value place = k.at(k.at(at.scratch, windowBytes(layer)), k.left(from, 2));
      for (auto [i, sum] : llvm::enumerate(sums))
        v.store(sum, k.at(place, 4 * channels * int64_t(i)), vl);
      return;
    }
    for (int64_t p = 0; p < pixels; ++p) {
      Value multiplier = v.load(k.at(map, 4 * channels), 32, vl), shift = v.load(k.at(map, 8 * channels), 32, vl);
      Value codes = v.mapSums(sums[p], multiplier, shift, finalMap, vl, how.codeBits);
      if (layer.sum) {
        Value second = k.at(k.at(at.second, k.add(k.mul(first, channels), p * channels)), from);
        codes = emitSum(k, v, *layer.sum, codes, v.load(second, 8, vl), vl);
      }
      v.store(codes, k.at(k.at(row, p * outBytes), k.mul(from, bytes)), vl);
    }
  });
}

/// The codes of wide sums, which lie [pixel][upper, lower][channel].
void VectorConv::finishWide(KernelBuilder &k, const ConvLayer &layer, Value constants, Value sums, Value row) const {
  int64_t channels = layer.out.channels;
  k.loop(0, channels, 1, [&](Value o) {
    Value record = k.at(constants, k.mul(o, kWideRecord)), bias = k.load(record, k.i64(), 4);
    Value multiplier = k.load32(k.at(record, 8)), shift = k.load32(k.at(record, 12));
    k.loop(0, pixelsOfTile(layer), 1, [&](Value p) {
      Value place = k.at(k.at(sums, k.mul(p, 8 * channels)), k.left(o, 2));
      Value upper = k.extend(k.load32(place), k.i64()), lower = k.extend(k.load32(k.at(place, 4 * channels)), k.i64());
      Value mapped = k.mapExactly(k.add(k.add(bias, k.left(upper, 8)), lower), multiplier, shift, layer.map.mode);
      Value code = k.clamp(mapped, layer.map.low, layer.map.high);
      k.storeCode(code, k.at(k.at(row, k.mul(p, 2 * layer.out.pixel())), k.left(o, 1)), 16);
    });
  });
}

void VectorConv::emit(KernelBuilder &k, const ConvLayer &layerAsGiven, const LayerPointers &at) const {
  ConvLayer layer = layerAsGiven;
  layer.weightBits = weightBits; // As they are stored.
  int64_t pixels = pixelsOfTile(layer), count = countPixels(layer), bytes = how.codeBits / 8;
  bool inPlace = readsInPlace(layer);
  // The last tile begins early enough to be a whole one: it computes some pixels again.
  k.loop(0, llvm::alignTo(count, pixels), pixels, [&](Value first) {
    if (count % pixels)
      first = k.least(first, k.number(count - pixels));
    Value codes = inPlace ? k.at(at.input, k.mul(first, layer.depth() * bytes)) : at.scratch;
    if (!inPlace)
      gatherPixels(k, layer, at.input, first, pixels, at.scratch);
    emitStrips(k, layer, at, first, codes);
    if (how.wide)
      finishWide(k, layer, at.constants, k.at(at.scratch, windowBytes(layer)),
                 k.at(at.output, k.mul(first, layer.out.pixel() * bytes)));
  });
}

std::vector<char> riscv::packChannelMaps(const ConvLayer &layer, const ConvConstants &constants) {
  std::vector<char> bytes;
  int64_t channels = layer.out.channels;
  for (int64_t bias : constants.foldedBias(layer))
    appendNumber(bytes, int32_t(bias));
  auto of = [](const std::vector<int32_t> &list, int64_t o) { return list[list.size() == 1 ? 0 : o]; };
  for (int64_t o = 0; o < channels; ++o)
    appendNumber(bytes, of(constants.multiplier, o));
  // A multiplier of 0 makes every shift right.
  for (int64_t o = 0; o < channels; ++o)
    appendNumber(bytes, std::max(-of(constants.shift, o), 1));
  return bytes;
}

void riscv::addVectorConvKernels(LayerKernels &kernels) {
  static const VectorConv int2("rvv.conv2.run16", 2, {16}), int4("rvv.conv4.run16", 4, {16}), run8("rvv.conv.run8", 8, {8}),
      run4("rvv.conv.run4", 8, {4}), any("rvv.conv", 8, {1});
  static const VectorConv groups2("rvv.conv2.groups", 2, {Sums::kWhole, true}),
      groups4("rvv.conv4.groups", 4, {Sums::kWhole, true}), groups2run("rvv.conv2.groups.run16", 2, {16, true}),
      groups4run("rvv.conv4.groups.run16", 4, {16, true}), groupsRun("rvv.conv.groups.run4", 8, {4, true}),
      groupsAny("rvv.conv.groups", 8, {1, true});
  static const VectorConv words("rvv.conv.16", 8, Sums::ofWords(false)),
      wide("rvv.conv.16.wide", 8, Sums::ofWords(true));
  kernels.conv.insert(kernels.conv.end(), {&words, &wide, &int2, &int4, &run8, &run4, &any, &groups2, &groups4,
                                           &groups2run, &groups4run, &groupsRun, &groupsAny});
}
