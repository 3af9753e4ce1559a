// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random components of an encoding: every code that decodes to a number, parameters of ordinary size.
#pragma once
#include "Random.h"
#include "dialects/QTensor/IR/QTensorDialect.h"
#include <vector>

namespace mlir::qtensor::conformance {

struct RandomComponent {
  RankedTensorType type;
  std::vector<char> bytes; ///< Row-major, little endian.
};

/// Components for a tensor of `shape`, in the order of the encoding.
std::vector<RandomComponent> makeComponents(BlockAttr encoding, ArrayRef<int64_t> shape, Random &random, bool extremes);

/// A tensor of f32 in [-2, 2) with zeros and repeated values in it.
std::vector<char> makeReals(int64_t count, Random &random);

/// Values beyond the range of every static activation, of either sign.
std::vector<char> makeExtremeReals(int64_t count, Random &random);

} // namespace mlir::qtensor::conformance
