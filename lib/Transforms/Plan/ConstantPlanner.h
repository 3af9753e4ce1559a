// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Placement of constants in several memories. Knows numbers only, no IR.
#pragma once
#include "lib/Transforms/Plan/RegionPlanner.h"

namespace mlir::qtensor {

/// Bytes that never change, with the number of times that they are read while the model runs once.
struct ConstantBlock {
  int64_t size;
  double reads = 0;
  unsigned region = 0; ///< Set by planConstants, and the offset within it.
  int64_t offset = 0;
};

struct ConstantPlan {
  std::vector<int64_t> bytes; ///< Used of each region.
  int64_t missing = 0;        ///< Where blocks do not fit: bytes that all regions together lack at least.
};

/// Chooses a region of `regions` (none is for activations) and an offset for every block: those with the most reads per byte
/// first, each in the cheapest region that has room. What is in a region of copies lies in the first region of constants
/// too, from where it is copied: that is accounted there.
ConstantPlan planConstants(std::vector<ConstantBlock> &blocks, llvm::ArrayRef<ArenaRegion> regions, int64_t alignment);

} // namespace mlir::qtensor
