// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Kernel/UnitPlan.h"
#include "lib/Transforms/Kernel/CostModel.h"
#include "lib/Transforms/Kernel/Prepare.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::kernel;

/// Decoding must gain as much as this: below, the model is no better than a guess.
static constexpr double kLeastGain = 1.05;

/// Rows of the tiles that read weights for the first time, and the least vectors of columns that these have: they take what
/// lies in a panel in the order of its addresses, which the hardware's prefetching follows. Narrower tiles skip lines and ask
/// for what comes next themselves (WeightReader::askAhead), at most as fast as the first cache may miss.
static constexpr int64_t kStreamRows = 4, kStreamColumns = 4;

namespace {
class Planner {
public:
  Planner(const KernelSpec &spec, const TileMachine &machine) : spec(spec), machine(machine) {}
  UnitPlan plan();
  /// Cycles of one block and one column vector, for `rows` rows.
  double predictRows(const CoreModel &core, const TileSet &tiles, TileVariant::Kind kind, int64_t rows) const;
  double predictIdeal(const CoreModel &core, int64_t rows) const {
    return predictCycles(core, countProducts(spec, machine, {rows, 1}));
  }
  /// Of one tile, for one of its column vectors.
  double tileCycles(const CoreModel &core, TileVariant::Kind kind, TileShape shape) const {
    return predictTile(core, spec, machine, {kind, shape}) / shape.columns;
  }

private:
  /// Sums in memory are moved once a block: for blocks of one step only where no tile has all sums in registers.
  bool movesTooOften(TileShape shape) const {
    return spec.getSteps() == 1 && keepsSumsInMemory(spec, machine, shape);
  }
  /// How many times as slow as its products alone, over all cores.
  double slowness(TileVariant::Kind kind, TileShape shape) const;
  TileSet chooseTiles(TileVariant::Kind kind, int64_t height = 0) const;
  SmallVector<std::pair<int64_t, size_t>> chooseRuns(ArrayRef<TileShape> shapes, TileVariant::Kind kind,
                                                     function_ref<bool(TileShape)> isAllowed) const;
  bool spillsCodes(TileShape shape) const;
  void chooseStreams(TileSet &set) const;
  void chooseDecoding(UnitPlan &plan) const;

  const KernelSpec &spec;
  const TileMachine &machine;
};
} // namespace

double Planner::slowness(TileVariant::Kind kind, TileShape shape) const {
  double product = 1;
  for (const CoreModel &core : machine.cores)
    product *= tileCycles(core, kind, shape) / predictIdeal(core, shape.rows);
  return product;
}

/// Of tiles of as many rows the fastest; and none that is higher than the fastest of all. With `height` only that of so many
/// rows.
TileSet Planner::chooseTiles(TileVariant::Kind kind, int64_t height) const {
  TileSet set;
  TileShape best = machine.tiles.front();
  bool hasRegisters = llvm::any_of(machine.tiles, [&](TileShape shape) { return shape.rows > 1 && !movesTooOften(shape); });
  for (TileShape shape : machine.tiles) {
    if (shape.rows > 1 && hasRegisters && movesTooOften(shape))
      continue;
    if (shape.rows > 1 && slowness(kind, shape) <= slowness(kind, best))
      best = shape;
    if (set.shapes.empty() || set.shapes.back().rows != shape.rows)
      set.shapes.push_back(shape);
    else if (slowness(kind, shape) < slowness(kind, set.shapes.back()))
      set.shapes.back() = shape;
  }
  llvm::erase_if(set.shapes, [&](TileShape shape) { return height ? shape.rows != height : shape.rows > best.rows; });
  set.choices = set.streamChoices = chooseRuns(set.shapes, kind, [](TileShape) { return true; });
  if (kind == TileVariant::Range)
    chooseStreams(set);
  return set;
}

/// Codes in one piece leave their bytes one vector at a time. Of several pieces all vectors of a step are put together first.
bool Planner::spillsCodes(TileShape shape) const {
  return spec.weight.layout.getPieces().size() > 1 && spec.getStep() / 4 * shape.columns > machine.registers / 2;
}

static bool isWide(TileShape shape) { return shape.rows == kStreamRows && shape.columns >= kStreamColumns; }

/// The first rows of a unit read in the order of addresses. Where only sums in memory allow tiles as wide as that, they are
/// worth it for no more rows than one of them has.
void Planner::chooseStreams(TileSet &set) const {
  auto isStream = [](TileShape shape) { return shape.rows < kStreamRows || isWide(shape); };
  if (llvm::any_of(set.shapes, isWide)) {
    set.streamChoices = chooseRuns(set.shapes, TileVariant::Range, isStream);
    return;
  }
  auto *wide = llvm::find_if(machine.tiles, isWide);
  auto *after = llvm::find_if(set.shapes, [](TileShape shape) { return shape.rows > kStreamRows; });
  if (wide == machine.tiles.end() || after == set.shapes.end() || spillsCodes(*wide))
    return;
  set.shapes.insert(after, *wide);
  set.choices = chooseRuns(set.shapes, TileVariant::Range, [](TileShape shape) { return !isWide(shape); });
  set.streamChoices.clear();
  for (auto [rows, tile] : chooseRuns(set.shapes, TileVariant::Range, isStream))
    if (set.streamChoices.empty() || set.streamChoices.back().first < kStreamRows)
      set.streamChoices.push_back({std::min(rows, kStreamRows), tile});
  llvm::copy_if(set.choices, std::back_inserter(set.streamChoices), [](auto run) { return run.first > kStreamRows; });
}

/// The cheapest of the allowed tiles for each number of rows, over all cores.
SmallVector<std::pair<int64_t, size_t>> Planner::chooseRuns(ArrayRef<TileShape> shapes, TileVariant::Kind kind,
                                                            function_ref<bool(TileShape)> isAllowed) const {
  SmallVector<double> least{0};
  SmallVector<std::pair<int64_t, size_t>> choices;
  for (int64_t left = 1; left <= shapes.back().rows; ++left) {
    size_t best = 0;
    double bestCost = std::numeric_limits<double>::infinity();
    for (auto [i, shape] : llvm::enumerate(shapes)) {
      double cost = shape.rows * slowness(kind, shape) + least[std::max<int64_t>(0, left - shape.rows)];
      if (isAllowed(shape) && cost <= bestCost)
        best = i, bestCost = cost;
    }
    least.push_back(bestCost);
    if (choices.empty() || choices.back().second != best)
      choices.push_back({left, best});
    choices.back().first = left;
  }
  return choices;
}

double Planner::predictRows(const CoreModel &core, const TileSet &tiles, TileVariant::Kind kind, int64_t rows) const {
  double cycles = 0;
  if (kind == TileVariant::Decoded)
    cycles += predictCycles(core, countDecode(spec, machine));
  for (int64_t left = rows; left > 0;) {
    int64_t inTile = std::min(left, tiles.shapes.back().rows);
    auto *choice = llvm::find_if(tiles.choices, [&](auto run) { return inTile <= run.first; });
    TileShape shape = tiles.shapes[choice->second];
    cycles += tileCycles(core, kind, shape);
    left -= shape.rows;
  }
  return cycles;
}

/// From how many rows on decoding gains enough, if ever. The bytes of long blocks are cheap to unpack, and a range of them
/// would have to end inside a block.
void Planner::chooseDecoding(UnitPlan &plan) const {
  if (spec.variant == KernelVariant::Fused || (spec.strategy == SumStrategy::Integer && spec.hasDynamicSteps()))
    return;
  if (spec.variant == KernelVariant::Decoded) {
    plan.minDecodedRows = plan.height;
    return;
  }
  for (int64_t rows = plan.height; rows <= getStretchRows(spec); rows += plan.height) {
    double gain = 1;
    for (const CoreModel &core : machine.cores)
      gain *= predictRows(core, plan.fused, TileVariant::Range, rows) /
              predictRows(core, plan.decoded, TileVariant::Decoded, rows);
    if (std::pow(gain, 1.0 / machine.cores.size()) < kLeastGain)
      continue;
    plan.minDecodedRows = rows;
    return;
  }
}

UnitPlan Planner::plan() {
  UnitPlan plan;
  bool isFloat = spec.strategy == SumStrategy::Float;
  plan.rangeSteps = std::max<int64_t>(1, (isFloat ? kRangeValues : kRangeCodes) / spec.getStep());
  plan.fused = chooseTiles(TileVariant::Range);
  plan.decoded = chooseTiles(TileVariant::Decoded);
  plan.height = plan.fused.shapes.back().rows;
  if (isFloat && spec.variant != KernelVariant::Fused && plan.decoded.shapes.back().rows > 1) {
    // A value is decoded by a few instructions and multiplied by one for each row: fused tiles would be no faster for two
    // rows, and many times the code.
    plan.height = plan.decoded.shapes.back().rows;
    plan.fused = {};
    plan.minDecodedRows = 2;
    return plan;
  }
  if (machine.cores.empty())
    return plan;
  plan.decoded = chooseTiles(TileVariant::Decoded, plan.height);
  chooseDecoding(plan);
  return plan;
}

UnitPlan qtensor::planUnit(const KernelSpec &spec, const TileMachine &machine) { return Planner(spec, machine).plan(); }

void qtensor::explainPlan(const KernelSpec &spec, const TileMachine &machine, ArrayRef<int64_t> rows, llvm::raw_ostream &os) {
  Planner planner(spec, machine);
  UnitPlan plan = planner.plan();
  for (int64_t count : rows) {
    int64_t inUnit = std::min(count, getStretchRows(spec));
    bool decodes = inUnit >= plan.minDecodedRows;
    os << llvm::formatv("M={0}: {1};", count, inUnit == 1 ? "one row" : decodes ? "tile-decoded" : "register-fused");
    for (const CoreModel &core : machine.cores) {
      os << llvm::formatv(" {0}:", core.name);
      double ideal = planner.predictIdeal(core, inUnit);
      if (inUnit == 1) { // a kernel of its own, over all of K
        os << llvm::formatv(" fused {0:f2} of peak;", ideal / planner.tileCycles(core, TileVariant::Whole, machine.tiles.front()));
        continue;
      }
      for (auto &[tiles, kind, name] : {std::tuple(&plan.fused, TileVariant::Range, "fused"),
                                        std::tuple(&plan.decoded, TileVariant::Decoded, "decoded")})
        if (!tiles->shapes.empty())
          os << llvm::formatv(" {0} {1:f2}", name, ideal / planner.predictRows(core, *tiles, kind, inUnit));
      os << " of peak;";
    }
    os << '\n';
  }
}
