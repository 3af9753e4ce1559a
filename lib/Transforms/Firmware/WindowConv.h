// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What kernels of convolutions have in common: rows of windows, tiles of pixels and channels, final maps.
#pragma once
#include "lib/Transforms/Firmware/FastMap.h"
#include "lib/Transforms/Firmware/LayerKernels.h"
#include "lib/Transforms/Firmware/TableSum.h"
#include "lib/Transforms/Firmware/WindowGroups.h"
#include "llvm/Support/MathExtras.h"

namespace mlir::qtensor::firmware {

/// A convolution in tiles of pixels (1, 2 or 4) x channels whose sums stay in registers. Constants are one stream: for
/// each group of channels what its sums begin with, its weights in the order of the loop, and the records of its final
/// map. Before it stand the tables of a sum behind the layer. A kernel says what a lane is, how weights are packed and how products are summed.
class WindowConv : public ConvKernel {
public:
  /// `exact`: the final map in 64 bits, for any multiplier, shift and sum; else the layer must have fast maps. A
  /// depthwise kernel has groups of one channel, and lanes lie `Tile::laneStep` bytes apart.
  struct Shape {
    int64_t pixels, channels, laneBytes, depthUnit;
    bool exact = false, longMultiply = true, depthwise = false;
    bool onePixel = false;   ///< For layers with one pixel alone.
    bool oneMap = false;     ///< For layers whose channels have one fast map: it is stored once.
    bool frugal = false;     ///< Few constants, and others are faster.
    bool onlyInPlace = false; ///< For layers whose windows lie in the input as they are.
    int64_t laneOffset = 0;  ///< What lanes hold more than their codes.
    bool sumsOfCodes = false; ///< Kernels get the sum of each window's lanes.
    bool groups = false;      ///< For weights in groups; with `exact` their sums have 64 bits, else 32.
    unsigned codeBits = 8;    ///< Of inputs and outputs; of 16 with `exact` sums have 64 bits.
    int64_t channelUnit = 0;  ///< The last group of channels is rounded up to it; 0: it is a whole one.
  };

  WindowConv(StringRef name, Shape shape) : shape(shape), name(name) {}

  StringRef getName() const override { return name; }
  bool takesGroups() const override { return shape.groups; }
  bool takesParts() const override { return true; }
  bool accepts(const ConvLayer &layer, const ConvConstants &constants) const override;
  std::vector<char> pack(const ConvLayer &layer, const ConvConstants &constants) const override;
  int64_t getScratchBytes(const ConvLayer &layer) const override;
  std::optional<Overlap> getOutputOverlap(const ConvLayer &layer) const override;
  std::optional<Overlap> getScratchOverlap(const ConvLayer &layer) const override;
  bool takesSum(const ConvLayer &layer) const override {
    return !shape.depthwise && !shape.onePixel && shape.codeBits == 8 && TableSum::find(*layer.sum);
  }
  std::optional<Overlap> getSumOverlap(const ConvLayer &layer) const override {
    return overlapInPlace(layer.out.count());
  }
  void emit(KernelBuilder &k, const ConvLayer &layer, const LayerPointers &at) const override;

protected:
  /// The weights of one group: `weight(c, lane)` of channel c of the group, 0 where there is none.
  struct Group {
    llvm::function_ref<int32_t(int64_t channel, int64_t lane)> weight;
    int64_t lanes; ///< Of a window.
    int64_t channels; ///< Some past the last one.
    bool inWords;  ///< Pixels are whole words of four codes.
  };
  /// A tile: the first window, the bytes to the next one, the group's weights, and the map if there is one for all.
  struct Tile {
    Value window, weights;
    int64_t pixels, pixelBytes, outBytes, lanes, laneStep; ///< Bytes from one pixel to the next.
    SmallVector<Value> map;
    Value columnSums; ///< Sums of the lanes of the first window's columns and of those behind; null: not known.
    Value tables; ///< Of the sum behind the layer.
    Value groupSums;  ///< Room for the sums of lanes of each group of weights, [group][pixel].
    int64_t channels = 0; ///< That are summed: some past the last one.
  };

  static Shape withSums(Shape shape) {
    shape.sumsOfCodes = true;
    return shape;
  }
  /// For kernels that take two channels together, or each alone.
  static Shape inPairs(Shape shape) {
    shape.channelUnit = 2;
    return shape;
  }
  static Shape apart(Shape shape) {
    shape.channelUnit = 1;
    return shape;
  }
  /// Whether the kernel's own arithmetic holds for the layer, whose sums have the bounds of `channels`.
  virtual bool acceptsSums(const ConvLayer &layer, const ConvConstants &constants,
                           ArrayRef<FastChannel> channels) const = 0;
  virtual void packWeights(std::vector<char> &bytes, const Group &group) const = 0;
  /// What `sumProducts` gets for the biases of a group's channels: modulo 2^32.
  virtual void packBiases(MutableArrayRef<int32_t> biases) const {}
  virtual void copyCodes(KernelBuilder &k, Value from, Value to, int64_t count) const = 0;
  /// The sum of lanes, for kernels that ask for it.
  virtual Value sumCodes(KernelBuilder &k, Value from, int64_t lanes) const { return {}; }
  /// The sums of all products, [pixel][channel], beginning with `biases`; `tile.weights` moves behind them. `codes`: the
  /// sum of each window's lanes, if the kernel asks for it.
  virtual SmallVector<Value> sumProducts(KernelBuilder &k, Tile &tile, ValueRange biases, ValueRange codes) const = 0;

  const Shape shape;

private:
  std::optional<WindowRows> findRows(const ConvLayer &layer) const {
    return WindowRows::find(layer, shape.laneBytes, shape.depthUnit, shape.laneOffset);
  }
  GroupRuns findRuns(const ConvLayer &layer) const {
    return *GroupRuns::find(layer, *findRows(layer), shape.depthUnit);
  }
  bool acceptsGroups(const ConvLayer &layer, const ConvConstants &constants) const;
  /// The sums of lanes of a tile's groups, in `tile.groupSums`; the sums over all groups, [pixel][channel].
  void emitGroupSums(KernelBuilder &k, const ConvLayer &layer, const Tile &tile) const;
  SmallVector<Value> sumGroups(KernelBuilder &k, const ConvLayer &layer, Tile &tile, ValueRange biases) const;
  bool hasWideSums() const { return shape.exact && (shape.groups || shape.codeBits > 8); }
  Type sumType(KernelBuilder &k) const { return hasWideSums() ? k.i64() : k.i32(); }
  /// The channels of a group of which `left` are of the layer.
  int64_t channelsOf(int64_t left) const {
    return std::min(shape.channels, int64_t(llvm::alignTo(left, shape.channelUnit ? shape.channelUnit : shape.channels)));
  }
  int64_t recordWords() const { return shape.exact ? 2 : shape.oneMap ? 0 : 3; }
  /// What the sums of channels from `first` on begin with; their weights, and the factors of each run of them behind it.
  void packStarts(std::vector<char> &bytes, ArrayRef<int64_t> biases) const;
  void packLanes(std::vector<char> &bytes, const ConvLayer &layer, const ConvConstants &constants, const WindowRows &rows,
                 int64_t first) const;
  void packRecord(std::vector<char> &bytes, const ConvConstants &constants, ArrayRef<FastChannel> fast,
                  int64_t o) const;
  void emitRow(KernelBuilder &k, const ConvLayer &layer, const WindowRows &rows, const LayerPointers &at,
               ArrayRef<Value> map, Value row) const;
  /// Pixels from a tile's first one on: at most `tiles` of them, and `rest` at their end, if a condition holds.
  struct Pixels {
    Value count;
    int64_t tiles, rest;
    Value restOnlyIf;
  };
  void emitPixels(KernelBuilder &k, const ConvLayer &layer, const Tile &all, ValueRange outputs,
                  const Pixels &pixels) const;
  void emitPhases(KernelBuilder &k, const ConvLayer &layer, const WindowRows &rows, const Tile &tile,
                  ValueRange outputs) const;
  /// `outputs`: where the output is written and, of a layer with a sum, where the second input is read.
  void emitTile(KernelBuilder &k, const ConvLayer &layer, Tile tile, ValueRange outputs) const;
  /// Whether windows share columns, whose sums are made once.
  bool sumsColumns(const ConvLayer &layer, const WindowRows &rows) const;
  void emitColumnSums(KernelBuilder &k, const WindowRows &rows, Value buffer, Value sums) const;
  SmallVector<Value> sumWindows(KernelBuilder &k, const ConvLayer &layer, const Tile &tile) const;
  void emitDepthwiseTile(KernelBuilder &k, const ConvLayer &layer, Tile tile, Value output) const;
  Value emitGroup(KernelBuilder &k, const ConvLayer &layer, Tile tile, ValueRange outputs, int64_t channels,
                  ValueRange codes) const;
  Value emitMap(KernelBuilder &k, const ConvLayer &layer, Value sum, ArrayRef<Value> record) const;

  const std::string name;
};

} // namespace mlir::qtensor::firmware
