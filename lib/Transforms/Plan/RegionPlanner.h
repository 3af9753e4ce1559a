// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Placement of buffers in several memories. Knows numbers only, no IR.
#pragma once
#include "lib/Transforms/Plan/ArenaPlanner.h"
#include "llvm/ADT/StringRef.h"
#include <limits>
#include <string>

namespace mlir::qtensor {

/// A memory that buffers may lie in.
struct ArenaRegion {
  /// What lies there: what the model writes; constants as they are stored; constants that start-up copies there from the
  /// first memory of constants.
  enum Use { Activations, Constants, Copies };

  std::string name;
  int64_t size = std::numeric_limits<int64_t>::max(); ///< Bytes that may be used.
  double cost = 1;                                    ///< Of an access to a byte, relative to other regions.
  Use use = Activations;
};

/// Reads "name:bytes", "name:bytes:cost" and either with ":constants" or ":copies" behind it; bytes may end in K or M
/// (powers of 2). False where the text is none of these.
bool parseRegion(llvm::StringRef text, ArenaRegion &region);

/// A buffer with the number of accesses to its bytes while the model runs once.
struct RegionBuffer {
  ArenaBuffer buffer; ///< Its offset is within the region.
  double accesses = 0;
  unsigned region = 0; ///< Set by planRegions.
};

struct RegionPlan {
  std::vector<ArenaPlan> regions; ///< Bytes used of each, and the bound for the buffers in it.
  double cost = 0;                ///< Accesses times cost.
  /// Where buffers do not fit: bytes that the largest arena lacks if all others are full, and a step that decides it.
  int64_t missing = 0;
  unsigned worstStep = 0;
};

/// Chooses a region and an offset for every buffer: those with the most accesses per byte first, each in the cheapest region
/// where all that lies there still fits. `overlaps` are of `buffers`.
RegionPlan planRegions(std::vector<RegionBuffer> &buffers, llvm::ArrayRef<ArenaRegion> regions, int64_t alignment,
                       llvm::ArrayRef<ArenaOverlap> overlaps = {});

} // namespace mlir::qtensor
