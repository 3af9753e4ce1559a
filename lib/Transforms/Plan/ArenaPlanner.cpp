// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Plan/ArenaPlanner.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"
#include <functional>
#include <numeric>

using namespace mlir::qtensor;
using llvm::ArrayRef;
using llvm::MutableArrayRef;
using llvm::SmallVector;

using Order = std::function<bool(const ArenaBuffer &, const ArenaBuffer &)>;

static int64_t lowerBound(ArrayRef<ArenaBuffer> buffers, int64_t alignment) {
  int64_t bound = 0;
  for (const ArenaBuffer &at : buffers) { // The maximum is reached where some buffer begins.
    int64_t live = 0;
    for (const ArenaBuffer &buffer : buffers)
      if (buffer.begin <= at.begin && at.begin <= buffer.end)
        live += llvm::alignTo(buffer.size, alignment);
    bound = std::max(bound, live);
  }
  return bound;
}

/// Places buffers one by one in the given order, each at the lowest offset that is free during its life.
static int64_t firstFit(ArrayRef<ArenaBuffer> buffers, ArrayRef<unsigned> order, int64_t alignment,
                        MutableArrayRef<int64_t> offsets) {
  SmallVector<unsigned> placed; // Sorted by offset.
  int64_t bytes = 0;
  for (unsigned index : order) {
    const ArenaBuffer &buffer = buffers[index];
    int64_t size = llvm::alignTo(buffer.size, alignment), offset = 0;
    for (unsigned other : placed) {
      if (!buffer.overlapsInTime(buffers[other]))
        continue;
      if (offset + size <= offsets[other])
        break;
      offset = std::max<int64_t>(offset, offsets[other] + llvm::alignTo(buffers[other].size, alignment));
    }
    offsets[index] = offset;
    bytes = std::max(bytes, offset + size);
    placed.insert(llvm::lower_bound(placed, offset, [&](unsigned a, int64_t at) { return offsets[a] < at; }), index);
  }
  return bytes;
}

ArenaPlan mlir::qtensor::planArena(MutableArrayRef<ArenaBuffer> buffers, int64_t alignment) {
  ArenaPlan plan = {buffers.empty() ? 0 : std::numeric_limits<int64_t>::max(), lowerBound(buffers, alignment)};
  auto life = [](const ArenaBuffer &b) { return int64_t(b.end - b.begin + 1); };
  const Order orders[] = {
      [](auto &a, auto &b) { return a.size > b.size; },
      [](auto &a, auto &b) { return a.begin < b.begin; },
      [&](auto &a, auto &b) { return a.size * life(a) > b.size * life(b); },
      [&](auto &a, auto &b) { return life(a) > life(b); },
      [](auto &a, auto &b) { return a.end > b.end; },
  };
  SmallVector<int64_t> offsets(buffers.size());
  for (const Order &before : orders) {
    SmallVector<unsigned> order(buffers.size());
    std::iota(order.begin(), order.end(), 0);
    llvm::sort(order, [&](unsigned a, unsigned b) {
      return before(buffers[a], buffers[b]) || (!before(buffers[b], buffers[a]) && a < b);
    });
    int64_t bytes = firstFit(buffers, order, alignment, offsets);
    if (bytes >= plan.bytes)
      continue;
    plan.bytes = bytes;
    for (auto [buffer, offset] : llvm::zip_equal(buffers, offsets))
      buffer.offset = offset;
    if (bytes == plan.bound)
      break;
  }
  return plan;
}

unsigned mlir::qtensor::assignSlots(MutableArrayRef<ArenaBuffer> buffers, ArrayRef<unsigned> kinds) {
  SmallVector<unsigned> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](unsigned a, unsigned b) {
    return std::make_pair(-buffers[a].size, a) < std::make_pair(-buffers[b].size, b);
  });
  SmallVector<SmallVector<unsigned>> slots;
  for (unsigned index : order) {
    auto isFree = [&](ArrayRef<unsigned> slot) {
      return llvm::none_of(slot, [&](unsigned other) { return buffers[index].overlapsInTime(buffers[other]); });
    };
    auto sameKind = [&](ArrayRef<unsigned> slot) {
      return isFree(slot) && llvm::any_of(slot, [&](unsigned other) { return kinds[index] == kinds[other]; });
    };
    auto *slot = llvm::find_if(slots, sameKind);
    if (slot == slots.end())
      slot = llvm::find_if(slots, isFree);
    if (slot == slots.end())
      slot = &slots.emplace_back();
    buffers[index].offset = slot - slots.begin();
    slot->push_back(index);
  }
  return slots.size();
}
