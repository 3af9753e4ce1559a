// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Groups of weights in the run of lanes that a window is.
#pragma once
#include "lib/Transforms/Firmware/WindowRows.h"

namespace mlir::qtensor::firmware {

/// Runs of lanes whose weights share a factor in each channel: `full` runs of `size` lanes, then one of `tail` (0: none),
/// all of that `times` times.
struct GroupRuns {
  int64_t times = 0, full = 0, size = 0, tail = 0;

  /// Nothing where runs do not begin at whole units of depth.
  static std::optional<GroupRuns> find(const ConvLayer &layer, const WindowRows &rows, int64_t depthUnit);
  /// Of any other order of lanes.
  static std::optional<GroupRuns> find(const ConvLayer &layer, int64_t lanes, int64_t depthUnit,
                                       llvm::function_ref<std::optional<WindowRows::Place>(int64_t lane)> placeOf);
  /// Of windows that lie row by row, as the weights of a channel do.
  static std::optional<GroupRuns> find(const ConvLayer &layer, int64_t depthUnit);

  int64_t count() const { return times * (full + (tail > 0)); }
  int64_t longest() const { return std::max(full ? size : 0, tail); }
  /// Calls `run` with the first lane and the lanes of each, in order.
  void forEach(llvm::function_ref<void(int64_t first, int64_t lanes)> run) const;
  /// The loops over the runs, with values carried from one to the next.
  SmallVector<Value> emit(KernelBuilder &k, ValueRange start,
                          llvm::function_ref<SmallVector<Value>(ValueRange carried, int64_t lanes)> run) const;
};

/// The same layer and constants for kernels with sums of 32 bits: `fixed<x16>` is the map of one rounding whose multiplier
/// has 16 bits, in the upper half.
struct NarrowMap {
  NarrowMap(const ConvLayer &layer, const ConvConstants &constants);
  ConvLayer layer;
  ConvConstants constants;
};

} // namespace mlir::qtensor::firmware
