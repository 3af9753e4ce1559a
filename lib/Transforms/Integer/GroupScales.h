// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Weights in groups along the reduction: a group's scale is an integer times one scale of its channel.
#pragma once
#include "dialects/QTensor/IR/QTensorOps.h"
#include <vector>

namespace mlir::qtensor::integer {

/// The f32 scales of a constant weight, row-major over the grid of its encoding: components of any float type, and
/// scales that are encoded themselves. Nothing where they are not constant or have blocks of their own.
std::optional<std::vector<float>> readScales(AssembleOp weight);

/// Scales of a grid, exactly as factor * unit(channel).
struct GroupScales {
  std::vector<double> units;    ///< One a channel, positive; 1 for a channel whose scales are all 0.
  std::vector<int64_t> factors; ///< Row-major, of `shape`; below 2^31, without a common divisor in a channel.
  SmallVector<int64_t> shape;   ///< The grid, with a row for each channel along its dimension.
  /// The largest sum of |factor| times the number of elements of its group, of a channel.
  double weight = 0;

  /// An f32 is an integer times a power of two, so the scales of a channel are multiples of the smallest of these.
  /// `elements`: shape of the weight, in blocks of `block` with one scale of `scales` each; `channel`: the dimension of
  /// channels. Fails, with the reason in `why`, where a factor needs more than 31 bits or a scale is no number.
  static std::optional<GroupScales> split(ArrayRef<float> scales, ArrayRef<int64_t> elements, ArrayRef<int64_t> block,
                                          unsigned channel, std::string &why);
};

} // namespace mlir::qtensor::integer
