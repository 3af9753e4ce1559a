// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Plan/RegionPlanner.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <numeric>

using namespace mlir::qtensor;
using llvm::ArrayRef;
using llvm::SmallVector;
using llvm::StringRef;

bool mlir::qtensor::parseRegion(StringRef text, ArenaRegion &region) {
  ArenaRegion::Use use = text.consume_back(":constants") ? ArenaRegion::Constants
                         : text.consume_back(":copies")  ? ArenaRegion::Copies
                                                         : ArenaRegion::Activations;
  auto [name, rest] = text.split(':');
  auto [bytes, cost] = rest.split(':');
  int64_t unit = bytes.consume_back_insensitive("k") ? 1024 : bytes.consume_back_insensitive("m") ? 1024 * 1024 : 1;
  int64_t count;
  if (name.empty() || !llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; }) || bytes.getAsInteger(10, count) ||
      count < 0 || count > (int64_t(1) << 32) / unit)
    return false;
  region = {name.str(), count * unit, 1, use};
  return cost.empty() ? !text.ends_with(":") : !cost.getAsDouble(region.cost) && std::isfinite(region.cost) && region.cost > 0;
}

namespace {
/// Buffers and the regions they are in so far.
class Assignment {
public:
  Assignment(std::vector<RegionBuffer> &buffers, ArrayRef<ArenaRegion> regions, int64_t alignment,
             ArrayRef<ArenaOverlap> overlaps)
      : buffers(buffers), regions(regions), alignment(alignment), overlaps(overlaps), members(regions.size()) {}

  /// Puts a buffer into a region if all that is there still fits.
  bool tryPlace(unsigned index, unsigned region) {
    if (buffers[index].buffer.size > regions[region].size)
      return false;
    members[region].push_back(index);
    if (plan(region, /*enough=*/regions[region].size).bytes > regions[region].size) {
      members[region].pop_back();
      return false;
    }
    buffers[index].region = region;
    return true;
  }

  /// The best plan of each region.
  std::vector<ArenaPlan> finish() {
    std::vector<ArenaPlan> plans;
    for (unsigned region = 0; region < regions.size(); ++region)
      plans.push_back(plan(region, /*enough=*/0));
    return plans;
  }

private:
  ArenaPlan plan(unsigned region, int64_t enough) {
    ArrayRef<unsigned> here = members[region];
    SmallVector<ArenaBuffer> all = llvm::map_to_vector(here, [&](unsigned i) { return buffers[i].buffer; });
    SmallVector<ArenaOverlap> pairs;
    for (const ArenaOverlap &pair : overlaps) {
      const unsigned *over = llvm::find(here, pair.over), *under = llvm::find(here, pair.under);
      if (over != here.end() && under != here.end())
        pairs.push_back({unsigned(over - here.begin()), unsigned(under - here.begin()), pair.distance, pair.multiple});
    }
    ArenaPlan made = planArena(all, alignment, pairs, enough);
    if (made.bytes <= regions[region].size)
      for (auto [i, placed] : llvm::zip_equal(here, all))
        buffers[i].buffer.offset = placed.offset;
    return made;
  }

  std::vector<RegionBuffer> &buffers;
  ArrayRef<ArenaRegion> regions;
  int64_t alignment;
  ArrayRef<ArenaOverlap> overlaps;
  std::vector<SmallVector<unsigned>> members;
};
} // namespace

/// The step that needs the most bytes, and how many.
static std::pair<int64_t, unsigned> findPeak(ArrayRef<RegionBuffer> buffers, int64_t alignment,
                                             ArrayRef<ArenaOverlap> overlaps) {
  SmallVector<ArenaBuffer> all = llvm::map_to_vector(buffers, [](const RegionBuffer &b) { return b.buffer; });
  std::pair<int64_t, unsigned> peak(0, 0);
  for (const ArenaBuffer &at : all)
    if (int64_t needed = boundOfStep(all, alignment, overlaps, at.begin); needed > peak.first)
      peak = {needed, at.begin};
  return peak;
}

RegionPlan mlir::qtensor::planRegions(std::vector<RegionBuffer> &buffers, ArrayRef<ArenaRegion> regions, int64_t alignment,
                                      ArrayRef<ArenaOverlap> overlaps) {
  SmallVector<unsigned> order(buffers.size()), cheapest(regions.size());
  std::iota(order.begin(), order.end(), 0);
  std::iota(cheapest.begin(), cheapest.end(), 0);
  auto density = [&](unsigned i) { return buffers[i].accesses / double(std::max<int64_t>(buffers[i].buffer.size, 1)); };
  llvm::stable_sort(order, [&](unsigned a, unsigned b) { return density(a) > density(b); });
  llvm::stable_sort(cheapest, [&](unsigned a, unsigned b) { return regions[a].cost < regions[b].cost; });
  Assignment assignment(buffers, regions, alignment, overlaps);
  RegionPlan plan;
  for (unsigned index : order) {
    auto *place = llvm::find_if(cheapest, [&](unsigned region) { return assignment.tryPlace(index, region); });
    if (place == cheapest.end()) {
      auto [needed, step] = findPeak(buffers, alignment, overlaps);
      int64_t room = 0;
      for (const ArenaRegion &region : regions)
        room += region.size;
      // Fragments can be what is missing: at least what this buffer needs beyond the room of all regions.
      plan.missing = std::max<int64_t>(needed - room, alignment);
      plan.worstStep = step;
      return plan;
    }
    plan.cost += buffers[index].accesses * regions[*place].cost;
  }
  plan.regions = assignment.finish();
  return plan;
}
