// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Placement of buffers with known lifetimes in one arena. Knows numbers only, no IR.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include <cstdint>

namespace mlir::qtensor {

/// A buffer of `size` bytes that is live from step `begin` to step `end`, both included.
struct ArenaBuffer {
  int64_t size;
  unsigned begin, end;
  int64_t offset = 0; ///< Set by planArena, or the number of the slot, set by assignSlots.

  bool overlapsInTime(const ArenaBuffer &other) const { return begin <= other.end && other.begin <= end; }
};

/// Buffer `over` is first written in the step in which buffer `under` is last read, and may lie over it: where it begins at
/// least `distance` bytes before `under` does (a negative distance: at most so far behind), and the difference is a multiple
/// of `multiple`.
struct ArenaOverlap {
  unsigned over, under;
  int64_t distance, multiple;
};

struct ArenaPlan {
  int64_t bytes; ///< Size of the arena.
  int64_t bound; ///< Fewest bytes that some step needs: no plan is smaller.
};

/// Sets the offset of every buffer, a multiple of `alignment`, such that buffers that are live together do not overlap but
/// as `overlaps` allows. Tries first fit in several orders, then in many that differ a little from the best one, and keeps
/// the smallest arena; stops early at the bound, or at `enough` bytes. The same input has the same plan everywhere.
ArenaPlan planArena(llvm::MutableArrayRef<ArenaBuffer> buffers, int64_t alignment,
                    llvm::ArrayRef<ArenaOverlap> overlaps = {}, int64_t enough = 0);

/// Bytes without which the buffers that are live in a step have no room, each rounded up to `alignment`.
int64_t boundOfStep(llvm::ArrayRef<ArenaBuffer> buffers, int64_t alignment, llvm::ArrayRef<ArenaOverlap> overlaps,
                    unsigned step);

/// The arena that TFLite Micro's planner makes (greedy_memory_planner.cc): first fit of the largest first, of equal ones
/// the last; nothing lies over anything.
int64_t planGreedily(llvm::ArrayRef<ArenaBuffer> buffers, int64_t alignment);

/// Gives every buffer a slot such that buffers that are live together have different slots. Here `size` is a guess:
/// large buffers open slots, small ones move in, and `kinds` (one number per buffer) says which sizes are surely equal.
/// Returns the number of slots.
unsigned assignSlots(llvm::MutableArrayRef<ArenaBuffer> buffers, llvm::ArrayRef<unsigned> kinds);

} // namespace mlir::qtensor
