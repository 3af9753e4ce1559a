// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Plan/ConstantPlanner.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace mlir::qtensor;
using llvm::ArrayRef;
using llvm::SmallVector;

/// By a number of their own, the smallest first.
static SmallVector<unsigned> orderBy(unsigned count, llvm::function_ref<double(unsigned)> key) {
  SmallVector<unsigned> order(count);
  std::iota(order.begin(), order.end(), 0);
  llvm::stable_sort(order, [&](unsigned a, unsigned b) { return key(a) < key(b); });
  return order;
}

ConstantPlan mlir::qtensor::planConstants(std::vector<ConstantBlock> &blocks, ArrayRef<ArenaRegion> regions,
                                          int64_t alignment) {
  ConstantPlan plan;
  plan.bytes.assign(regions.size(), 0);
  unsigned source = llvm::find_if(regions, [](auto &r) { return r.use == ArenaRegion::Constants; }) - regions.begin();
  int64_t copied = 0; // What copies take where they come from.
  auto used = [&](unsigned region) { return plan.bytes[region] + (region == source ? copied : 0); };
  auto hasRoom = [&](unsigned region, int64_t size) { return size <= regions[region].size - used(region); };
  SmallVector<unsigned> cheapest = orderBy(regions.size(), [&](unsigned i) { return regions[i].cost; });
  int64_t unplaced = 0, room = 0;
  for (unsigned index :
       orderBy(blocks.size(), [&](unsigned i) { return -blocks[i].reads / double(std::max<int64_t>(blocks[i].size, 1)); })) {
    int64_t size = llvm::alignTo(blocks[index].size, alignment);
    auto fits = [&](unsigned region) {
      return hasRoom(region, size) && (regions[region].use != ArenaRegion::Copies || hasRoom(source, size));
    };
    auto *place = llvm::find_if(cheapest, fits);
    if (place == cheapest.end()) {
      unplaced += size;
      continue;
    }
    blocks[index].region = *place;
    blocks[index].offset = plan.bytes[*place];
    plan.bytes[*place] += size;
    copied += regions[*place].use == ArenaRegion::Copies ? size : 0;
  }
  for (unsigned region = 0; region < regions.size(); ++region)
    if (regions[region].use == ArenaRegion::Constants)
      room += regions[region].size - used(region);
  // What is left in several memories may be too small for one block each.
  plan.missing = unplaced ? std::max<int64_t>(unplaced - room, alignment) : 0;
  return plan;
}
