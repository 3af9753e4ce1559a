// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Plan/ArenaPlanner.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"
#include <functional>
#include <numeric>
#include <random>

using namespace mlir::qtensor;
using llvm::ArrayRef;
using llvm::MutableArrayRef;
using llvm::SmallVector;

using Order = std::function<bool(const ArenaBuffer &, const ArenaBuffer &)>;

int64_t mlir::qtensor::boundOfStep(ArrayRef<ArenaBuffer> buffers, int64_t alignment, ArrayRef<ArenaOverlap> overlaps,
                                   unsigned step) {
  auto sizeOf = [&](unsigned i) { return int64_t(llvm::alignTo(buffers[i].size, alignment)); };
  SmallVector<int64_t> saved(buffers.size(), 0);
  llvm::SmallDenseSet<unsigned> covered;
  for (const ArenaOverlap &pair : overlaps) {
    if (buffers[pair.over].begin != step)
      continue;
    int64_t over = sizeOf(pair.over), under = sizeOf(pair.under);
    saved[pair.over] += over + under - std::max({over, under, under + pair.distance});
    covered.insert(pair.under);
  }
  // What others lie over may vanish; nothing else that is live together does.
  int64_t live = 0, apart = 0;
  for (auto [i, buffer] : llvm::enumerate(buffers)) {
    if (step < buffer.begin || buffer.end < step)
      continue;
    live += sizeOf(i) - std::min(sizeOf(i), saved[i]);
    apart += covered.contains(i) ? 0 : sizeOf(i);
  }
  return std::max(live, apart);
}

namespace {
/// First fit: buffers are placed one by one, each at the lowest offset that those before leave it.
class FirstFit {
public:
  FirstFit(ArrayRef<ArenaBuffer> buffers, int64_t alignment, ArrayRef<ArenaOverlap> overlaps)
      : buffers(buffers), alignment(alignment), offsets(buffers.size()), partners(buffers.size()) {
    for (const ArenaOverlap &pair : overlaps) {
      partners[pair.over].push_back(&pair);
      partners[pair.under].push_back(&pair);
    }
  }

  /// Bytes of the arena that results.
  int64_t place(ArrayRef<unsigned> order);
  ArrayRef<int64_t> getOffsets() const { return offsets; }

private:
  int64_t sizeOf(unsigned i) const { return llvm::alignTo(buffers[i].size, alignment); }
  int64_t nextFree(unsigned index, int64_t offset, unsigned other) const;

  ArrayRef<ArenaBuffer> buffers;
  int64_t alignment;
  SmallVector<int64_t> offsets;
  SmallVector<SmallVector<const ArenaOverlap *, 4>> partners;
};
} // namespace

/// The lowest offset from `offset` on at which a buffer may lie for all that one other knows.
int64_t FirstFit::nextFree(unsigned index, int64_t offset, unsigned other) const {
  int64_t there = offsets[other], behind = there + sizeOf(other);
  if (!buffers[index].overlapsInTime(buffers[other]) || offset + sizeOf(index) <= there || offset >= behind)
    return offset;
  for (const ArenaOverlap *pair : partners[index]) {
    int64_t step = std::lcm(alignment, pair->multiple);
    if (pair->over == index && pair->under == other) {
      int64_t before = llvm::divideFloorSigned(there - offset, step) * step;
      return before >= pair->distance ? there - before : behind;
    }
    if (pair->over == other && pair->under == index)
      return std::min(behind, there + llvm::divideCeilSigned(std::max(offset - there, pair->distance), step) * step);
  }
  return behind;
}

int64_t FirstFit::place(ArrayRef<unsigned> order) {
  int64_t bytes = 0;
  for (auto [count, index] : llvm::enumerate(order)) {
    int64_t offset = 0;
    for (int64_t before = -1; before != offset;) {
      before = offset;
      for (unsigned other : order.take_front(count))
        offset = nextFree(index, offset, other);
    }
    offsets[index] = offset;
    bytes = std::max(bytes, offset + sizeOf(index));
  }
  return bytes;
}

static SmallVector<unsigned> sortedBy(ArrayRef<ArenaBuffer> buffers, const Order &before) {
  SmallVector<unsigned> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::stable_sort(order, [&](unsigned a, unsigned b) { return before(buffers[a], buffers[b]); });
  return order;
}

static bool isLarger(const ArenaBuffer &a, const ArenaBuffer &b) { return a.size > b.size; }

/// Equal ones in the reverse order.
static SmallVector<unsigned> greedyOrder(ArrayRef<ArenaBuffer> buffers) {
  SmallVector<unsigned> order(buffers.size());
  std::iota(order.rbegin(), order.rend(), 0);
  llvm::stable_sort(order, [&](unsigned a, unsigned b) { return isLarger(buffers[a], buffers[b]); });
  return order;
}

int64_t mlir::qtensor::planGreedily(ArrayRef<ArenaBuffer> buffers, int64_t alignment) {
  return FirstFit(buffers, alignment, {}).place(greedyOrder(buffers));
}

ArenaPlan mlir::qtensor::planArena(MutableArrayRef<ArenaBuffer> buffers, int64_t alignment,
                                   ArrayRef<ArenaOverlap> overlaps, int64_t enough) {
  ArenaPlan plan = {buffers.empty() ? 0 : std::numeric_limits<int64_t>::max(), 0};
  for (const ArenaBuffer &buffer : buffers) // The maximum is reached where some buffer begins.
    plan.bound = std::max(plan.bound, boundOfStep(buffers, alignment, overlaps, buffer.begin));
  auto life = [](const ArenaBuffer &b) { return int64_t(b.end - b.begin + 1); };
  enough = std::max(enough, plan.bound);
  FirstFit fit(buffers, alignment, overlaps);
  SmallVector<unsigned> best;
  auto attempt = [&](const SmallVector<unsigned> &order) {
    int64_t bytes = plan.bytes <= enough ? plan.bytes : fit.place(order);
    if (bytes >= plan.bytes)
      return;
    plan.bytes = bytes;
    best = order;
    for (auto [buffer, offset] : llvm::zip_equal(buffers, fit.getOffsets()))
      buffer.offset = offset;
  };
  attempt(sortedBy(buffers, isLarger));
  attempt(greedyOrder(buffers));
  attempt(sortedBy(buffers, [](auto &a, auto &b) { return a.begin < b.begin; }));
  attempt(sortedBy(buffers, [&](auto &a, auto &b) { return a.size * life(a) > b.size * life(b); }));
  attempt(sortedBy(buffers, [&](auto &a, auto &b) { return life(a) > life(b); }));
  attempt(sortedBy(buffers, [](auto &a, auto &b) { return a.end > b.end; }));
  // Small moves from the best order. Large models, of which hosts have many, take the orders above.
  constexpr size_t mostBuffers = 128;
  constexpr unsigned tries = 2000;
  std::minstd_rand random(1);
  for (unsigned i = 0; i < tries && buffers.size() > 1 && buffers.size() <= mostBuffers && plan.bytes > enough; ++i) {
    SmallVector<unsigned> order = best;
    for (unsigned moves = 1 + random() % 3; moves > 0; --moves) {
      unsigned from = random() % order.size(), to = random() % order.size();
      unsigned index = order[from];
      order.erase(order.begin() + from);
      order.insert(order.begin() + to, index);
    }
    attempt(order);
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
