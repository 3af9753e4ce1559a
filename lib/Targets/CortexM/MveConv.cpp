// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions in tiles of two pixels by four channels, two channels at a time: VMLADAVA sums 16 products (of codes of
// 16 bits: 8) an instruction into one of four registers. The sums of four channels then take the final map together.
//
// A sum behind the layer is made of the codes in registers.
//
// Constants: the tables of that sum; for each four channels { a record; for channels (0, 2) and (1, 3) { for each
// vector of inputs { weights of two channels } } }, padded with channels of 0.
#include "lib/Targets/CortexM/MveKernels.h"
#include "lib/Targets/CortexM/MvePatches.h"
#include "lib/Targets/CortexM/MveRecords.h"
#include "lib/Targets/CortexM/MveSum.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::cortexm;
using namespace mlir::qtensor::firmware;

namespace {
constexpr int64_t kGroup = MveRecords::kChannels, kWeights = MveRecords::kBytes;

/// `General`: for maps with shifts to the left, or by nothing. `Words`: for codes of 16 bits.
template <bool General, bool Words> struct MveConv : ConvKernel {
  StringRef getName() const override {
    return Words ? (General ? "mve.conv.16.general" : "mve.conv.16") : (General ? "mve.conv.general" : "mve.conv");
  }
  bool accepts(const ConvLayer &layer, const ConvConstants &constants) const override {
    bool fits = Words ? fitsMveWords(layer, constants) : fitsMve(layer);
    return fits && (!layer.depthwise || layer.in.channels == 1) && (General || !needsGeneralMap(layer, constants));
  }
  bool takesSum(const ConvLayer &layer) const override;
  bool takesParts() const override { return true; }
  std::optional<Overlap> getSumOverlap(const ConvLayer &layer) const override {
    // A pixel that is computed twice would find its own result.
    MvePatches patches(layer);
    return patches.pixels() > 1 && patches.pixels() % 2 ? std::nullopt
                                                        : std::optional(overlapInPlace(layer.out.count()));
  }
  int64_t getScratchBytes(const ConvLayer &layer) const override {
    // Whole vectors of inputs that only fill a byte of weights are read too.
    int64_t bytes = MvePatches(layer).scratchBytes();
    return bytes ? bytes + 16 * (MveWeights::of(layer).planes() - 1) : 0;
  }
  std::optional<Overlap> getOutputOverlap(const ConvLayer &layer) const override {
    return Overlap{MvePatches(layer).outputDistance(layer.out.channels, /*pixels=*/2)};
  }
  std::vector<char> pack(const ConvLayer &layer, const ConvConstants &constants) const override;
  void emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const override;
};

/// What the loops over tiles know.
struct Tiles {
  Tiles(Mve &m, const MvePatches &patches, const ConvLayer &layer, const LayerPointers &at, bool general);

  Mve &m;
  const MvePatches &patches;
  const ConvLayer &layer;
  const LayerPointers &at;
  bool general;
  std::optional<MveSum> sum; ///< Behind the layer.
  MveWeights weights;
  int64_t vectors, unroll; ///< Of inputs, with those that fill the last byte of weights; in one turn of the loop.
  int64_t turns;           ///< Of the loop; what is left of the inputs comes behind it.

  int64_t channels() const { return layer.out.channels; }
  int64_t lanes() const { return weights.vectorLanes(); }
  int64_t outBytes(int64_t count) const { return count * layer.inputBits / 8; } ///< Of so many codes.
  /// Bytes of two channels' weights for so many vectors of inputs.
  int64_t bytes(int64_t count) const { return 2 * lanes() * count / weights.planes(); }
  /// Immediate offsets reach both ways: the pointer to weights stands in the middle of what a turn reads.
  int64_t middle() const { return bytes(unroll) / 2; }
  /// `second`: where the codes of a sum's second input are.
  void emit(Value left, Value right, Value output, Value second) const;

private:
  SmallVector<Value> emitSteps(SmallVector<Value> state, int64_t first, int64_t count) const;
  SmallVector<Value> emitPair(Value left, Value right, Value from) const;
  void finish(Value sums, Value record, Value channel, Value to, Value second) const;
};
} // namespace

/// How many vectors one turn of the loop takes: all, where they are few; a divisor of their number, where it has one.
static int64_t chooseUnroll(int64_t vectors, int64_t planes) {
  constexpr int64_t few = 3;
  if (vectors <= few)
    return vectors;
  for (int64_t unroll = 8; unroll > 2; --unroll)
    if (vectors % unroll == 0 && unroll % planes == 0)
      return unroll;
  return 4;
}

static int64_t countVectors(const MvePatches &patches, const MveWeights &weights) {
  return llvm::alignTo(llvm::divideCeil(patches.depth(), weights.vectorLanes()), weights.planes());
}

/// The end of the inputs is apart where nothing behind it may be read.
static int64_t countTurns(const MvePatches &patches, const MveWeights &weights) {
  int64_t vectors = countVectors(patches, weights);
  return (patches.mayReadBeyond() ? vectors : patches.depth() / weights.vectorLanes()) /
         chooseUnroll(vectors, weights.planes());
}

/// Windows of so many vectors are short: a sum with them is faster than behind them.
static constexpr int64_t kShort = 1;

/// Behind longer ones it takes as long, but where rows are copied the output runs a row less ahead of the input.
template <bool General, bool Words> bool MveConv<General, Words>::takesSum(const ConvLayer &layer) const {
  MvePatches patches(layer);
  return !Words && MveSum::takes(*layer.sum) &&
         (!patches.isDirect() || countVectors(patches, MveWeights::of(layer)) <= kShort);
}

template <bool General, bool Words>
std::vector<char> MveConv<General, Words>::pack(const ConvLayer &layer, const ConvConstants &constants) const {
  MvePatches patches(layer);
  MveWeights weights = MveWeights::of(layer);
  MveRecords records(layer, constants);
  std::vector<char> bytes;
  if (layer.sum)
    MveSum(*layer.sum).append(bytes);
  int64_t channels = layer.out.channels, depth = patches.depth();
  for (int64_t first = 0; first < channels; first += kGroup) {
    records.append(bytes, first);
    for (int64_t half : {0, 1})
      for (int64_t from = 0; from < depth; from += weights.vectorLanes() * weights.planes())
        for (int64_t o : {first + half, first + half + 2})
          weights.append(bytes, /*biased=*/false, [&](int64_t i) -> int64_t {
            return o < channels && from + i < depth ? patches.weight(layer, constants, o, from + i) : 0;
          });
  }
  return bytes;
}

Tiles::Tiles(Mve &m, const MvePatches &patches, const ConvLayer &layer, const LayerPointers &at, bool general)
    : m(m), patches(patches), layer(layer), at(at), general(general), weights(MveWeights::of(layer)),
      vectors(countVectors(patches, weights)), unroll(chooseUnroll(vectors, weights.planes())),
      turns(countTurns(patches, weights)) {
  if (layer.sum)
    sum.emplace(*layer.sum);
}

/// `count` vectors of inputs from `first` on, at the state's addresses. The state: inputs of two pixels, weights, four
/// sums.
SmallVector<Value> Tiles::emitSteps(SmallVector<Value> state, int64_t first, int64_t count) const {
  KernelBuilder &k = m.k;
  for (int64_t v = 0; v < count; v += weights.planes()) {
    SmallVector<Value> planes[2];
    for (int64_t o : {0, 1})
      planes[o] = m.loadWeights(k.at(state[2], bytes(v) + lanes() * o - middle()), weights, /*biased=*/false);
    for (int64_t plane = 0; plane < weights.planes(); ++plane) {
      int64_t valid = std::min<int64_t>(patches.depth() - lanes() * (first + v + plane), lanes());
      if (valid <= 0)
        break;
      for (int64_t pixel : {0, 1}) {
        Value at = k.at(state[pixel], 16 * (v + plane));
        Value x = m.loadInputs(at, weights, patches.mayReadBeyond() ? lanes() : valid);
        for (int64_t o : {0, 1})
          state[3 + 2 * pixel + o] = m.dot(state[3 + 2 * pixel + o], x, planes[o][plane]);
      }
    }
  }
  for (int64_t pixel : {0, 1})
    state[pixel] = k.at(state[pixel], 16 * count);
  state[2] = k.at(state[2], bytes(count));
  return state;
}

/// The sums of two pixels and two channels, without bias.
SmallVector<Value> Tiles::emitPair(Value left, Value right, Value from) const {
  KernelBuilder &k = m.k;
  SmallVector<Value> state{left, right, k.at(from, middle())};
  // Or LLVM keeps the inputs of one pass for the other, on the stack; and unrolls short loops, beyond what immediate
  // offsets of bytes reach.
  constexpr int64_t fewTurns = 4;
  auto pin = [&](SmallVector<Value> values) { return lanes() == 8 ? k.pin(values) : values; };
  state = pin(state);
  state.append(4, k.number(0));
  state = k.loop(0, turns, 1, state, [&](Value, ValueRange carried) {
    SmallVector<Value> values(carried);
    return emitSteps(turns > 1 && turns <= fewTurns ? pin(values) : values, 0, unroll);
  });
  state = emitSteps(state, turns * unroll, vectors - turns * unroll);
  return SmallVector<Value>(ArrayRef(state).drop_front(3));
}

/// The codes of four channels of a pixel.
void Tiles::finish(Value sums, Value record, Value channel, Value to, Value second) const {
  if (!sum)
    return MveRecords::finish(m, layer, general, sums, record, channel, to);
  KernelBuilder &k = m.k;
  Value codes = k.add(MveRecords::map(m, layer, general, sums, record), layer.map.zero);
  Value left = channels() % kGroup ? k.sub(k.number(channels()), channel) : Value();
  Value terms[] = {sum->clampToTerm(m, 0, at.constants, codes, layer.map),
                   left ? sum->loadTerm(m, 1, at.constants, second, left)
                        : sum->loadTerm(m, 1, at.constants, second, kGroup)};
  MveRecords::store(m, layer, sum->finish(m, terms[0], terms[1]), channel, to);
}

/// All channels of two pixels.
void Tiles::emit(Value left, Value right, Value output, Value second) const {
  KernelBuilder &k = m.k;
  int64_t half = bytes(vectors);
  Value constants = k.at(at.constants, sum ? sum->bytes() : 0);
  k.loop(0, channels(), kGroup, {constants}, [&](Value channel, ValueRange carried) -> SmallVector<Value> {
    Value sums[2];
    for (int64_t odd : {0, 1}) {
      SmallVector<Value> four = emitPair(left, right, k.at(carried[0], kWeights + odd * half));
      // Or LLVM maps the sums of one pixel among the products of the other, whose vectors go to the stack.
      if (sum && vectors > kShort)
        four = k.pin(four);
      for (int64_t i = 0; i < 4; ++i)
        sums[i / 2] = m.insert(sums[i / 2], four[i], 2 * (i % 2) + odd);
    }
    Value to = k.at(output, k.mul(channel, outBytes(1))), with = sum ? k.at(second, channel) : Value();
    finish(sums[0], carried[0], channel, to, with);
    // Where there is one pixel, both are the same.
    if (patches.pixels() > 1)
      finish(sums[1], carried[0], channel, k.at(to, outBytes(layer.out.pixel())),
             sum ? k.at(with, channels()) : Value());
    return {k.at(carried[0], kWeights + 2 * half)};
  });
}

template <bool General, bool Words>
void MveConv<General, Words>::emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const {
  Mve m(k);
  MvePatches patches(layer);
  Tiles tiles(m, patches, layer, at, General);
  patches.emitTiles(m, layer, at, /*step=*/2, [&](Value left, Value output, Value second) {
    tiles.emit(left, patches.pixels() > 1 ? k.at(left, patches.pitch()) : left, output, second);
  });
}

void cortexm::addMveConv(LayerKernels &kernels) {
  static const MveConv<false, false> plain;
  static const MveConv<true, false> general;
  static const MveConv<false, true> words;
  static const MveConv<true, true> generalWords;
  kernels.conv.insert(kernels.conv.end(), {&plain, &general, &words, &generalWords});
}
