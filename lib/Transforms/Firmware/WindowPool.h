// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What pooling kernels have in common: pixels whose windows lie inside, pixels at a border, strips of channels.
#pragma once
#include "lib/Transforms/Firmware/LayerKernels.h"
#include "lib/Transforms/Firmware/Overlap.h"
#include <memory>

namespace mlir::qtensor::firmware {

/// How an average of `count` codes is made: t = sum + start, less 1 where the sum is negative and the count even, then
/// t * multiplier >> (16 + shift) is the code plus 128. t and the multiplier have 16 bits without sign. This is
/// (|sum| + count / 2) / count with the sign of the sum.
struct AverageMap {
  static constexpr int64_t kBytes = 16;
  int32_t start = 0, multiplier = 0, shift = 0, even = 0; ///< even: -1 or 0.

  /// Nothing where the quotient would not be exact.
  static std::optional<AverageMap> find(int64_t count);
};

/// A strip is some channels of one pixel: as many as the processor takes at once. A kernel says how codes are loaded and
/// combined; what it carries is a list of values.
class WindowPool : public PoolKernel {
public:
  bool accepts(const PoolLayer &layer, const PoolConstants &) const override;
  bool takesMean() const override { return true; }
  /// Of averages beside padding: the maps of all counts.
  std::vector<char> pack(const PoolLayer &layer, const PoolConstants &) const override;
  std::optional<Overlap> getOutputOverlap(const PoolLayer &layer) const override {
    return overlapByPixels(WindowWalk(layer), /*pixels=*/1, /*readsFirst=*/false);
  }
  void emit(KernelBuilder &k, const PoolLayer &layer, const LayerPointers &at) const override;

protected:
  /// An AverageMap in registers; `mayBeEven`: `even` may be -1. Means have `start`, `bias` and `factor`.
  struct MapValues {
    Value start, multiplier, shift, even;
    bool mayBeEven = false;
    Value bias, factor; ///< Added to the sums as 32 bits, then multiplied with them; null: 0, 1.
  };

  /// The code plus 128 of a sum that began with `start`, an i32.
  static Value average(KernelBuilder &k, Value sum, const MapValues &map);

  virtual bool acceptsChannels(const PoolLayer &layer) const = 0;
  /// Whether the kernel has the map of a mean.
  virtual bool acceptsMean(const PoolLayer &layer) const = 0;
  /// The bits of its sums: 16 or 32.
  virtual unsigned sumBits() const = 0;
  /// Calls `body` for all strips: the first channel, and the length as the kernel likes to have it.
  using Body = llvm::function_ref<void(Value channel, Value length)>;
  virtual void forStrips(KernelBuilder &k, const PoolLayer &layer, Body body) const = 0;
  /// The strip at the first tap; `start` is what sums begin with.
  virtual SmallVector<Value> begin(KernelBuilder &k, const PoolLayer &layer, Value from, Value start,
                                   Value length) const = 0;
  virtual SmallVector<Value> combine(KernelBuilder &k, const PoolLayer &layer, ValueRange state, Value from,
                                     Value length) const = 0;
  virtual void storeLargest(KernelBuilder &k, const PoolLayer &layer, ValueRange state, Value to,
                            Value length) const = 0;
  virtual void storeAverage(KernelBuilder &k, const PoolLayer &layer, ValueRange state, const MapValues &map, Value to,
                            Value length) const = 0;
  virtual void storeMean(KernelBuilder &k, const PoolLayer &layer, ValueRange state, const MapValues &map, Value to,
                         Value length) const = 0;
  /// The code of a sum of 32 bits, an i32.
  static Value emitMean(KernelBuilder &k, const PoolLayer &layer, Value sum, const MapValues &map, bool longMultiply);

private:
  struct Place;
  struct MeanStart;
  MeanStart startMean(const PoolLayer &layer, int64_t count) const;
  /// The map of windows inside; of windows beside padding, of so many codes.
  MapValues insideMap(KernelBuilder &k, const PoolLayer &layer) const;
  MapValues loadMap(KernelBuilder &k, const PoolLayer &layer, Value constants, Value count) const;
  void emitRow(KernelBuilder &k, const PoolLayer &layer, const LayerPointers &at, const Place &row) const;
  void emitInside(KernelBuilder &k, const PoolLayer &layer, Value from, Value to) const;
  void emitBorder(KernelBuilder &k, const PoolLayer &layer, Value constants, const Place &place) const;
  void store(KernelBuilder &k, const PoolLayer &layer, ValueRange state, const MapValues &map, Value to,
             Value length) const;
};

/// One code at a time.
std::unique_ptr<PoolKernel> makeScalarPool(bool longMultiply);

} // namespace mlir::qtensor::firmware
