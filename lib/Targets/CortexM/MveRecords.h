// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the final maps of four output channels read, in front of their weights.
#pragma once
#include "lib/Targets/CortexM/Mve.h"

namespace mlir::qtensor::cortexm {

/// { i32 bias[4]; i32 multiplier[4]; i8 negatedRight[4], left[4] }, padded with channels of 0.
class MveRecords {
public:
  static constexpr int64_t kChannels = 4, kBytes = 40;

  MveRecords(const ConvLayer &layer, const ConvConstants &constants)
      : layer(layer), constants(constants), bias(constants.foldedBias(layer)) {}
  /// The record of the channels from `first` on.
  void append(std::vector<char> &bytes, int64_t first) const;

  /// Maps sums without bias of the channels from `channel` on, and stores the codes of those that exist. `general`: maps with
  /// shifts to the left, or by nothing.
  static void finish(Mve &m, const ConvLayer &layer, bool general, Value sums, Value record, Value channel, Value to);

private:
  const ConvLayer &layer;
  const ConvConstants &constants;
  std::vector<int64_t> bias;
};

} // namespace mlir::qtensor::cortexm
