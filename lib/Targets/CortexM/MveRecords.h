// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the final maps of some output channels read, in front of their weights.
#pragma once
#include "lib/Targets/CortexM/Mve.h"

namespace mlir::qtensor::cortexm {

/// { i32 bias[n]; i32 multiplier[n]; i8 negatedRight[n], left[n] }, of n = 4 channels where nothing else is said; 0 for channels
/// that do not exist.
class MveRecords {
public:
  static constexpr int64_t kChannels = 4, kBytes = 40;

  MveRecords(const ConvLayer &layer, const ConvConstants &constants)
      : layer(layer), constants(constants), bias(constants.foldedBias(layer)) {}
  void append(std::vector<char> &bytes, ArrayRef<int64_t> channels) const;
  /// The record of the four channels from `first` on.
  void append(std::vector<char> &bytes, int64_t first) const { append(bytes, {first, first + 1, first + 2, first + 3}); }

  /// Maps sums without bias of the channels from `channel` on, and stores the codes of those that exist. `general`:
  /// maps with shifts to the left, or by nothing. With a `step` of three the code behind them is overwritten by the
  /// next ones'.
  static void finish(Mve &m, const ConvLayer &layer, bool general, Value sums, Value record, Value channel, Value to,
                     int64_t step = kChannels);
  /// Its two halves, between which a code gets its zero point and is clamped.
  static Value map(Mve &m, const ConvLayer &layer, bool general, Value sums, Value record);
  static void store(Mve &m, const ConvLayer &layer, Value codes, Value channel, Value to, int64_t step = kChannels);

private:
  const ConvLayer &layer;
  const ConvConstants &constants;
  std::vector<int64_t> bias;
};

} // namespace mlir::qtensor::cortexm
