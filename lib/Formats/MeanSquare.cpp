// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The rule "mse": every cell is encoded under 32 ranges, each a fraction of its own, and the best is kept.
#include "lib/Formats/CodeReader.h"
#include "lib/Formats/ScaleRules.h"
#include "qtensor/Codec.h"
#include "qtensor/RecordEncoder.h"
#include <algorithm>

using namespace mlir;
using namespace mlir::qtensor;

static constexpr int kFractions = 32;

namespace {
/// What storing does to one number of a parameter; nothing where the parameter is an encoding of its own.
class StoredNumber {
public:
  explicit StoredNumber(ParamAttr param) {
    if (param && param.isData() && !isa<BlockAttr>(param.getValue()))
      codec = getParamCodec(param);
    if (codec && codec.getBits() < 32)
      nearest.emplace(codec);
  }
  float operator()(float value) const {
    return nearest ? float(decodeCode(codec, (*nearest)(value))) : value;
  }

private:
  CodecAttr codec;
  std::optional<NearestCode> nearest;
};

/// One cell's search.
struct Search {
  BlockAttr encoding;
  CodecRange codec = getCodecRange(encoding.getCodec());
  NearestCode nearest{encoding.getCodec()};
  CodeReader reader{encoding.getCodec(), int64_t(1) << 20};
  StoredNumber storedScale{encoding.getScale()}, storedZero{encoding.getZero()}, storedOffset{encoding.getOffset()};
  bool hasZero = isZeroPerCell(encoding), hasOffset = isOffsetPerCell(encoding);
  unsigned bytes = getContainerBytes(encoding.getCodec());
};
} // namespace

template <typename T>
static double sumSquares(const Search &search, ArrayRef<float> x, const CellRange &range, float offset) {
  float scale = search.storedScale(fitRange(search.encoding, search.codec, range));
  float zero = search.hasZero ? search.storedZero(fitZero(search.encoding, search.codec, range, scale)) : 0.0f;
  if (search.hasOffset)
    offset = search.storedOffset(fitOffset(search.encoding, search.codec, range, scale));
  constexpr size_t kStep = 256;
  T codes[kStep];
  float decoded[kStep];
  double sum = 0;
  for (size_t begin = 0; begin < x.size(); begin += kStep) {
    ArrayRef<float> run = x.slice(begin, std::min(kStep, x.size() - begin));
    search.nearest.encode(run, scale, zero, offset, codes);
    search.reader.decode(reinterpret_cast<const char *>(codes), 0, int64_t(run.size()), scale, zero, offset, decoded);
    for (size_t i = 0; i < run.size(); ++i) {
      double error = double(run[i]) - double(decoded[i]);
      sum += error - error == 0 ? error * error : 0;
    }
  }
  return sum;
}

static CellRange searchRange(const Search &search, ArrayRef<float> x, CellRange range, float offset) {
  CellRange best = range;
  double bestSum = 0;
  for (int i = 0; i < kFractions; ++i) {
    float fraction = 1.0f - float(i) / 40.0f;
    CellRange candidate = range;
    candidate.low *= fraction;
    candidate.high *= fraction;
    double sum = search.bytes == 1   ? sumSquares<int8_t>(search, x, candidate, offset)
                 : search.bytes == 2 ? sumSquares<int16_t>(search, x, candidate, offset)
                                     : sumSquares<int32_t>(search, x, candidate, offset);
    if (i == 0 || sum < bestSum) {
      best = candidate;
      bestSum = sum;
    }
  }
  return best;
}

std::vector<float> mlir::qtensor::mseScales(const CellJob &job, MutableArrayRef<CellRange> ranges) {
  Search search{job.encoding};
  std::vector<float> scales(ranges.size());
  int64_t perGroup = job.walk.getNumGroups() ? job.walk.getNumCells() / job.walk.getNumGroups() : 0;
  forEachIndex(job.walk.getNumGroups(), job.parallel, [&](int64_t group) {
    std::vector<std::vector<float>> x(perGroup);
    job.walk.forEachRow(group, [&](int64_t row) {
      job.walk.forEachRun(row, [&](int64_t first, int64_t count, int64_t cell) {
        ArrayRef<float> run = job.values.slice(first, count);
        llvm::append_range(x[cell - group * perGroup], run);
      });
    });
    for (int64_t cell = group * perGroup; cell < (group + 1) * perGroup; ++cell) {
      ranges[cell] = searchRange(search, x[cell - group * perGroup], ranges[cell], job.offset[cell]);
      scales[cell] = fitRange(search.encoding, search.codec, ranges[cell]);
    }
  });
  return scales;
}
