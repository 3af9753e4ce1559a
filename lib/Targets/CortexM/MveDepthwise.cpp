// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Convolutions of single channels, eight channels at a time: products of 16 bits, two of them summed before they widen
// to 32 bits, even and odd channels apart. Of codes of 16 bits products have 32.
//
// Constants: for each 8 channels { i32 bias[8]; i32 multiplier[8]; i8 negatedRight[8], left[8]; i8 weights[taps][8] }.
// Lists have the even channels first.
#include "lib/Targets/CortexM/MveKernels.h"
#include "lib/Targets/CortexM/MvePatches.h"
#include "lib/Targets/CortexM/MveRecords.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::cortexm;
using namespace mlir::qtensor::firmware;

namespace {
constexpr int64_t kLanes = 8, kSlice = 16; ///< Channels in a vector; in the copy of the input.
constexpr int64_t kMultipliers = 32, kRights = 64, kLefts = 72, kWeights = 80;

/// Paired: two products have room in 16 bits; Wide: one has. Words: codes of 16 bits.
enum class Products { Paired, Wide, Words };

/// `General`: for maps with shifts to the left, or by nothing.
template <Products Kind, bool General> struct MveDepthwise : ConvKernel {
  StringRef getName() const override {
    static constexpr StringLiteral names[][2] = {
        {"mve.dw", "mve.dw.general"}, {"mve.dw.wide", "mve.dw.wide.general"}, {"mve.dw.16", "mve.dw.16.general"}};
    return names[int(Kind)][General];
  }
  bool accepts(const ConvLayer &layer, const ConvConstants &constants) const override;
  int64_t getScratchBytes(const ConvLayer &layer) const override {
    return MvePatches(layer, std::min(kSlice, layer.in.channels)).scratchBytes();
  }
  std::optional<Overlap> getOutputOverlap(const ConvLayer &layer) const override {
    // Slices of channels one after the other: those behind are still in the input.
    MvePatches patches(layer, std::min(kSlice, layer.in.channels));
    return patches.isDirect() ? std::nullopt
                              : std::optional(Overlap{patches.outputDistance(layer.out.channels, patches.pixels()),
                                                      layer.in.channels * layer.inputBits / 8});
  }
  std::vector<char> pack(const ConvLayer &layer, const ConvConstants &constants) const override;
  void emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const override;
};

/// What the loops over pixels know.
struct Emitter {
  Mve &m;
  const ConvLayer &layer;
  const LayerPointers &at;
  Products kind;
  bool general;

  int64_t codeBytes() const { return layer.inputBits / 8; }
  int64_t groupBytes(const MvePatches &patches) const { return kWeights + kLanes * patches.taps(); }
  void emitSlice(const MvePatches &patches, int64_t width, Value slice) const;
  void emitPixel(const MvePatches &patches, int64_t width, Value constants, Value from, Value to, int64_t count) const;
  void addProducts(Value (&sums)[2], const MvePatches &patches, int64_t width, Value constants, Value from) const;
  void store(Value halves, Value to, int64_t count) const;
};
} // namespace

template <Products Kind, bool General>
bool MveDepthwise<Kind, General>::accepts(const ConvLayer &layer, const ConvConstants &constants) const {
  bool fits = Kind == Products::Words ? fitsMveWords(layer, constants) : fitsMve(layer);
  if (!layer.depthwise || layer.in.channels != layer.out.channels || !fits)
    return false;
  if (!General && needsGeneralMap(layer, constants))
    return false;
  MvePatches patches(layer, 1);
  for (int64_t o = 0; Kind == Products::Paired && o < layer.out.channels; ++o)
    for (int64_t tap = 0; tap + 1 < patches.taps(); tap += 2)
      if (std::abs(patches.weight(layer, constants, o, tap)) + std::abs(patches.weight(layer, constants, o, tap + 1)) >
          255)
        return false;
  return true;
}

template <Products Kind, bool General>
std::vector<char> MveDepthwise<Kind, General>::pack(const ConvLayer &layer, const ConvConstants &constants) const {
  MvePatches patches(layer, 1);
  MveRecords records(layer, constants);
  std::vector<char> bytes;
  for (int64_t group = 0; group < layer.out.channels; group += kLanes) {
    SmallVector<int64_t> channels;
    for (int64_t i = 0; i < kLanes; ++i)
      channels.push_back(group + (i < 4 ? 2 * i : 2 * i - 7));
    records.append(bytes, channels);
    for (int64_t tap = 0; tap < patches.taps(); ++tap)
      for (int64_t o = group; o < group + kLanes; ++o)
        appendNumber<int8_t>(bytes, o < layer.out.channels ? int8_t(patches.weight(layer, constants, o, tap)) : 0);
  }
  return bytes;
}

/// Eight channels of one pixel, even and odd apart.
void Emitter::addProducts(Value (&sums)[2], const MvePatches &patches, int64_t width, Value constants,
                          Value from) const {
  KernelBuilder &k = m.k;
  auto weights = [&](int64_t tap) { return m.loadCodesAsHalves(k.at(constants, kWeights + kLanes * tap)); };
  auto product = [&](int64_t tap) { return k.mul(m.loadCodesAsHalves(k.at(from, width * tap)), weights(tap)); };
  if (kind == Products::Words) {
    for (int64_t tap = 0; tap < patches.taps(); ++tap) {
      Value x = m.loadHalves(k.at(from, 2 * width * tap)), y = weights(tap);
      for (unsigned odd : {0u, 1u})
        sums[odd] = k.add(sums[odd], m.multiplyWide(x, y, odd));
    }
    return;
  }
  bool paired = kind == Products::Paired;
  for (int64_t tap = 0; tap < patches.taps(); tap += paired ? 2 : 1) {
    Value sum = product(tap);
    if (paired && tap + 1 < patches.taps())
      sum = k.add(sum, product(tap + 1));
    for (unsigned odd : {0u, 1u})
      sums[odd] = k.add(sums[odd], m.widen(sum, odd));
  }
}

void Emitter::store(Value halves, Value to, int64_t count) const {
  KernelBuilder &k = m.k;
  if (kind == Products::Words)
    return m.storeCodes(k.clamp(halves, layer.map.low, layer.map.high), to, count, 16);
  Value codes = m.saturatingAdd(halves, m.splat(layer.map.zero, m.halves()));
  m.storeCodes(k.clamp(codes, layer.map.low, layer.map.high), to, count);
}

/// `count` of eight channels of one pixel.
void Emitter::emitPixel(const MvePatches &patches, int64_t width, Value constants, Value from, Value to,
                        int64_t count) const {
  KernelBuilder &k = m.k;
  Value sums[2];
  for (int odd : {0, 1})
    sums[odd] = m.loadWords(k.at(constants, 16 * odd));
  addProducts(sums, patches, width, constants, from);
  for (int odd : {0, 1}) {
    Value multipliers = m.loadWords(k.at(constants, kMultipliers + 16 * odd));
    Value rights = m.loadCodesAsWords(k.at(constants, kRights + 4 * odd));
    Value lefts = general ? m.loadCodesAsWords(k.at(constants, kLefts + 4 * odd)) : Value();
    sums[odd] = m.mapSums(sums[odd], multipliers, rights, lefts, layer.map);
  }
  store(m.narrowPair(sums[0], sums[1]), to, count);
}

/// All pixels of `width` channels from a multiple of 16 on.
void Emitter::emitSlice(const MvePatches &patches, int64_t width, Value slice) const {
  KernelBuilder &k = m.k;
  int64_t pixels = patches.pixels(), channels = layer.out.channels;
  Value constants = k.at(at.constants, k.mul(slice, kSlice / kLanes * groupBytes(patches)));
  Value input = k.at(at.input, k.mul(slice, kSlice * codeBytes())),
        output = k.at(at.output, k.mul(slice, kSlice * codeBytes()));
  patches.emitStart(m, at.scratch);
  k.loop(0, patches.images(), 1, [&](Value image) {
    k.loop(0, patches.rows(), 1, [&](Value y) {
      Value from = patches.emitRow(m, input, at.scratch, image, y);
      Value line = k.add(k.mul(image, patches.rows()), y),
            to = k.at(output, k.mul(line, pixels * channels * codeBytes()));
      for (int64_t first = 0; first < width; first += kLanes) {
        Value group = k.at(constants, first / kLanes * groupBytes(patches));
        k.loop(0, pixels, 1, [&](Value x) {
          Value pixel = k.at(from, k.mul(x, patches.pitch())), code = k.at(to, k.mul(x, channels * codeBytes()));
          emitPixel(patches, width, group, k.at(pixel, first * codeBytes()), k.at(code, first * codeBytes()),
                    std::min(kLanes, width - first));
        });
      }
    });
  });
}

template <Products Kind, bool General>
void MveDepthwise<Kind, General>::emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const {
  Mve m(k);
  Emitter emitter{m, layer, at, Kind, General};
  int64_t channels = layer.in.channels, whole = channels / kSlice, rest = channels % kSlice;
  k.loop(0, whole, 1, [&](Value slice) { emitter.emitSlice(MvePatches(layer, kSlice), kSlice, slice); });
  if (rest)
    emitter.emitSlice(MvePatches(layer, rest), rest, k.number(whole));
}

void cortexm::addMveDepthwise(LayerKernels &kernels) {
  static const MveDepthwise<Products::Paired, false> paired;
  static const MveDepthwise<Products::Paired, true> pairedGeneral;
  static const MveDepthwise<Products::Wide, false> wide;
  static const MveDepthwise<Products::Wide, true> wideGeneral;
  static const MveDepthwise<Products::Words, false> words;
  static const MveDepthwise<Products::Words, true> wordsGeneral;
  kernels.conv.insert(kernels.conv.end(), {&paired, &pairedGeneral, &wide, &wideGeneral, &words, &wordsGeneral});
}
