// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Kernel/CostModel.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::kernel;

Operations &Operations::operator+=(const Operations &other) {
  dot += other.dot, multiply += other.multiply, convert += other.convert, logic += other.logic, shift += other.shift;
  shuffle += other.shuffle, load += other.load, broadcast += other.broadcast, store += other.store;
  return *this;
}

Operations Operations::operator*(double factor) const {
  return {dot * factor,   multiply * factor, convert * factor,   logic * factor, shift * factor,
          shuffle * factor, load * factor,   broadcast * factor, store * factor};
}

/// Every tile reads all decoded weights again, and not always from the first-level cache.
static constexpr double kDecodedLoads = 2;
/// What is not the bound still gets in its way now and then.
static constexpr double kCollisions = 0.05;

double kernel::predictCycles(const CoreModel &core, const Operations &o) {
  double multiply = o.dot + o.multiply, loads = o.load / core.load + o.broadcast / core.broadcast;
  return kCollisions * loads + std::max({(multiply + o.convert + o.logic + o.shift + o.shuffle) / core.vectors, multiply / core.multiply,
                   o.convert / core.convert, o.shift / core.shift, o.shuffle / core.shuffle,
                                         loads, o.store / core.store});
}

/// Digits of fractions: which bounds one has reached, and the next one by doubling and adding (WeightReader).
static Operations countDigits(const qtile::LayoutAttr &layout, double groups) {
  double bounds = layout.getRadix() - 1, more = 1 - 1.0 / layout.getDigits();
  Operations o;
  o.load = groups / layout.getDigits();
  o.shuffle = groups * bounds; // Comparisons go where shuffles go.
  o.logic = groups * (2 * bounds - 1);
  o.convert = groups * more * (llvm::Log2_64(layout.getRadix()) + llvm::popcount(uint64_t(layout.getRadix())) - 1);
  return o;
}

/// Codes of one step of a column vector: loads and bit moves, as qtile.unpack expands.
static Operations countUnpack(const KernelSpec &spec) {
  Operations o;
  double groups = spec.getStep() / 4.0;
  if (spec.weight.layout.getRadix())
    return countDigits(spec.weight.layout, groups);
  bool first = true;
  for (unsigned width : spec.weight.layout.getPieces()) {
    if (!spec.weight.layout.hasIntegerCodes() || width == 8) {
      o.load += groups * width / 8;
      continue;
    }
    unsigned perVector = 8 / width;
    o.load += groups / perVector;
    o.logic += groups * (first ? 1 : 2);
    o.shift += groups * (first ? perVector - 1 : perVector) / perVector;
    first = false;
  }
  return o;
}

/// A table of `entries` in an instruction's segments of 64 bytes or 16 words, selected from.
static Operations countLookup(double entries, double segment, double vectors) {
  double segments = std::max(1.0, entries / segment);
  Operations o;
  o.shuffle = vectors * segments;
  o.logic = vectors * 2 * (segments - 1);
  return o;
}

/// A block's scale and what else a column has there.
static Operations countParameters(const KernelSpec &spec) {
  const PackedWeight &weight = spec.weight;
  Operations o;
  for (Type type : {weight.layout.getScale(), weight.layout.getZero(), weight.layout.getOffset()}) {
    if (!type)
      continue;
    o.load += 1;
    o.shuffle += type.isF32() ? 0 : 1;
    o.convert += type.isF32() ? 0 : 1;
  }
  o.multiply += (weight.layout.getScaleScale() ? 1 : 0) + (weight.layout.getOffsetScale() ? 1 : 0) + (weight.unit != 1 ? 1 : 0);
  return o;
}

static Operations countValues(const KernelSpec &spec) {
  Operations o = countUnpack(spec);
  const PackedWeight &weight = spec.weight;
  if (!weight.layout.hasIntegerCodes())
    return o;
  double values = spec.getStep();
  o.logic += values;
  o.shift += values * 3 / 4;
  if (!weight.values.empty())
    o += countLookup(weight.values.size(), 16, values);
  else
    o.convert += values * (weight.zero ? 2 : 1);
  return o;
}

Operations kernel::countProducts(const KernelSpec &spec, const TileMachine &machine, TileShape shape) {
  double codes = spec.weight.layout.getPaddedBlock(), count = shape.rows * shape.columns;
  Operations o;
  if (spec.strategy == SumStrategy::Float) {
    o.multiply = codes * count;
    return o;
  }
  double limbs = spec.weight.upper.empty() ? 1 : 2, dots = codes / 4 * count * limbs;
  o.dot = dots;
  if (!machine.pairSums)
    return o;
  // A pair product, an addition in i16 for most of them, and the widening product and its addition for the rest.
  o.multiply = dots / getPairSteps(spec.weight.max);
  o.convert = dots;
  return o;
}

Operations kernel::countDecode(const KernelSpec &spec, const TileMachine &) {
  Operations o;
  double steps = spec.getSteps();
  bool isFloat = spec.strategy == SumStrategy::Float;
  if (isFloat) {
    const qtile::LayoutAttr &layout = spec.weight.layout;
    o += countValues(spec) * steps;
    double applied = layout.getScale() || spec.weight.scale ? 1 : 0;
    o.multiply += spec.getStep() * steps * applied;
    o.convert += spec.getStep() * steps * ((layout.getZero() ? 1 : 0) + (layout.getOffset() ? 1 : 0));
    o += countParameters(spec);
    o.store += spec.getStep() * steps;
    return o;
  }
  o += countUnpack(spec) * steps;
  for (ArrayRef<uint8_t> table : {ArrayRef(spec.weight.bytes), ArrayRef(spec.weight.upper)}) {
    if (!table.empty())
      o += countLookup(table.size(), table.size() > 16 ? 64 : 16, spec.getStep() / 4.0 * steps);
    o.store += table.data() == spec.weight.upper.data() && table.empty() ? 0 : spec.getStep() / 4.0 * steps;
  }
  return o;
}

/// What turns the i32 sums of a block into f32 sums.
static Operations countScaling(const KernelSpec &spec, const TileMachine &machine, TileShape shape) {
  double rows = shape.rows, columns = shape.columns, count = rows * columns;
  const PackedWeight &weight = spec.weight;
  Operations o = countParameters(spec) * columns;
  o.broadcast += rows; // Where the sums of a block start.
  if (spec.integerResult)
    return o;
  o.convert += count;
  o.multiply += 2 * count;
  o.broadcast += rows;
  if (weight.layout.getOffset()) {
    o.convert += rows;
    o.multiply += 2 * count;
  }
  if (weight.layout.getZero()) {
    o.multiply += 2 * count;
    o.convert += count;
  }
  if (!weight.upper.empty()) {
    o.shift += count;
    o.convert += count;
  }
  if (keepsSumsInMemory(spec, machine, shape)) {
    o.load += count;
    o.store += count;
  }
  return o;
}

/// Cycles in which a block's weights come from the next cache; 0 where those of a unit stay in the first one for all rows.
static double predictStream(const CoreModel &core, const KernelSpec &spec, const TileMachine &machine, TileShape shape) {
  const qtile::LayoutAttr &layout = spec.weight.layout;
  double panel = layout.getCodeBytes() + layout.getParameterBytes();
  double vector = panel * machine.lanes / layout.getRows(), vectors = double(kUnitColumns) / machine.lanes;
  double blocks = std::max<double>(1, kRangeCodes / layout.getPaddedBlock());
  if (vector * vectors * blocks <= core.cache)
    return 0;
  bool readsPanels = shape.columns * machine.lanes == layout.getRows();
  return vector * shape.columns / (readsPanels ? core.stream : core.stream / 2);
}

double kernel::predictTile(const CoreModel &core, const KernelSpec &spec, const TileMachine &machine, const TileVariant &variant) {
  double cycles = predictCycles(core, countTile(spec, machine, variant));
  bool streams = variant.kind == TileVariant::Range && spec.strategy == SumStrategy::Integer;
  return streams ? std::max(cycles, predictStream(core, spec, machine, variant.shape)) : cycles;
}

Operations kernel::countTile(const KernelSpec &spec, const TileMachine &machine, const TileVariant &variant) {
  double columns = variant.shape.columns, codes = spec.weight.layout.getPaddedBlock();
  Operations o = countProducts(spec, machine, variant.shape), decode = countDecode(spec, machine);
  bool isFloat = spec.strategy == SumStrategy::Float;
  double limbs = isFloat || spec.weight.upper.empty() ? 1 : 2;
  o.broadcast += variant.shape.rows * codes / (isFloat ? 1 : 4) * limbs;
  if (variant.isDecoded()) {
    o.load += kDecodedLoads * decode.store * columns;
  } else {
    decode.store = 0;
    // The two limbs of several rows are taken one after the other.
    if (limbs == 2 && variant.shape.rows > 1)
      decode += countUnpack(spec) * spec.getSteps();
    o += decode * columns;
  }
  if (!isFloat)
    o += countScaling(spec, machine, variant.shape);
  return o;
}
