// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Layers of codes of 16 bits, three channels a turn. A window's codes are taken apart into bytes: a vector of upper
// halves, and one of lower halves less 128. VMLADAVA then sums 16 products of bytes, and a vector of weights serves
// both: 11 instructions for 48 products. A sum is 256 times that of the upper halves and that of the lower ones, each
// of 32 bits, also where it needs 64 itself.
//
// Constants: by turn { a record; for each vector of 16 inputs, channel: weights }, padded with channels of 0. A record
// of sums of 64 bits is { i64 bias; i32 multiplier, shift } for each channel.
#include "lib/Targets/CortexM/MveKernels.h"
#include "lib/Targets/CortexM/MvePatches.h"
#include "lib/Targets/CortexM/MveRecords.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::cortexm;
using namespace mlir::qtensor::firmware;

namespace {
constexpr int64_t kTile = 3, kLanes = 16, kPair = 2 * kLanes; ///< Channels; codes of a vector, bytes of its two halves.
constexpr int64_t kStraight = 16, kUnroll = 8,
                  kResident = 2; ///< Vectors without a loop; in one turn of one; in registers.

/// The map of a sum of 64 bits: code = clamp(((sum * multiplier >> shift) + 1) >> 1), where that leaves no 32 bits.
struct WideScale {
  static constexpr int64_t kBytes = 16;
  int32_t multiplier = 0, shift = 31;

  /// Nothing where the constants do not prove it. `bound` is one of |sum|.
  static std::optional<WideScale> of(int32_t multiplier, int32_t shift, int64_t bound);
};

enum class Sums { Plain, General, Wide }; ///< General: maps with shifts to the left. Wide: sums of 64 bits.

template <Sums How> struct MvePlanes : ConvKernel {
  StringRef getName() const override {
    return How == Sums::Plain ? "mve.row.16" : How == Sums::General ? "mve.row.16.general" : "mve.conv.16.wide";
  }
  bool accepts(const ConvLayer &layer, const ConvConstants &constants) const override;
  int64_t getScratchBytes(const ConvLayer &layer) const override {
    MvePatches patches(layer);
    return llvm::alignTo(patches.scratchBytes(), 16) + llvm::alignTo(patches.depth(), kLanes) * 2;
  }
  std::optional<Overlap> getOutputOverlap(const ConvLayer &layer) const override {
    return Overlap{MvePatches(layer).outputDistance(layer.out.channels, /*pixels=*/1, /*readsFirst=*/true)};
  }
  std::vector<char> pack(const ConvLayer &layer, const ConvConstants &constants) const override;
  void emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const override;
};

/// One pixel.
struct Emitter {
  Mve &m;
  const ConvLayer &layer;
  Sums how;
  int64_t depth;

  int64_t vectors() const { return llvm::divideCeil(depth, kLanes); }
  int64_t resident() const { return std::min(kResident, vectors()); }
  int64_t recordBytes() const { return how == Sums::Wide ? kTile * WideScale::kBytes : MveRecords::kBytes; }
  void split(Value from, Value planes) const;
  void emit(Value planes, Value constants, Value output) const;

private:
  static int64_t bytes(int64_t vectors) { return kTile * kLanes * vectors; } ///< Of weights.
  SmallVector<Value> move(SmallVector<Value> state, int64_t vectors, int64_t sign) const;
  SmallVector<Value> accumulate(SmallVector<Value> state, ArrayRef<Value> known, int64_t count) const;
  SmallVector<Value> accumulateAll(SmallVector<Value> state, ArrayRef<Value> known) const;
  void finish(ArrayRef<Value> sums, Value record, Value channel, Value to) const;
  void finishWide(ArrayRef<Value> sums, Value record, Value channel, Value to) const;
};
} // namespace

std::optional<WideScale> WideScale::of(int32_t multiplier, int32_t shift, int64_t bound) {
  int64_t reduced = reduceMultiplier(multiplier) >> 16, bits = 14 - int64_t(shift);
  if (multiplier < 0 || bits < 1 || bound >= int64_t(1) << 47)
    return std::nullopt;
  if (reduced == 0 || bits > 62) // A product of 62 bits is less than half.
    return WideScale();
  if ((bound * reduced) >> bits >= (int64_t(1) << 31) - 1)
    return std::nullopt;
  return WideScale{int32_t(reduced), int32_t(bits)};
}

template <Sums How> bool MvePlanes<How>::accepts(const ConvLayer &layer, const ConvConstants &constants) const {
  if (layer.depthwise && layer.in.channels > 1)
    return false;
  if (How != Sums::Wide)
    return layer.out.count() == layer.out.channels && fitsMveWords(layer, constants) &&
           (How == Sums::General || !needsGeneralMap(layer, constants));
  // Sums of halves have 32 bits.
  if (!layer.hasWords() || layer.depth() >= 1 << 16)
    return false;
  for (auto [o, bound] : llvm::enumerate(boundSums(layer, constants)))
    if (!WideScale::of(ofChannel(constants.multiplier, o), ofChannel(constants.shift, o), bound))
      return false;
  return true;
}

template <Sums How>
std::vector<char> MvePlanes<How>::pack(const ConvLayer &layer, const ConvConstants &constants) const {
  MvePatches patches(layer);
  // Lower halves are 128 too small: as if the zero point were.
  ConvLayer shifted = layer;
  shifted.inputZero = -128;
  MveRecords records(shifted, constants);
  std::vector<int64_t> biases = constants.foldedBias(shifted), bounds = boundSums(layer, constants);
  int64_t channels = layer.out.channels, depth = patches.depth();
  std::vector<char> bytes;
  auto appendWide = [&](int64_t o) {
    WideScale scale;
    if (o < channels)
      scale = *WideScale::of(ofChannel(constants.multiplier, o), ofChannel(constants.shift, o), bounds[o]);
    appendNumber<int64_t>(bytes, o < channels ? biases[o] : 0);
    appendNumber(bytes, scale.multiplier);
    appendNumber(bytes, scale.shift);
  };
  for (int64_t tile = 0; tile < channels; tile += kTile) {
    if (How == Sums::Wide)
      for (int64_t o = tile; o < tile + kTile; ++o)
        appendWide(o);
    else
      records.append(bytes, {tile, tile + 1, tile + 2, channels});
    for (int64_t first = 0; first < depth; first += kLanes)
      for (int64_t o = tile; o < tile + kTile; ++o)
        MveWeights(8).append(bytes, /*biased=*/false, [&](int64_t i) -> int64_t {
          return o < channels && first + i < depth ? patches.weight(layer, constants, o, first + i) : 0;
        });
  }
  return bytes;
}

/// The codes of a window as pairs of vectors of bytes. What stands behind the last code meets weights of 0.
void Emitter::split(Value from, Value planes) const {
  KernelBuilder &k = m.k;
  auto eight = [&](Value from, Value to, int64_t count) {
    Value codes = m.loadHalves(from, count);
    m.storeCodes(k.right(codes, 8), to);
    m.storeCodes(k.add(codes, -128), k.at(to, kLanes));
  };
  auto sixteen = [&](Value from, Value to, int64_t count) {
    eight(from, to, std::min<int64_t>(count, 8));
    if (count > 8)
      eight(k.at(from, 16), k.at(to, 8), count - 8);
  };
  int64_t whole = depth / kLanes;
  SmallVector<Value> end = k.loop(0, whole, 1, ValueRange{from, planes}, [&](Value, ValueRange at) {
    sixteen(at[0], at[1], kLanes);
    return SmallVector<Value>{k.at(at[0], kPair), k.at(at[1], kPair)};
  });
  if (depth % kLanes)
    sixteen(end[0], end[1], depth % kLanes);
}

/// Moves the pointers from the beginning of so many vectors to their middle, or back: immediate offsets reach both
/// ways.
SmallVector<Value> Emitter::move(SmallVector<Value> state, int64_t vectors, int64_t sign) const {
  state[0] = m.k.at(state[0], sign * kPair * (vectors / 2));
  state[1] = m.k.at(state[1], sign * bytes(vectors / 2));
  return state;
}

/// Adds the products with `count` vectors, of which the first are known. The state: pointers to inputs and weights,
/// sums of upper halves, sums of lower halves.
SmallVector<Value> Emitter::accumulate(SmallVector<Value> state, ArrayRef<Value> known, int64_t count) const {
  KernelBuilder &k = m.k;
  state = move(state, count, 1);
  for (int64_t v = 0; v < count; ++v) {
    bool isKnown = 2 * v < int64_t(known.size());
    // In order: LLVM would load all inputs first and then spill them.
    if (!isKnown)
      state = k.pin(state);
    Value x[2];
    for (int64_t half : {0, 1})
      x[half] =
          isKnown ? known[2 * v + half] : m.loadConstants(k.at(state[0], kPair * (v - count / 2) + kLanes * half));
    for (int64_t o = 0; o < kTile; ++o) {
      Value weights = m.loadConstants(k.at(state[1], bytes(v - count / 2) + kLanes * o));
      for (int64_t half : {0, 1})
        state[2 + kTile * half + o] = m.dot(state[2 + kTile * half + o], x[half], weights);
    }
  }
  state = move(state, count, -1);
  state[0] = k.at(state[0], kPair * count);
  state[1] = k.at(state[1], bytes(count));
  return state;
}

SmallVector<Value> Emitter::accumulateAll(SmallVector<Value> state, ArrayRef<Value> known) const {
  if (vectors() <= kStraight)
    return accumulate(state, known, vectors());
  state = accumulate(state, known, resident());
  int64_t rest = vectors() - resident();
  state = m.k.loop(0, rest / kUnroll, 1, state,
                   [&](Value, ValueRange carried) { return accumulate(SmallVector<Value>(carried), {}, kUnroll); });
  return accumulate(state, {}, rest % kUnroll);
}

void Emitter::finish(ArrayRef<Value> sums, Value record, Value channel, Value to) const {
  KernelBuilder &k = m.k;
  if (how == Sums::Wide)
    return finishWide(sums, record, channel, to);
  Value vector;
  for (int64_t o : {0, 2, 1})
    vector = m.insert(vector, k.add(sums[kTile + o], k.left(sums[o], 8)), o);
  MveRecords::finish(m, layer, how == Sums::General, vector, record, channel, to, kTile);
}

void Emitter::finishWide(ArrayRef<Value> sums, Value record, Value channel, Value to) const {
  KernelBuilder &k = m.k;
  for (int64_t o = 0; o < kTile; ++o) {
    Value scale = k.at(record, WideScale::kBytes * o);
    Value upper = k.mul(k.extend(sums[o], k.i64()), 256), lower = k.extend(sums[kTile + o], k.i64());
    Value sum = k.add(k.add(k.load(scale, k.i64(), 4), upper), lower);
    Value product = k.mul(sum, k.extendUnsigned(k.load32(k.at(scale, 8)), k.i64()));
    Value twice = k.truncate(k.right(product, k.extendUnsigned(k.load32(k.at(scale, 12)), k.i64())), k.i32());
    Value code = k.clamp(k.right(k.add(twice, 1), 1), layer.map.low, layer.map.high);
    auto store = [&] { k.storeCode(code, k.at(to, 2 * o), 16); };
    if (o == 0 || layer.out.channels % kTile == 0)
      store();
    else
      k.when(k.isLess(channel, k.number(layer.out.channels - o)), store);
  }
}

/// All channels of the pixel whose codes were taken apart.
void Emitter::emit(Value planes, Value constants, Value output) const {
  KernelBuilder &k = m.k;
  SmallVector<Value> known;
  for (int64_t i = 0; i < 2 * resident(); ++i)
    known.push_back(m.loadBytes(k.at(planes, kLanes * i)));
  k.loop(0, layer.out.channels, kTile, {constants}, [&](Value channel, ValueRange carried) -> SmallVector<Value> {
    SmallVector<Value> state{planes, k.at(carried[0], recordBytes())};
    state.append(2 * kTile, k.number(0));
    state = accumulateAll(state, known);
    finish(ArrayRef(state).drop_front(2), carried[0], channel, k.at(output, k.mul(channel, 2)));
    return {state[1]};
  });
}

template <Sums How> void MvePlanes<How>::emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const {
  Mve m(k);
  MvePatches patches(layer);
  Emitter emitter{m, layer, How, patches.depth()};
  Value planes = k.at(at.scratch, llvm::alignTo(patches.scratchBytes(), 16));
  patches.emitTiles(m, layer, at, /*step=*/1, [&](Value from, Value output, Value) {
    emitter.split(from, planes);
    emitter.emit(planes, at.constants, output);
  });
}

void cortexm::addMveRows(LayerKernels &kernels) {
  static const MvePlanes<Sums::Plain> plain;
  static const MvePlanes<Sums::General> general;
  kernels.conv.insert(kernels.conv.end(), {&plain, &general});
}

void cortexm::addMveWide(LayerKernels &kernels) {
  static const MvePlanes<Sums::Wide> wide;
  kernels.conv.push_back(&wide);
}
