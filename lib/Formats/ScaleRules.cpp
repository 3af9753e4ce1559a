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

/// The finite values of a run, where some are not.
static void extendRange(ArrayRef<float> run, float offset, CellRange &range) {
  for (float value : run) {
    float v = value - offset;
    if (v - v == 0) {
      range.low = std::min(range.low, v);
      range.high = std::max(range.high, v);
    }
    range.hasNaN |= v != v;
  }
}

/// All cells of a row.
static void extendRow(const CellJob &job, int64_t row, MutableArrayRef<CellRange> ranges) {
  int64_t first = job.walk.getFirstCell(row), count = job.walk.getCellsPerRow();
  SmallVector<float> low(count), high(count);
  for (int64_t i = 0; i < count; ++i) {
    low[i] = ranges[first + i].low;
    high[i] = ranges[first + i].high;
  }
  ArrayRef<float> x = job.values.slice(row * job.walk.getRowLength(), job.walk.getRowLength());
  if (!extendRanges(x, size_t(job.walk.getRowBlock()), job.offset.from(first), low.data(), high.data())) {
    job.walk.forEachRun(row, [&](int64_t begin, int64_t length, int64_t cell) {
      extendRange(job.values.slice(begin, length), job.offset[cell], ranges[cell]);
    });
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    ranges[first + i].low = low[i];
    ranges[first + i].high = high[i];
  }
}

/// The value of largest magnitude; both signs may reach it, and then the first counts.
static float findPeak(ArrayRef<float> run, float offset, const CellRange &range) {
  if (-range.low != range.high)
    return range.high >= -range.low ? range.high : range.low;
  for (float value : run)
    if (std::fabs(value - offset) == range.high)
      return value - offset;
  return 0;
}

std::vector<CellRange> mlir::qtensor::computeRanges(const CellJob &job) {
  const float infinity = std::numeric_limits<float>::infinity();
  std::vector<CellRange> ranges(job.walk.getNumCells(), CellRange{infinity, -infinity, 0, false});
  forEachIndex(job.walk.getNumGroups(), job.parallel, [&](int64_t group) {
    job.walk.forEachRow(group, [&](int64_t row) { extendRow(job, row, ranges); });
    job.walk.forEachRow(group, [&](int64_t row) {
      job.walk.forEachRun(row, [&](int64_t first, int64_t count, int64_t cell) {
        CellRange &range = ranges[cell];
        if (range.low > range.high)
          range.low = range.high = 0;
        if (range.peak == 0)
          range.peak = findPeak(job.values.slice(first, count), job.offset[cell], range);
      });
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

static bool isPerCell(ParamAttr param) { return param && !param.getScalar() && param.getOwnBlock().empty(); }

CellFit::CellFit(BlockAttr encoding, const CodecRange &codec)
    : hasZero(encoding.getZero() && !encoding.getZero().getScalar()), hasOffset(isPerCell(encoding.getOffset())),
      codec(codec), offsetNegated(encoding.getOffset() && encoding.getOffset().getNegated()) {}

/// What an affine cell must reach down to: 0 where 0 must have a code, or where offsets are stored negated and so never
/// positive.
float CellFit::lowEnd(const CellRange &range) const {
  return hasZero || offsetNegated ? std::min(range.low, 0.0f) : range.low;
}

float CellFit::zero(const CellRange &range, float scale) const {
  float lowest = float(codec.lowest);
  return scale == 0 ? lowest : lowest - std::nearbyint(lowEnd(range) / scale);
}

float CellFit::offset(const CellRange &range, float scale) const {
  return lowEnd(range) - scale * float(codec.lowest);
}

float CellFit::scale(const CellRange &range) const {
  if (!hasZero && !hasOffset)
    return std::max(0.0f - range.low, range.high) / float(codec.amax); // +0 for a block of zeros
  float high = hasZero ? std::max(range.high, 0.0f) : range.high;
  return float((double(high) - double(lowEnd(range))) / (codec.highest - codec.lowest));
}

/// `fit` of every cell.
static std::vector<float> fitCells(const CellJob &job, ArrayRef<CellRange> ranges, const ParamValues &scale,
                                   float (CellFit::*fit)(const CellRange &, float) const) {
  CellFit cells(job.encoding, job.codec);
  std::vector<float> values(ranges.size());
  for (size_t cell = 0; cell < ranges.size(); ++cell)
    values[cell] = (cells.*fit)(ranges[cell], scale[int64_t(cell)]);
  return values;
}

std::vector<float> mlir::qtensor::computeZeros(const CellJob &job, ArrayRef<CellRange> ranges,
                                               const ParamValues &scale) {
  return CellFit(job.encoding, job.codec).hasZero ? fitCells(job, ranges, scale, &CellFit::zero) : std::vector<float>();
}

std::vector<float> mlir::qtensor::computeOffsets(const CellJob &job, ArrayRef<CellRange> ranges,
                                                 const ParamValues &scale) {
  return fitCells(job, ranges, scale, &CellFit::offset);
}

//===----------------------------------------------------------------------===//
// Rules
//===----------------------------------------------------------------------===//

static std::vector<float> absmaxScales(const CellJob &job, MutableArrayRef<CellRange> ranges) {
  CellFit fit(job.encoding, job.codec);
  std::vector<float> scales(ranges.size());
  for (auto [scale, range] : llvm::zip_equal(scales, ranges))
    scale = fit.scale(range);
  return scales;
}

/// The value of largest magnitude becomes the lowest code: one more step than absmax has, and scales of either sign.
static std::vector<float> signedMaxScales(const CellJob &job, MutableArrayRef<CellRange> ranges) {
  float lowest = float(job.codec.lowest < 0 ? job.codec.lowest : -job.codec.amax);
  std::vector<float> scales(ranges.size());
  for (auto [scale, range] : llvm::zip_equal(scales, ranges))
    scale = range.peak / lowest;
  return scales;
}

/// NVFP4 has a scale for the tensor, under which the largest block's is 448. No block's is below the smallest normal
/// e4m3, as in NVIDIA's and PyTorch's converters: in smaller ones too few bits would be left.
static std::vector<float> nvfp4Scales(const CellJob &job, MutableArrayRef<CellRange> ranges) {
  std::vector<float> scales = absmaxScales(job, ranges);
  float largest = 0;
  for (float scale : scales)
    largest = std::max(largest, scale);
  for (float &scale : scales)
    scale = std::max(scale, largest / 448.0f * 0x1p-6f);
  return scales;
}

/// OCP Microscaling: the exponent of the largest magnitude less that of the largest element; NaN poisons the block.
static std::vector<float> mxFloorScales(const CellJob &job, MutableArrayRef<CellRange> ranges) {
  int elementExponent = std::ilogb(job.codec.highest);
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
    {"nvfp4", "absmax, but at least 2^-6 of the tensor's scale", nvfp4Scales, /*wholeTensor=*/true},
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
