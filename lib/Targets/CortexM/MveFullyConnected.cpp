// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Fully connected layers of one row: four channels a turn, their sums in registers from the first input to the last. As
// many inputs as there are registers for stay in them from turn to turn.
//
// Constants: by turn { a record; for each vector of inputs, channel: weights }, padded with channels of 0. All planes of narrow weights but the last are stored without sign; what that
// adds to the sums is the bias of the weights times the sum of the inputs that they meet.
#include "lib/Targets/CortexM/Mve.h"
#include "lib/Targets/CortexM/MveKernels.h"
#include "lib/Targets/CortexM/MveRecords.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::cortexm;
using namespace mlir::qtensor::firmware;

namespace {
constexpr int64_t kTile = MveRecords::kChannels, kWeights = MveRecords::kBytes;
constexpr int64_t kStraight = 16, kUnroll = 8; ///< Vectors without a loop; in one turn of one.

/// What follows from the shape alone.
struct Shape {
  explicit Shape(const ConvLayer &layer)
      : depth(layer.in.channels), channels(layer.out.channels), weights(layer.weightBits),
        vectors(llvm::alignTo((depth + 15) / 16, weights.planes())),
        resident(std::min(countResident(layer, weights), vectors)),
        turns(vectors <= kStraight ? 0 : (depth / 16 - resident) / kUnroll) {}

  int64_t depth, channels;
  MveWeights weights;
  int64_t vectors;
  int64_t resident; ///< Vectors of inputs that stay in registers.
  int64_t turns;    ///< Of the loop over whole vectors behind them; the rest is straight.

  /// Registers that are free for inputs: not those of an input and its weights, of bounds, of a mask.
  static int64_t countResident(const ConvLayer &layer, const MveWeights &weights) {
    return weights.planes() == 1 && layer.map.low == -128 && layer.map.high == 127 ? 6 : 4;
  }
  /// Bytes of one turn's weights for so many vectors of inputs.
  int64_t bytes(int64_t count) const { return kTile * count / weights.planes() * 16; }
  /// How many inputs of a vector exist.
  int64_t valid(int64_t vector) const { return std::clamp<int64_t>(depth - 16 * vector, 0, 16); }
};

/// `General`: for maps with shifts to the left, or by nothing.
template <bool General> struct MveFullyConnected : ConvKernel {
  StringRef getName() const override { return General ? "mve.fc.general" : "mve.fc"; }
  bool accepts(const ConvLayer &layer, const ConvConstants &constants) const override {
    bool oneRow =
        layer.in.count() == layer.in.channels && layer.out.count() == layer.out.channels && layer.window.taps() == 1;
    return oneRow && !layer.depthwise && !layer.hasPadding() && fitsMve(layer) &&
           (General || !needsGeneralMap(layer, constants));
  }
  std::vector<char> pack(const ConvLayer &layer, const ConvConstants &constants) const override;
  void emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const override;
};

struct Emitter {
  Mve &m;
  const ConvLayer &layer;
  const LayerPointers &at;
  Shape shape;
  bool general;

  int64_t middle(int64_t count) const { return shape.bytes(count) / 2 - 8; }
  static int64_t middleOfInputs(int64_t count) { return 8 * count - 8; }
  /// Null where there are none.
  Value loadInputs(Value from, int64_t vector) const;
  SmallVector<Value> accumulate(SmallVector<Value> state, ArrayRef<Value> known, int64_t first, int64_t count) const;
  SmallVector<Value> move(SmallVector<Value> state, int64_t count, int64_t sign) const;
  Value emitTile(ArrayRef<Value> resident, Value record, Value channel, Value correction) const;
  Value sumOfBiased() const;
  void finish(ArrayRef<Value> sums, Value record, Value channel, Value correction) const;
};
} // namespace

template <bool General>
std::vector<char> MveFullyConnected<General>::pack(const ConvLayer &layer, const ConvConstants &constants) const {
  Shape shape(layer);
  MveRecords records(layer, constants);
  std::vector<char> bytes;
  for (int64_t tile = 0; tile < shape.channels; tile += kTile) {
    records.append(bytes, tile);
    for (int64_t v = 0; v < shape.vectors; v += shape.weights.planes())
      for (int64_t o = tile; o < tile + kTile; ++o)
        shape.weights.append(bytes, /*biased=*/true, [&](int64_t i) -> int64_t {
          int64_t input = 16 * v + i;
          return o < shape.channels && input < shape.depth ? constants.weights[o * shape.depth + input] : 0;
        });
  }
  return bytes;
}

Value Emitter::loadInputs(Value from, int64_t vector) const {
  int64_t valid = shape.valid(vector);
  return valid ? m.loadBytes(from, valid) : Value();
}

/// Adds the products with vectors [first, first + count) of inputs, of which some are known. The state: pointers to the
/// middle of these inputs and of their weights (immediate offsets reach both ways), four sums.
SmallVector<Value> Emitter::accumulate(SmallVector<Value> state, ArrayRef<Value> known, int64_t first,
                                       int64_t count) const {
  KernelBuilder &k = m.k;
  for (int64_t v = 0; v < count; v += shape.weights.planes()) {
    // In order: LLVM would load all inputs first and then spill them.
    if (v >= int64_t(known.size()))
      state = k.pin(state);
    SmallVector<Value> x;
    for (int64_t i = v; i < v + shape.weights.planes(); ++i)
      x.push_back(i < int64_t(known.size()) ? known[i]
                                            : loadInputs(k.at(state[0], 16 * i - middleOfInputs(count)), first + i));
    for (int64_t o = 0; o < kTile; ++o) {
      Value from = k.at(state[1], shape.bytes(v) + 16 * o - middle(count));
      for (auto [plane, weight] : llvm::enumerate(m.loadWeights(from, shape.weights, /*biased=*/true)))
        if (x[plane])
          state[2 + o] = m.dot(state[2 + o], x[plane], weight);
    }
  }
  state[0] = k.at(state[0], 16 * count);
  state[1] = k.at(state[1], shape.bytes(count));
  return state;
}

/// Four channels. Returns where the next ones' record lies.
Value Emitter::emitTile(ArrayRef<Value> resident, Value record, Value channel, Value correction) const {
  KernelBuilder &k = m.k;
  SmallVector<Value> state{at.input, k.at(record, kWeights)};
  state.append(kTile, k.number(0));
  int64_t straight = shape.turns ? shape.resident : shape.vectors, done = straight + shape.turns * kUnroll;
  state = move(accumulate(move(state, straight, 1), resident, 0, straight), straight, -1);
  if (shape.turns) {
    state = k.loop(0, shape.turns, 1, move(state, kUnroll, 1), [&](Value, ValueRange carried) {
      return accumulate(SmallVector<Value>(carried), {}, straight, kUnroll);
    });
    int64_t rest = shape.vectors - done;
    state = move(state, kUnroll, -1);
    state = move(accumulate(move(state, rest, 1), {}, done, rest), rest, -1);
  }
  finish(ArrayRef(state).drop_front(2), record, channel, correction);
  return state[1];
}

/// Moves the pointers from the beginning of so many vectors to their middle, or back.
SmallVector<Value> Emitter::move(SmallVector<Value> state, int64_t count, int64_t sign) const {
  state[0] = m.k.at(state[0], sign * middleOfInputs(count));
  state[1] = m.k.at(state[1], sign * middle(count));
  return state;
}

/// What biased weights have added too much, for every channel.
Value Emitter::sumOfBiased() const {
  KernelBuilder &k = m.k;
  Value sum = k.number(0);
  for (int64_t v = 0; 16 * v < shape.depth; ++v)
    if (v % shape.weights.planes() + 1 < shape.weights.planes())
      sum = m.addLanes(sum, loadInputs(k.at(at.input, 16 * v), v));
  return k.mul(sum, -shape.weights.bias());
}

void Emitter::finish(ArrayRef<Value> sums, Value record, Value channel, Value correction) const {
  KernelBuilder &k = m.k;
  Value vector;
  for (int64_t o : {0, 2, 1, 3})
    vector = m.insert(vector, sums[o], o);
  if (correction)
    vector = k.add(vector, m.splat(correction, m.words()));
  MveRecords::finish(m, layer, general, vector, record, channel, k.at(at.output, channel));
}

template <bool General>
void MveFullyConnected<General>::emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const {
  Mve m(k);
  Emitter emitter{m, layer, at, Shape(layer), General};
  const Shape &shape = emitter.shape;
  Value correction = shape.weights.planes() > 1 ? emitter.sumOfBiased() : Value();
  SmallVector<Value> resident;
  for (int64_t v = 0; v < shape.resident; ++v)
    resident.push_back(emitter.loadInputs(k.at(at.input, 16 * v), v));
  k.loop(0, shape.channels, kTile, {at.constants}, [&](Value channel, ValueRange carried) {
    return SmallVector<Value>{emitter.emitTile(resident, carried[0], channel, correction)};
  });
}

void cortexm::addMveFullyConnected(LayerKernels &kernels) {
  static const MveFullyConnected<false> plain;
  static const MveFullyConnected<true> general;
  kernels.conv.push_back(&plain);
  kernels.conv.push_back(&general);
}
