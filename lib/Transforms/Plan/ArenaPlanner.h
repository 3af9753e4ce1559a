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

struct ArenaPlan {
  int64_t bytes; ///< Size of the arena.
  int64_t bound; ///< Most bytes live in one step: no plan is smaller.
};

/// Sets the offset of every buffer, a multiple of `alignment`, such that buffers that are live together do not overlap.
/// Tries first fit in several orders and keeps the smallest arena; stops early at the bound.
ArenaPlan planArena(llvm::MutableArrayRef<ArenaBuffer> buffers, int64_t alignment);

/// Gives every buffer a slot such that buffers that are live together have different slots. Here `size` is a guess:
/// large buffers open slots, small ones move in, and `kinds` (one number per buffer) says which sizes are surely equal.
/// Returns the number of slots.
unsigned assignSlots(llvm::MutableArrayRef<ArenaBuffer> buffers, llvm::ArrayRef<unsigned> kinds);

} // namespace mlir::qtensor
