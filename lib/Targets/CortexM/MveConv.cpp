// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions in tiles of two pixels by two channels: VMLADAVA sums 16 products an instruction into one of four registers,
// and the four sums take the final map together.
//
// Constants: for each pair of channels { i32 bias[2]; for 16 inputs each { i8 weights[2][16] }; i32 multiplier[2]; i8
// negatedRight[2], left[2] }. The last pair of an odd number has a channel of the pair before.
#include "lib/Targets/CortexM/MveKernels.h"
#include "lib/Targets/CortexM/MvePatches.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::cortexm;
using namespace mlir::qtensor::firmware;

namespace {
/// `General`: for maps with shifts to the left, or by nothing.
template <bool General>
struct MveConv : ConvKernel {
  StringRef getName() const override { return General ? "mve.conv.general" : "mve.conv"; }
  bool accepts(const ConvLayer &layer, const ConvConstants &constants) const override {
    return fitsMve(layer) && (!layer.depthwise || layer.in.channels == 1) && (General || !needsGeneralMap(layer, constants));
  }
  int64_t getScratchBytes(const ConvLayer &layer) const override { return MvePatches(layer).scratchBytes(); }
  std::vector<char> pack(const ConvLayer &layer, const ConvConstants &constants) const override;
  void emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const override;
};

/// What the loops over one row know.
struct Row {
  Mve &m;
  const MvePatches &patches;
  const ConvLayer &layer;
  Value constants;
  bool general;
  Value pairs, targets; ///< Where two multipliers go in four lanes; where four codes go.

  int64_t steps() const { return (patches.depth() + 15) / 16; }
  int64_t channels() const { return layer.out.channels; }
  int64_t groups() const { return (channels() + 1) / 2; }
  void emitTile(Value left, Value right, Value output) const;
  Value emitGroup(Value left, Value right, Value constants, Value output) const;
};
} // namespace

/// The first channel of a group.
static int64_t firstChannel(int64_t group, int64_t channels) {
  return channels % 2 == 0 ? 2 * group : std::max<int64_t>(2 * group - 1, 0);
}

template <bool General>
std::vector<char> MveConv<General>::pack(const ConvLayer &layer, const ConvConstants &constants) const {
  MvePatches patches(layer);
  std::vector<int64_t> bias = constants.foldedBias(layer);
  std::vector<char> bytes;
  int64_t channels = layer.out.channels, depth = patches.depth();
  for (int64_t group = 0; group < (channels + 1) / 2; ++group) {
    int64_t first = firstChannel(group, channels), pair[2] = {first, std::min(first + 1, channels - 1)};
    for (int64_t o : pair)
      appendNumber<int32_t>(bytes, int32_t(bias[o]));
    for (int64_t from = 0; from < depth; from += 16)
      for (int64_t o : pair)
        for (int64_t i = from; i < from + 16; ++i)
          appendNumber<int8_t>(bytes, i < depth ? int8_t(patches.weight(layer, constants, o, i)) : 0);
    MveScale scales[2];
    for (int i : {0, 1}) {
      scales[i] = MveScale::of(pickChannel(constants.multiplier, pair[i]), pickChannel(constants.shift, pair[i]), layer.map.mode);
      appendNumber<int32_t>(bytes, scales[i].multiplier);
    }
    for (int i : {0, 1})
      appendNumber<int8_t>(bytes, int8_t(-scales[i].right));
    for (int i : {0, 1})
      appendNumber<int8_t>(bytes, scales[i].left);
  }
  return bytes;
}

/// How many steps one turn of the loop takes: all, where they are few; a divisor of their number, where it has one.
static int64_t chooseUnroll(int64_t steps) {
  constexpr int64_t most = kMveReach / 32;
  if (steps <= most)
    return steps;
  for (int64_t unroll = most - 1; unroll > 2; --unroll)
    if (steps % unroll == 0)
      return unroll;
  return 4;
}

/// Four sums of two pixels and two channels, then their codes. Returns where the next group's constants lie.
Value Row::emitGroup(Value left, Value right, Value constants, Value output) const {
  KernelBuilder &k = m.k;
  Value bias0 = k.load32(constants), bias1 = k.load32(k.at(constants, 4));
  int64_t all = steps(), unroll = chooseUnroll(all), tail = patches.depth() % 16;
  auto step = [&](ArrayRef<Value> state, int64_t i, int64_t center, bool last) -> SmallVector<Value> {
    int64_t count = last && tail && !patches.mayReadBeyond() ? tail : 16;
    Value x = m.loadBytes(k.at(state[0], 16 * i), count), y = m.loadBytes(k.at(state[1], 16 * i), count);
    Value u = m.loadConstants(k.at(state[2], 32 * i - center)), v = m.loadConstants(k.at(state[2], 32 * i + 16 - center));
    return {state[0],           state[1],           state[2], m.dot(state[3], x, u), m.dot(state[4], x, v),
            m.dot(state[5], y, u), m.dot(state[6], y, v)};
  };
  auto advance = [&](SmallVector<Value> state, int64_t count) {
    for (int pixel : {0, 1})
      state[pixel] = k.at(state[pixel], 16 * count);
    state[2] = k.at(state[2], 32 * count);
    return state;
  };
  // Immediate offsets reach both ways: the pointer to weights stands in the middle of what a turn reads.
  int64_t center = 16 * unroll;
  SmallVector<Value> state{left, right, k.at(constants, 8 + center), bias0, bias1, bias0, bias1};
  // The last step is apart where it must not read beyond a pixel's inputs.
  int64_t turns = all / unroll - (all % unroll == 0 && tail && !patches.mayReadBeyond() ? 1 : 0);
  state = k.loop(0, turns, 1, state, [&](Value, ValueRange carried) {
    SmallVector<Value> next(carried);
    for (int64_t i = 0; i < unroll; ++i)
      next = step(next, i, center, false);
    return advance(next, unroll);
  });
  int64_t rest = all - turns * unroll;
  for (int64_t i = 0; i < rest; ++i)
    state = step(state, i, center, i + 1 == rest);
  Value behind = k.at(constants, 8 + 32 * all), shifts = k.at(behind, 8);
  Value sums = m.pack({state[3], state[4], state[5], state[6]});
  Value lefts = general ? m.gatherCodes(k.at(shifts, 2), pairs) : Value();
  Value mapped = m.mapSums(sums, m.gatherWords(behind, pairs), m.gatherCodes(shifts, pairs), lefts, layer.map.mode);
  m.scatterCodes(output, targets, m.finish(mapped, layer.map));
  return k.at(behind, 12);
}

void Row::emitTile(Value left, Value right, Value output) const {
  KernelBuilder &k = m.k;
  bool odd = channels() % 2 == 1;
  k.loop(0, groups(), 1, {constants}, [&](Value group, ValueRange carried) -> SmallVector<Value> {
    Value first = k.mul(group, 2);
    if (odd)
      first = k.most(k.add(first, -1), k.number(0));
    return {emitGroup(left, right, carried[0], k.at(output, first))};
  });
}

template <bool General>
void MveConv<General>::emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const {
  Mve m(k);
  MvePatches patches(layer);
  int64_t channels = layer.out.channels, pixels = patches.pixels();
  int64_t nextChannel = channels > 1 ? 1 : 0, nextPixel = pixels > 1 ? channels : 0;
  Row row{m,       patches, layer, at.constants, General, m.lanes({0, 1, 0, 1}, m.words()),
          m.lanes({0, nextChannel, nextPixel, nextPixel + nextChannel}, m.words())};
  patches.emitStart(m, at.scratch);
  k.loop(0, patches.images(), 1, [&](Value image) {
    k.loop(0, patches.rows(), 1, [&](Value y) {
      Value from = patches.emitRow(m, at.input, at.scratch, image, y);
      Value line = k.add(k.mul(image, patches.rows()), y), to = k.at(at.output, k.mul(line, pixels * channels));
      k.loop(0, pixels, 2, [&](Value x) {
        // An odd row ends with a tile whose first pixel the tile before has made too.
        if (pixels % 2 == 1)
          x = k.least(x, k.number(std::max<int64_t>(pixels - 2, 0)));
        Value left = k.at(from, k.mul(x, patches.pitch()));
        row.emitTile(left, pixels > 1 ? k.at(left, patches.pitch()) : left, k.at(to, k.mul(x, channels)));
      });
    });
  });
}

void cortexm::addMveConv(LayerKernels &kernels) {
  static const MveConv<false> plain;
  static const MveConv<true> general;
  kernels.conv.push_back(&plain);
  kernels.conv.push_back(&general);
}
