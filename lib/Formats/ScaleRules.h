// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the values of a cell to its parameters. A rule is a name and a function; records and users name it.
#pragma once
#include "lib/Formats/BlockWalk.h"
#include "lib/Formats/Params.h"
#include "qtensor/Codec.h"

namespace mlir::qtensor {
/// One encoding at work.
struct CellJob {
  ArrayRef<float> values;
  const BlockWalk &walk;
  BlockAttr encoding;
  const ParamValues &offset; ///< Known before the scales: scalar, or shared by cells; else 0.
  bool parallel;
  const CodecRange &codec;
};

/// Finite values of one cell, less the known offset. Both 0 when there is none.
struct CellRange {
  float low, high;
  float peak;  ///< The value of largest magnitude; the first of several.
  bool hasNaN;
};
std::vector<CellRange> computeRanges(const CellJob &job);

struct ScaleRule {
  llvm::StringLiteral name, summary;
  /// The ideal scale of every cell. A rule may shrink the ranges, which zero points and offsets are made of.
  std::vector<float> (*scales)(const CellJob &job, MutableArrayRef<CellRange> ranges);
  bool wholeTensor = false; ///< A scale depends on other cells than its own.
};
const ScaleRule *lookupScaleRule(StringRef name);
ArrayRef<ScaleRule> getScaleRules();

/// From the range of a cell to its ideal parameters.
class CellFit {
public:
  CellFit(BlockAttr encoding, const CodecRange &codec);
  /// The scale that makes the ends of `range` those of the codec.
  float scale(const CellRange &range) const;
  /// The zero point, or the offset, under a stored scale.
  float zero(const CellRange &range, float scale) const;
  float offset(const CellRange &range, float scale) const;
  const bool hasZero, hasOffset; ///< Every cell has one of its own, so that ranges need not be symmetric.
  const CodecRange codec;

private:
  float lowEnd(const CellRange &range) const;
  const bool offsetNegated;
};
/// The rule "mse".
std::vector<float> mseScales(const CellJob &job, MutableArrayRef<CellRange> ranges);

/// Zero points under the stored scales: the code that the smallest value of the cell (at most 0) becomes the lowest by.
std::vector<float> computeZeros(const CellJob &job, ArrayRef<CellRange> ranges, const ParamValues &scale);
/// Offsets under the stored scales: what the lowest code lacks to the smallest value.
std::vector<float> computeOffsets(const CellJob &job, ArrayRef<CellRange> ranges, const ParamValues &scale);
std::vector<float> computeMeans(ArrayRef<float> values, const BlockWalk &walk);
} // namespace mlir::qtensor
