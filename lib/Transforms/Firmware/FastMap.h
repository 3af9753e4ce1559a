// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The final map of sums that are known to be small, in a handful of instructions, with the exact map's bits.
#pragma once
#include "lib/Transforms/Firmware/KernelBuilder.h"
#include "lib/Transforms/Firmware/Layer.h"

namespace mlir::qtensor::firmware {

/// code = clamp((high half of (2 * sum * multiplier), rounded as the mode says, + rounding) >> shift). The zero point
/// stands in `rounding`, above the bits that are shifted out.
struct FastMap {
  static constexpr int64_t kBytes = 12;
  int32_t multiplier = 0, rounding = 0, shift = 1;

  /// Nothing where the exact map takes more: |sum| may reach 2^30, the shift is to the left or 0, or an intermediate
  /// value leaves 32 bits. `bound` is one of |sum|.
  static std::optional<FastMap> find(const FinalMap &map, int32_t multiplier, int32_t shift, int64_t bound);
  void append(std::vector<char> &bytes) const;
  bool operator==(const FastMap &other) const {
    return multiplier == other.multiplier && rounding == other.rounding && shift == other.shift;
  }
};

/// A channel's element of a list that has one for each channel or one for all.
template <typename T> T ofChannel(const std::vector<T> &list, int64_t channel) {
  return list[list.size() == 1 ? 0 : channel];
}

/// What a channel's sum begins with, a bound of |sum| on the way and at the end, and its map.
struct FastChannel {
  int64_t bias, bound;
  FastMap map;
};

/// The multiplier of `fixed<x16>` as one of 32 bits.
int32_t reduceMultiplier(int32_t multiplier);

/// The channels of a convolution, input zero point folded. `fixed<x16>` is the map of one rounding whose multiplier has 16
/// bits, in the upper half; its FastMap is of the sum as it is, not doubled. Nothing where one has no fast map. A channel without
/// weights is the constant that its bias maps to, so bias and bound are 0: pruned networks have many, with biases near
/// 2^30.
std::optional<std::vector<FastChannel>> findFastChannels(const ConvLayer &layer, const ConvConstants &constants);

/// A bound of |sum| of each channel with this input's codes, the folded bias included: on the way and at the end.
std::vector<int64_t> boundSums(const ConvLayer &layer, const ConvConstants &constants);

/// The largest of them, at least 0: ConvLayer::sumBound.
int64_t boundOfSums(const ConvLayer &layer, const ConvConstants &constants);

/// The high half of the 64-bit product of an i32 and an i32 that is not negative, from products of 16-bit halves: for
/// processors that multiply 32 bits to 32. `low` gets the other half.
Value multiplyHalves(KernelBuilder &k, Value x, Value y, Value &low);

/// A record in registers.
struct FastMapValues {
  Value multiplier, rounding, shift;
  static FastMapValues load(KernelBuilder &k, Value record);
  /// The clamped code of `doubled` = 2 * sum (`fixed<x16>`: the sum), as an i32. Without `longMultiply` products are made of
  /// 16-bit halves.
  Value apply(KernelBuilder &k, Value doubled, const FinalMap &map, bool longMultiply = true) const;
};

} // namespace mlir::qtensor::firmware
