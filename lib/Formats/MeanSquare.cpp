// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The rule "mse": every cell is encoded under 32 ranges, each a fraction of its own, and the best is kept.
#include "lib/Formats/CodeReader.h"
#include "lib/Formats/ScaleRules.h"
#include "qtensor/Codec.h"
#include <algorithm>

using namespace mlir;
using namespace mlir::qtensor;

namespace {
/// What storing does to the numbers of a parameter; nothing where the parameter is an encoding of its own.
class StoredNumbers {
public:
  explicit StoredNumbers(ParamAttr param) {
    CodecAttr codec;
    if (param && param.isData() && !isa<BlockAttr>(param.getValue()))
      codec = getParamCodec(param);
    if (!codec || codec.getBits() >= 32)
      return;
    nearest.emplace(codec);
    reader.emplace(codec, int64_t(1) << 20);
    bytes = getContainerBytes(codec);
  }

  void operator()(MutableArrayRef<float> values) const {
    if (!nearest)
      return;
    int32_t codes[kCandidates];
    if (bytes == 1)
      nearest->encode(values, 1, 0, 0, reinterpret_cast<int8_t *>(codes));
    else if (bytes == 2)
      nearest->encode(values, 1, 0, 0, reinterpret_cast<int16_t *>(codes));
    else
      nearest->encode(values, 1, 0, 0, codes);
    reader->decode(reinterpret_cast<const char *>(codes), 0, int64_t(values.size()), 1, 0, 0, values.data());
  }

private:
  std::optional<NearestCode> nearest;
  std::optional<CodeReader> reader;
  unsigned bytes = 0;
};

/// One cell's search.
class Search {
public:
  explicit Search(BlockAttr encoding)
      : fit(encoding, getCodecRange(encoding.getCodec())), nearest(encoding.getCodec()), rule(nearest.getLaneRule()),
        reader(encoding.getCodec(), int64_t(1) << 20), storedScale(encoding.getScale()),
        storedZero(encoding.getZero()), storedOffset(encoding.getOffset()),
        bytes(getContainerBytes(encoding.getCodec())) {
    constexpr size_t kCounted = 40;
    if (rule && rule->thresholds.size() > kCounted)
      rule.reset(); // counting all thresholds takes longer than looking up the code
  }

  CellRange run(ArrayRef<float> x, CellRange range, float offset) const;
  const CellFit fit;

private:
  template <typename T>
  void sumSquaresByCode(ArrayRef<float> x, Candidates &candidates) const;

  NearestCode nearest;
  std::optional<LaneRule> rule; ///< Null where thresholds are many or codes are found one by one.
  CodeReader reader;
  StoredNumbers storedScale, storedZero, storedOffset;
  unsigned bytes;
};
} // namespace

/// sumSquares for codecs without a lane rule.
template <typename T>
void Search::sumSquaresByCode(ArrayRef<float> x, Candidates &candidates) const {
  constexpr size_t kStep = 256;
  T codes[kStep];
  float decoded[kStep];
  for (size_t i = 0; i < kCandidates; ++i) {
    float scale = candidates.scale[i], zero = candidates.zero[i], offset = candidates.offset[i];
    candidates.sum[i] = 0;
    for (size_t begin = 0; begin < x.size(); begin += kStep) {
      ArrayRef<float> run = x.slice(begin, std::min(kStep, x.size() - begin));
      nearest.encode(run, scale, zero, offset, codes);
      reader.decode(reinterpret_cast<const char *>(codes), 0, int64_t(run.size()), scale, zero, offset, decoded);
      for (size_t k = 0; k < run.size(); ++k) {
        double error = double(run[k]) - double(decoded[k]);
        candidates.sum[i] += error - error == 0 ? error * error : 0;
      }
    }
  }
}

CellRange Search::run(ArrayRef<float> x, CellRange range, float offset) const {
  CellRange ranges[kCandidates];
  Candidates candidates;
  for (size_t i = 0; i < kCandidates; ++i) {
    float fraction = 1.0f - float(i) / 40.0f;
    ranges[i] = range;
    ranges[i].low *= fraction;
    ranges[i].high *= fraction;
    candidates.scale[i] = fit.scale(ranges[i]);
  }
  storedScale(candidates.scale);
  for (size_t i = 0; i < kCandidates; ++i) {
    candidates.zero[i] = fit.hasZero ? fit.zero(ranges[i], candidates.scale[i]) : 0.0f;
    candidates.offset[i] = fit.hasOffset ? fit.offset(ranges[i], candidates.scale[i]) : offset;
  }
  if (fit.hasZero)
    storedZero(candidates.zero);
  if (fit.hasOffset)
    storedOffset(candidates.offset);
  if (rule)
    sumSquares(*rule, x, candidates);
  else if (bytes == 1)
    sumSquaresByCode<int8_t>(x, candidates);
  else if (bytes == 2)
    sumSquaresByCode<int16_t>(x, candidates);
  else
    sumSquaresByCode<int32_t>(x, candidates);
  return ranges[std::min_element(candidates.sum, candidates.sum + kCandidates) - candidates.sum];
}

/// The elements of each cell of a group, in order: lent where a cell is one run.
static void collectCells(const CellJob &job, int64_t group, MutableArrayRef<std::vector<float>> owned,
                         MutableArrayRef<ArrayRef<float>> cells) {
  bool oneRow = job.walk.getNumGroups() == job.walk.getNumRows();
  int64_t first = group * int64_t(cells.size());
  job.walk.forEachRow(group, [&](int64_t row) {
    job.walk.forEachRun(row, [&](int64_t begin, int64_t count, int64_t cell) {
      ArrayRef<float> run = job.values.slice(begin, count);
      cells[cell - first] = run;
      if (!oneRow)
        llvm::append_range(owned[cell - first], run);
    });
  });
  for (size_t i = 0; !oneRow && i < cells.size(); ++i)
    cells[i] = owned[i];
}

std::vector<float> mlir::qtensor::mseScales(const CellJob &job, MutableArrayRef<CellRange> ranges) {
  Search search(job.encoding);
  std::vector<float> scales(ranges.size());
  int64_t perGroup = job.walk.getCellsPerRow();
  forEachIndex(job.walk.getNumGroups(), job.parallel, [&](int64_t group) {
    std::vector<std::vector<float>> owned(perGroup);
    std::vector<ArrayRef<float>> x(perGroup);
    collectCells(job, group, owned, x);
    for (int64_t i = 0, cell = group * perGroup; i < perGroup; ++i, ++cell) {
      ranges[cell] = search.run(x[i], ranges[cell], job.offset[cell]);
      scales[cell] = search.fit.scale(ranges[cell]);
    }
  });
  return scales;
}
