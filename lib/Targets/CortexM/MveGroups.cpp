// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions and fully connected layers whose weights are in groups: the products of a group are summed as elsewhere, then
// multiplied by the channel's factor. Tiles of two pixels by two channels, or of one pixel by four.
//
// Constants: for each four channels a record; for each pass over the window { for each group { i32 factors of the pass's
// channels; for each vector of inputs, channel: weights } }, padded with channels of 0.
#include "lib/Targets/CortexM/MveKernels.h"
#include "lib/Targets/CortexM/MvePatches.h"
#include "lib/Targets/CortexM/MveRecords.h"
#include "lib/Transforms/Firmware/WindowGroups.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::cortexm;
using namespace mlir::qtensor::firmware;

namespace {
constexpr int64_t kRecord = MveRecords::kBytes, kChannels = MveRecords::kChannels;
constexpr int64_t kShortest = 8, kLongest = 256; ///< Lanes of a group: below scalar products win, above code grows.

/// What follows from the shape alone.
struct Groups {
  explicit Groups(const ConvLayer &layer)
      : patches(layer), weights(layer.weightBits), pixels(patches.pixels() > 1 ? 2 : 1) {
    runs = GroupRuns::find(layer, patches.depth(), /*depthUnit=*/1, [&](int64_t i) { return patches.placeOf(i); });
  }

  int64_t channels() const { return kChannels / pixels; } ///< Of a pass.
  int64_t channel(int64_t first, int64_t pass, int64_t i) const { return first + pass + pixels * i; }
  /// Vectors of weights of a channel for a group.
  int64_t vectors(int64_t lanes) const { return llvm::divideCeil(lanes, 16 * weights.planes()); }
  int64_t bytes(int64_t lanes) const { return (4 + 16 * vectors(lanes)) * channels(); }

  MvePatches patches;
  MveWeights weights;
  std::optional<GroupRuns> runs;
  int64_t pixels;
};

/// `General`: for maps with shifts to the left, or by nothing.
template <bool General> struct MveGroups : ConvKernel {
  StringRef getName() const override { return General ? "mve.groups.general" : "mve.groups"; }
  bool takesGroups() const override { return true; }
  bool accepts(const ConvLayer &layer, const ConvConstants &constants) const override {
    NarrowMap narrow(layer, constants);
    if (!layer.groups || !fitsMve(narrow.layer) || layer.depthwise || (!General && needsGeneralMap(narrow.layer, narrow.constants)))
      return false;
    std::optional<GroupRuns> runs = Groups(layer).runs;
    return runs && runs->size >= kShortest && runs->longest() <= kLongest;
  }
  int64_t getScratchBytes(const ConvLayer &layer) const override { return MvePatches(layer).scratchBytes(); }
  std::optional<Overlap> getOutputOverlap(const ConvLayer &layer) const override {
    return Overlap{MvePatches(layer).outputDistance(layer.out.channels, Groups(layer).pixels)};
  }
  std::vector<char> pack(const ConvLayer &layer, const ConvConstants &constants) const override;
  void emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const override;
};

struct Tiles {
  /// All channels of the tile whose pixels' inputs begin at `from`; the codes of the first go to `output`.
  void emit(Value from, Value constants, Value output) const;

  Mve &m;
  const ConvLayer &layer;
  const Groups &groups;
  bool general;

private:
  SmallVector<Value> emitPass(Value from, Value &weights) const;
  SmallVector<Value> sumGroup(Value inputs, Value weights, int64_t lanes) const;
};
} // namespace

template <bool General>
std::vector<char> MveGroups<General>::pack(const ConvLayer &layer, const ConvConstants &constants) const {
  Groups groups(layer);
  NarrowMap narrow(layer, constants);
  MveRecords records(narrow.layer, narrow.constants);
  std::vector<char> bytes;
  auto appendGroup = [&](int64_t first, int64_t pass, int64_t lane, int64_t lanes) {
    for (int64_t i = 0; i < groups.channels(); ++i) {
      int64_t o = groups.channel(first, pass, i);
      appendNumber<int32_t>(bytes, o < layer.out.channels ? groups.patches.factor(layer, constants, o, lane) : 0);
    }
    for (int64_t v = 0; v < groups.vectors(lanes); ++v)
      for (int64_t i = 0; i < groups.channels(); ++i) {
        int64_t o = groups.channel(first, pass, i), before = 16 * v * groups.weights.planes();
        groups.weights.append(bytes, /*biased=*/false, [&](int64_t at) -> int64_t {
          bool exists = o < layer.out.channels && before + at < lanes;
          return exists ? groups.patches.weight(layer, constants, o, lane + before + at) : 0;
        });
      }
  };
  for (int64_t first = 0; first < layer.out.channels; first += kChannels) {
    records.append(bytes, first);
    for (int64_t pass = 0; pass < groups.pixels; ++pass)
      groups.runs->forEach([&](int64_t lane, int64_t lanes) { appendGroup(first, pass, lane, lanes); });
  }
  return bytes;
}

/// The sums of a group, [pixel][channel].
SmallVector<Value> Tiles::sumGroup(Value inputs, Value weights, int64_t lanes) const {
  KernelBuilder &k = m.k;
  int64_t channels = groups.channels(), planes = groups.weights.planes();
  SmallVector<Value> sums(groups.pixels * channels, k.number(0));
  for (int64_t v = 0; v < groups.vectors(lanes); ++v) {
    SmallVector<SmallVector<Value>> decoded;
    for (int64_t c = 0; c < channels; ++c)
      decoded.push_back(m.loadWeights(k.at(weights, 16 * (v * channels + c)), groups.weights, /*biased=*/false));
    for (int64_t plane = 0; plane < planes; ++plane) {
      int64_t first = 16 * (v * planes + plane), valid = std::min<int64_t>(lanes - first, 16);
      for (int64_t p = 0; valid > 0 && p < groups.pixels; ++p) {
        // What follows meets weights of 0; it may lie behind the input.
        Value x = m.loadBytes(k.at(inputs, p * groups.patches.pitch() + first), groups.patches.mayReadBeyond() ? 16 : valid);
        for (int64_t c = 0; c < channels; ++c)
          sums[p * channels + c] = m.dot(sums[p * channels + c], x, decoded[c][plane]);
      }
    }
  }
  return sums;
}

/// The sums of a pass, [pixel][channel]; `weights` moves on.
SmallVector<Value> Tiles::emitPass(Value from, Value &weights) const {
  KernelBuilder &k = m.k;
  int64_t channels = groups.channels();
  SmallVector<Value> start{from, weights};
  start.append(groups.pixels * channels, k.number(0));
  SmallVector<Value> end = groups.runs->emit(k, start, [&](ValueRange at, int64_t lanes) {
    SmallVector<Value> sums = sumGroup(at[0], k.at(at[1], 4 * channels), lanes);
    SmallVector<Value> next{k.at(at[0], lanes), k.at(at[1], groups.bytes(lanes))};
    for (auto [i, sum] : llvm::enumerate(sums))
      next.push_back(k.add(at[2 + i], k.mul(sum, k.load32(k.at(at[1], 4 * (int64_t(i) % channels))))));
    return next;
  });
  weights = end[1];
  return SmallVector<Value>(ArrayRef(end).drop_front(2));
}

void Tiles::emit(Value from, Value constants, Value output) const {
  KernelBuilder &k = m.k;
  k.loop(0, layer.out.channels, kChannels, {constants}, [&](Value channel, ValueRange carried) -> SmallVector<Value> {
    Value weights = k.at(carried[0], kRecord);
    SmallVector<Value> lanes(groups.pixels);
    for (int64_t pass = 0; pass < groups.pixels; ++pass) {
      SmallVector<Value> sums = emitPass(from, weights);
      for (auto [i, sum] : llvm::enumerate(sums)) {
        int64_t pixel = int64_t(i) / groups.channels();
        lanes[pixel] = m.insert(lanes[pixel], sum, groups.channel(0, pass, int64_t(i) % groups.channels()));
      }
    }
    for (int64_t p = 0; p < groups.pixels; ++p)
      MveRecords::finish(m, layer, general, lanes[p], carried[0], channel, k.at(k.at(output, channel), p * layer.out.channels));
    return {weights};
  });
}

template <bool General>
void MveGroups<General>::emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const {
  Mve m(k);
  ConvLayer narrow = NarrowMap(layer, {}).layer;
  Groups groups(layer);
  const MvePatches &patches = groups.patches;
  Tiles tiles{m, narrow, groups, General};
  patches.emitTiles(m, layer, at, groups.pixels,
                    [&](Value from, Value output, Value) { tiles.emit(from, at.constants, output); });
}

void cortexm::addMveGroups(LayerKernels &kernels) {
  static const MveGroups<false> plain;
  static const MveGroups<true> general;
  kernels.conv.push_back(&plain);
  kernels.conv.push_back(&general);
}
