// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Formats/ScaleRules.h"
#include "lib/Formats/CodeReader.h"
#include "qtensor/Codec.h"
#include "qtensor/RecordEncoder.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

/// Smallest and largest finite value in 16 independent lanes, which the vectoriser keeps in registers.
static void extendRange(ArrayRef<float> run, float offset, CellRange &range) {
  constexpr size_t kLanes = 16;
  float low[kLanes], high[kLanes];
  uint32_t nan = 0;
  std::fill_n(low, kLanes, range.low);
  std::fill_n(high, kLanes, range.high);
  size_t i = 0;
  for (; i + kLanes <= run.size(); i += kLanes)
    for (size_t lane = 0; lane < kLanes; ++lane) {
      float v = run[i + lane] - offset;
      bool finite = v - v == 0;
      low[lane] = finite && v < low[lane] ? v : low[lane];
      high[lane] = finite && v > high[lane] ? v : high[lane];
      nan |= uint32_t(v != v);
    }
  for (; i < run.size(); ++i) {
    float v = run[i] - offset;
    if (v - v == 0) {
      low[0] = std::min(low[0], v);
      high[0] = std::max(high[0], v);
    }
    nan |= uint32_t(v != v);
  }
  range.low = *std::min_element(low, low + kLanes);
  range.high = *std::max_element(high, high + kLanes);
  range.hasNaN |= nan != 0;
}

std::vector<CellRange> mlir::qtensor::computeRanges(const CellJob &job) {
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<CellRange> ranges(job.walk.getNumCells(), CellRange{infinity, -infinity, 0, false});
  auto forEachRunOf = [&](int64_t group, auto fn) {
    job.walk.forEachRow(group, [&](int64_t row) { job.walk.forEachRun(row, fn); });
  };
  forEachIndex(job.walk.getNumGroups(), job.parallel, [&](int64_t group) {
    forEachRunOf(group, [&](int64_t first, int64_t count, int64_t cell) {
      extendRange(job.values.slice(first, count), job.offset[cell], ranges[cell]);
    });
    forEachRunOf(group, [&](int64_t first, int64_t count, int64_t cell) {
      CellRange &range = ranges[cell];
      if (range.low > range.high)
        range.low = range.high = 0;
      if (range.peak != 0 || -range.low != range.high) {
        range.peak = range.high >= -range.low ? range.high : range.low;
        return;
      }
      for (float value : job.values.slice(first, count)) // both signs reach the largest magnitude
        if (range.peak == 0 && std::fabs(value - job.offset[cell]) == range.high)
          range.peak = value - job.offset[cell];
    });
  });
  return ranges;
}

std::vector<float> mlir::qtensor::computeMeans(ArrayRef<float> values, const BlockWalk &walk) {
  std::vector<double> sum(walk.getNumCells());
  std::vector<int64_t> count(walk.getNumCells());
  for (int64_t row = 0; row < walk.getNumRows(); ++row)
    walk.forEachRun(row, [&](int64_t first, int64_t length, int64_t cell) {
      for (float value : values.slice(first, length)) {
        sum[cell] += std::isfinite(value) ? double(value) : 0;
        count[cell] += std::isfinite(value);
      }
    });
  std::vector<float> means(sum.size());
  for (size_t cell = 0; cell < sum.size(); ++cell)
    means[cell] = float(count[cell] ? sum[cell] / double(count[cell]) : 0);
  return means;
}

//===----------------------------------------------------------------------===//
// Zero points and offsets
//===----------------------------------------------------------------------===//

bool mlir::qtensor::isOffsetPerCell(BlockAttr encoding) {
  ParamAttr offset = encoding.getOffset();
  return offset && !offset.getScalar() && offset.getOwnBlock().empty();
}

bool mlir::qtensor::isZeroPerCell(BlockAttr encoding) {
  return encoding.getZero() && !encoding.getZero().getScalar();
}

/// The range that an affine cell must cover: it reaches 0 where 0 must have a code, or where offsets are stored negated
/// and so never positive.
static CellRange widen(BlockAttr encoding, CellRange range) {
  if (isZeroPerCell(encoding)) {
    range.low = std::min(range.low, 0.0f);
    range.high = std::max(range.high, 0.0f);
  } else if (encoding.getOffset() && encoding.getOffset().getNegated()) {
    range.low = std::min(range.low, 0.0f);
  }
  return range;
}

float mlir::qtensor::fitZero(BlockAttr encoding, const CodecRange &codec, const CellRange &range, float scale) {
  float lowest = float(codec.lowest);
  return scale == 0 ? lowest : lowest - std::nearbyint(widen(encoding, range).low / scale);
}

float mlir::qtensor::fitOffset(BlockAttr encoding, const CodecRange &codec, const CellRange &range, float scale) {
  return widen(encoding, range).low - scale * float(codec.lowest);
}

float mlir::qtensor::fitRange(BlockAttr encoding, const CodecRange &codec, const CellRange &range) {
  if (isZeroPerCell(encoding) || isOffsetPerCell(encoding)) {
    CellRange wide = widen(encoding, range);
    return float((double(wide.high) - double(wide.low)) / (codec.highest - codec.lowest));
  }
  return std::max(0.0f - range.low, range.high) / float(codec.amax); // +0 for a block of zeros
}

/// `fit` of every cell.
static std::vector<float> fitCells(const CellJob &job, ArrayRef<CellRange> ranges, const ParamValues &scale,
                                   float (*fit)(BlockAttr, const CodecRange &, const CellRange &, float)) {
  CodecRange codec = getCodecRange(job.encoding.getCodec());
  std::vector<float> values(ranges.size());
  for (size_t cell = 0; cell < ranges.size(); ++cell)
    values[cell] = fit(job.encoding, codec, ranges[cell], scale[int64_t(cell)]);
  return values;
}

std::vector<float> mlir::qtensor::computeZeros(const CellJob &job, ArrayRef<CellRange> ranges,
                                               const ParamValues &scale) {
  return isZeroPerCell(job.encoding) ? fitCells(job, ranges, scale, fitZero) : std::vector<float>();
}

std::vector<float> mlir::qtensor::computeOffsets(const CellJob &job, ArrayRef<CellRange> ranges,
                                                 const ParamValues &scale) {
  return fitCells(job, ranges, scale, fitOffset);
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

static std::vector<float> absmaxScales(const CellJob &job, MutableArrayRef<CellRange> ranges) {
  CodecRange codec = getCodecRange(job.encoding.getCodec());
  std::vector<float> scales(ranges.size());
  for (auto [scale, range] : llvm::zip_equal(scales, ranges))
    scale = fitRange(job.encoding, codec, range);
  return scales;
}

/// The value of largest magnitude becomes the lowest code: one more step than absmax has, and scales of either sign.
static std::vector<float> signedMaxScales(const CellJob &job, MutableArrayRef<CellRange> ranges) {
  CodecRange codec = getCodecRange(job.encoding.getCodec());
  float lowest = float(codec.lowest < 0 ? codec.lowest : -codec.amax);
  std::vector<float> scales(ranges.size());
  for (auto [scale, range] : llvm::zip_equal(scales, ranges))
    scale = range.peak / lowest;
  return scales;
}

/// OCP Microscaling: the exponent of the largest magnitude less that of the largest element; NaN poisons the block.
static std::vector<float> mxFloorScales(const CellJob &job, MutableArrayRef<CellRange> ranges) {
  int elementExponent = std::ilogb(getCodecRange(job.encoding.getCodec()).highest);
  std::vector<float> scales(ranges.size());
  for (auto [scale, range] : llvm::zip_equal(scales, ranges)) {
    float absmax = std::max(-range.low, range.high);
    if (range.hasNaN)
      scale = std::numeric_limits<float>::quiet_NaN();
    else if (absmax > 0)
      scale = std::ldexp(1.0f, std::max(std::ilogb(absmax) - elementExponent, -127));
  }
  return scales;
}

/// BitNet b1.58: the mean magnitude.
static std::vector<float> meanScales(const CellJob &job, MutableArrayRef<CellRange> ranges) {
  std::vector<float> magnitudes(job.values.size());
  for (auto [magnitude, value] : llvm::zip_equal(magnitudes, job.values))
    magnitude = std::fabs(value);
  return computeMeans(magnitudes, job.walk);
}

static const ScaleRule rules[] = {
    {"absmax", "the largest magnitude of a block becomes the codec's amax", absmaxScales},
    {"mean", "the mean magnitude", meanScales},
    {"mse", "the scale of least squared error among 32 fractions of absmax", mseScales},
    {"mx_floor", "a power of two, as OCP Microscaling converts", mxFloorScales},
    {"signed_max", "the value of largest magnitude becomes the lowest code", signedMaxScales},
};

ArrayRef<ScaleRule> mlir::qtensor::getScaleRules() { return rules; }

const ScaleRule *mlir::qtensor::lookupScaleRule(StringRef name) {
  const auto *rule = llvm::find_if(rules, [&](const ScaleRule &r) { return r.name == name; });
  return rule == std::end(rules) ? nullptr : rule;
}

std::vector<std::string> mlir::qtensor::getEncoderNames() {
  std::vector<std::string> names;
  for (const ScaleRule &rule : rules)
    names.push_back(rule.name.str());
  for (const RecordEncoder *encoder : getRecordEncoders())
    names.push_back(encoder->name.str());
  llvm::sort(names);
  return names;
}
