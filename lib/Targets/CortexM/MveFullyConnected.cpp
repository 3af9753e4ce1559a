// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fully connected layers of one row: up to 96 inputs stay in registers while the weights of all channels of a chunk go by,
// a tile of four or six a turn; their sums wait in scratch for the next inputs.
//
// Constants: i32 bias[N]; i32 multiplier[N]; i8 negatedRight[N], left[N], N padded to whole tiles, lists to fours; then weights by chunk,
// block of inputs, tile, vector, channel: vectors of 16 bytes. A byte holds one weight of 8 bits; or, of as many vectors of inputs as
// it has room for, one of 4 or 2 bits each: all but the uppermost are unsigned, biased, and corrected by the sum of the
// inputs that they meet.
#include "lib/Targets/CortexM/Mve.h"
#include "lib/Targets/CortexM/MveKernels.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::cortexm;
using namespace mlir::qtensor::firmware;

namespace {

/// Sums of 32 bits that scratch may have, without need.
constexpr int64_t kMostSums = 300;

/// What follows from the shape alone.
struct Shape {
  explicit Shape(const ConvLayer &layer)
      : depth(layer.in.channels), channels(layer.out.channels),
        weights(layer.weightBits), planes(weights.planes()), vectors(llvm::alignTo((depth + 15) / 16, planes)),
        block(chooseBlock(vectors, planes)), tile(chooseTile(channels)),
        padded(llvm::alignTo(channels, tile)), chunk(chooseChunk(padded, tile)) {}

  int64_t depth, channels;
  MveWeights weights;
  int64_t planes, vectors;
  int64_t block;         ///< Vectors of inputs in registers at one time.
  int64_t tile;          ///< Channels of one turn.
  int64_t padded, chunk; ///< Channels with those that fill the last tile; those whose sums are in scratch at one time.

  /// Bytes of a tile's channels for so many vectors of inputs.
  int64_t tileBytes(int64_t count) const { return tile * count / planes * 16; }
  /// Where lists begin; they are read in vectors of 4.
  int64_t listed() const { return llvm::alignTo(padded, 4); }
  int64_t multipliers() const { return 4 * listed(); }
  int64_t rights() const { return 8 * listed(); }
  int64_t lefts() const { return 9 * listed(); }
  int64_t weightsAt() const { return 10 * listed(); }
  int64_t scratchBytes() const { return 4 * llvm::alignTo(chunk, 4); }

private:
  /// Six sums have registers; with four, fewer channels are filled up and more lists can be cut into chunks.
  static int64_t chooseTile(int64_t channels) {
    bool wide = channels <= kMostSums && llvm::alignTo(channels, 6) * 37 < llvm::alignTo(channels, 4) * 38;
    return wide ? 6 : 4;
  }
  static int64_t chooseChunk(int64_t padded, int64_t tile) {
    for (int64_t chunk = kMostSums / 3; chunk >= 32; --chunk)
      if (padded > kMostSums && chunk % 4 == 0 && padded % chunk == 0)
        return chunk;
    return padded;
  }
  /// Vectors of inputs in registers at one time: as many as leave room for weights, and blocks about equal.
  static int64_t chooseBlock(int64_t vectors, int64_t planes) {
    int64_t most = planes == 1 ? 6 : 4, blocks = (vectors + most - 1) / most;
    return llvm::alignTo((vectors + blocks - 1) / blocks, planes);
  }
};

/// `General`: for maps with shifts to the left, or by nothing.
template <bool General>
struct MveFullyConnected : ConvKernel {
  StringRef getName() const override { return General ? "mve.fc.general" : "mve.fc"; }
  bool accepts(const ConvLayer &layer, const ConvConstants &constants) const override {
    bool oneRow = layer.in.count() == layer.in.channels && layer.out.count() == layer.out.channels && layer.window.taps() == 1;
    return oneRow && !layer.depthwise && !layer.hasPadding() && fitsMve(layer) &&
           (General || !needsGeneralMap(layer, constants));
  }
  int64_t getScratchBytes(const ConvLayer &layer) const override { return Shape(layer).scratchBytes(); }
  std::vector<char> pack(const ConvLayer &layer, const ConvConstants &constants) const override;
  void emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const override;
};

struct Emitter {
  Mve &m;
  const ConvLayer &layer;
  const LayerPointers &at;
  Shape shape;
  bool general;

  Value accumulateBlock(Value inputs, int64_t first, int64_t count, Value from, Value weights) const;
  Value sumOfBiased() const;
  void finishChunk(Value chunk, Value correction) const;
};
} // namespace

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

template <bool General>
std::vector<char> MveFullyConnected<General>::pack(const ConvLayer &layer, const ConvConstants &constants) const {
  Shape shape(layer);
  std::vector<int64_t> bias = constants.foldedBias(layer);
  std::vector<MveScale> scales(shape.listed());
  for (int64_t o = 0; o < shape.channels; ++o)
    scales[o] = MveScale::of(pickChannel(constants.multiplier, o), pickChannel(constants.shift, o), layer.map.mode);
  std::vector<char> bytes;
  for (int64_t o = 0; o < shape.listed(); ++o)
    appendNumber<int32_t>(bytes, o < shape.channels ? int32_t(bias[o]) : 0);
  for (const MveScale &scale : scales)
    appendNumber<int32_t>(bytes, scale.multiplier);
  for (const MveScale &scale : scales)
    appendNumber<int8_t>(bytes, int8_t(-scale.right));
  for (const MveScale &scale : scales)
    appendNumber<int8_t>(bytes, scale.left);
  for (int64_t chunk = 0; chunk < shape.padded; chunk += shape.chunk)
    for (int64_t block = 0; block < shape.vectors; block += shape.block)
      for (int64_t tile = chunk; tile < chunk + shape.chunk; tile += shape.tile)
        for (int64_t v = block; v < std::min(block + shape.block, shape.vectors); v += shape.planes)
          for (int64_t o = tile; o < tile + shape.tile; ++o)
            shape.weights.append(bytes, /*biased=*/true, [&](int64_t i) -> int64_t {
              int64_t input = 16 * v + i;
              return o < shape.channels && input < shape.depth ? constants.weights[o * shape.depth + input] : 0;
            });
  return bytes;
}

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

/// Adds the products with inputs [16 * first, 16 * (first + count)) to the sums of a chunk, read at `from`, which is in
/// scratch afterwards. Returns where the weights end.
Value Emitter::accumulateBlock(Value inputs, int64_t first, int64_t count, Value from, Value weights) const {
  KernelBuilder &k = m.k;
  SmallVector<Value> x;
  for (int64_t v = 0; v < count; ++v) {
    // Vectors that lie in padding as a whole are left out; so are their products.
    int64_t valid = std::min<int64_t>(shape.depth - 16 * (first + v), 16);
    x.push_back(valid > 0 ? m.loadBytes(k.at(inputs, 16 * v), valid) : Value());
  }
  int64_t bytes = shape.tileBytes(count), center = bytes / 2 - 8;
  auto ends = k.loop(0, shape.chunk, shape.tile, {from, at.scratch, k.at(weights, center)}, [&](Value, ValueRange carried) {
    SmallVector<Value> sums;
    for (int64_t o = 0; o < shape.tile; o += 2) {
      auto [first, second] = m.loadTwo(k.at(carried[0], 4 * o));
      sums.append({first, second});
    }
    for (int64_t v = 0; v < count; v += shape.planes)
      for (int64_t o = 0; o < shape.tile; ++o) {
        Value packed = m.loadConstants(k.at(carried[2], 16 * (v / shape.planes * shape.tile + o) - center));
        for (auto [plane, weight] : llvm::enumerate(m.decode(packed, shape.weights, /*biased=*/true)))
          if (x[v + plane])
            sums[o] = m.dot(sums[o], x[v + plane], weight);
      }
    for (int64_t o = 0; o < shape.tile; o += 2)
      m.storeTwo(sums[o], sums[o + 1], k.at(carried[1], 4 * o));
    return SmallVector<Value>{k.at(carried[0], 4 * shape.tile), k.at(carried[1], 4 * shape.tile), k.at(carried[2], bytes)};
  });
  return k.at(ends[2], -center);
}

/// What biased weights have added too much, for every channel: the bias times the sum of the inputs that they met.
Value Emitter::sumOfBiased() const {
  KernelBuilder &k = m.k;
  Value sum = k.number(0);
  for (int64_t v = 0; 16 * v < shape.depth; ++v)
    if (v % shape.planes + 1 < shape.planes)
      sum = m.addLanes(sum, m.loadBytes(k.at(at.input, 16 * v), std::min<int64_t>(shape.depth - 16 * v, 16)));
  return k.mul(sum, -shape.weights.bias());
}

void Emitter::finishChunk(Value chunk, Value correction) const {
  KernelBuilder &k = m.k;
  k.loop(0, std::min(shape.chunk, shape.channels), 4, [&](Value i) {
    Value channel = k.add(chunk, i), sums = m.loadWords(k.at(at.scratch, k.mul(i, 4)));
    if (correction)
      sums = k.add(sums, m.splat(correction, m.words()));
    Value multipliers = m.loadWords(k.at(k.at(at.constants, k.mul(channel, 4)), shape.multipliers()));
    Value byChannel = k.at(at.constants, channel), rights = m.loadCodesAsWords(k.at(byChannel, shape.rights()));
    Value lefts = general ? m.loadCodesAsWords(k.at(byChannel, shape.lefts())) : Value();
    Value codes = m.finish(m.mapSums(sums, multipliers, rights, lefts, layer.map.mode), layer.map);
    Value to = k.at(at.output, channel);
    if (shape.channels % 4 == 0)
      m.storeCodes(codes, to);
    else
      m.storeCodes(codes, to, k.sub(k.number(shape.channels), channel));
  });
}

template <bool General>
void MveFullyConnected<General>::emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const {
  Mve m(k);
  Emitter emitter{m, layer, at, Shape(layer), General};
  const Shape &shape = emitter.shape;
  Value correction = shape.planes > 1 ? emitter.sumOfBiased() : Value();
  // A block that is cut by the end of the inputs is apart.
  int64_t whole = shape.depth / (16 * shape.block), rest = shape.vectors - whole * shape.block;
  k.loop(0, shape.padded, shape.chunk, {k.at(at.constants, shape.weightsAt())}, [&](Value chunk, ValueRange outer) {
    Value bias = k.at(at.constants, k.mul(chunk, 4));
    auto ends = k.loop(0, whole, 1, {at.input, bias, outer[0]}, [&](Value, ValueRange carried) -> SmallVector<Value> {
      Value next = emitter.accumulateBlock(carried[0], 0, shape.block, carried[1], carried[2]);
      return {k.at(carried[0], 16 * shape.block), at.scratch, next};
    });
    Value weights = ends[2];
    if (rest)
      weights = emitter.accumulateBlock(ends[0], whole * shape.block, rest, ends[1], weights);
    emitter.finishChunk(chunk, correction);
    return SmallVector<Value>{weights};
  });
}

void cortexm::addMveFullyConnected(LayerKernels &kernels) {
  static const MveFullyConnected<false> plain;
  static const MveFullyConnected<true> general;
  kernels.conv.push_back(&plain);
  kernels.conv.push_back(&general);
}
