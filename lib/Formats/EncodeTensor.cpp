// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Real values to components: ranges of the cells, parameters stored, then codes under the stored parameters.
#include "lib/Formats/BlockWalk.h"
#include "lib/Formats/EncodeRecords.h"
#include "lib/Formats/Params.h"
#include "lib/Formats/ScaleRules.h"
#include "qtensor/Codec.h"
#include <atomic>
#include <numeric>

using namespace mlir;
using namespace mlir::qtensor;

/// Rounds all values under known parameters.
static void encodeCodes(ArrayRef<float> values, const BlockWalk &walk, CodecAttr codec, const ParamValues &scale,
                        const ParamValues &zero, const ParamValues &offset, const NearestCode &nearest, bool parallel,
                        MutableArrayRef<char> codes) {
  unsigned bytes = getContainerBytes(codec);
  forEachIndex(walk.getNumRows(), parallel, [&](int64_t row) {
    int64_t cell = walk.getFirstCell(row), first = row * walk.getRowLength();
    ArrayRef<float> x = values.slice(first, walk.getRowLength());
    CellNumbersOf cells{scale.from(cell), zero.from(cell), offset.from(cell)};
    size_t block = size_t(walk.getRowBlock());
    if (bytes == 1)
      nearest.encodeCells(x, block, cells, reinterpret_cast<int8_t *>(codes.data()) + first);
    else if (bytes == 2)
      nearest.encodeCells(x, block, cells, reinterpret_cast<int16_t *>(codes.data()) + first);
    else
      nearest.encodeCells(x, block, cells, reinterpret_cast<int32_t *>(codes.data()) + first);
  });
}

static LogicalResult checkShape(ArrayRef<float> values, ArrayRef<int64_t> shape, BlockAttr encoding,
                                EmitErrorFn emitError) {
  if (shape.size() != encoding.getBlock().size())
    return emitError() << "encoding clause B5: the block has rank " << encoding.getBlock().size() << ", the tensor "
                       << shape.size();
  if (llvm::any_of(shape, [](int64_t extent) { return extent < 0; }) || countElements(shape) != int64_t(values.size()))
    return emitError() << "the shape does not hold the " << values.size() << " values to encode";
  return success();
}

/// The rows that the blocks of `encoding` and of its parameters cover, in elements of a tensor of which one of its own
/// elements covers `unit` rows; 0 for all.
static int64_t getBlockRows(BlockAttr encoding, int64_t unit) {
  int64_t first = encoding.getBlock().empty() ? ShapedType::kDynamic : encoding.getBlock().front();
  if (ShapedType::isDynamic(first))
    return 0;
  int64_t rows = unit * first, all = rows;
  for (ParamAttr param : {encoding.getScale(), encoding.getZero(), encoding.getOffset()}) {
    if (!param || !param.isData())
      continue;
    int64_t own = rows;
    if (auto nested = dyn_cast<BlockAttr>(param.getValue()))
      own = getBlockRows(nested, rows);
    else if (!param.getOwnBlock().empty())
      own = ShapedType::isDynamic(param.getOwnBlock().front()) ? 0 : rows * param.getOwnBlock().front();
    if (own == 0)
      return 0;
    all = std::lcm(all, own);
  }
  return all;
}

int64_t mlir::qtensor::getIndependentRows(BlockAttr encoding, StringRef encoder) {
  const ScaleRule *rule = lookupScaleRule(encoder);
  return encoding.getBlock().size() < 2 || (rule && rule->wholeTensor) ? 0 : getBlockRows(encoding, 1);
}

/// Rows that are encoded at a time, so that ranges and codes are found in values that are near the processor; 0 where
/// that would change the result or is not worth it.
static int64_t getPartRows(ArrayRef<int64_t> shape, BlockAttr encoding, StringRef encoder, int64_t count) {
  constexpr int64_t kPartValues = int64_t(1) << 16;
  int64_t independent = getIndependentRows(encoding, encoder);
  if (!independent || count < 2 * kPartValues)
    return 0;
  int64_t part = independent * std::max<int64_t>(1, kPartValues / (independent * (count / shape.front())));
  return part < shape.front() ? part : 0;
}

/// Writes the codes to `codes`, and appends the components of the parameters to `params`.
static LogicalResult encodeByRule(ArrayRef<float> values, ArrayRef<int64_t> shape, BlockAttr encoding,
                                  const ScaleRule &rule, const EncodeOptions &options, MutableArrayRef<char> codes,
                                  std::vector<ComponentBytes> &params, EmitErrorFn emitError) {
  SmallVector<int64_t> grid = encoding.getGrid(shape);
  BlockWalk walk(shape, encoding.getBlock());
  ParamAttr offsetParam = encoding.getOffset();
  std::vector<ComponentBytes> offsetBytes;
  const NearestCode &nearest = options.nearest->get(encoding.getCodec());

  // An offset that several cells share is their mean; ranges are those of what remains.
  bool sharedOffset = offsetParam && !offsetParam.getOwnBlock().empty();
  FailureOr<ParamValues> offset = ParamValues(0.0f);
  if (sharedOffset || (offsetParam && offsetParam.getScalar())) {
    offset =
        storeParam(offsetParam, 0.0f, computeMeans(values, walk), grid, Merge::Mean, options, offsetBytes, emitError);
    if (failed(offset))
      return failure();
  }
  CellJob job{values, walk, encoding, *offset, options.parallel, nearest.getRange()};
  std::vector<CellRange> ranges = computeRanges(job);
  FailureOr<ParamValues> scale = storeParam(encoding.getScale(), 1.0f, rule.scales(job, ranges), grid, Merge::Largest,
                                            options, params, emitError);
  if (failed(scale))
    return failure();
  FailureOr<ParamValues> zero =
      storeParam(encoding.getZero(), 0.0f, computeZeros(job, ranges, *scale), grid, Merge::Mean, options, params, emitError);
  if (failed(zero))
    return failure();
  if (CellFit(encoding, job.codec).hasOffset) {
    offset = storeParam(offsetParam, 0.0f, computeOffsets(job, ranges, *scale), grid, Merge::Mean, options, offsetBytes,
                        emitError);
    if (failed(offset))
      return failure();
  }
  encodeCodes(values, walk, encoding.getCodec(), *scale, *zero, *offset, nearest, options.parallel, codes);
  llvm::move(offsetBytes, std::back_inserter(params));
  return success();
}

/// Part after part of `partRows` rows.
static FailureOr<std::vector<ComponentBytes>> encodeParts(ArrayRef<float> values, ArrayRef<int64_t> shape,
                                                          BlockAttr encoding, const ScaleRule &rule,
                                                          EncodeOptions options, int64_t partRows,
                                                          EmitErrorFn emitError) {
  SmallVector<Component> types;
  SmallVector<CodecAttr> codecs;
  encoding.getComponents(shape, encoding.getContext(), types);
  getComponentCodecs(encoding, codecs);
  std::vector<ComponentBytes> components;
  for (auto [type, codec] : llvm::zip_equal(types, codecs))
    components.emplace_back(countElements(type.type.getShape()) * getContainerBytes(codec));
  int64_t rowLength = int64_t(values.size()) / shape.front(), parts = llvm::divideCeil(shape.front(), partRows);
  unsigned codeBytes = getContainerBytes(encoding.getCodec());
  bool parallel = std::exchange(options.parallel, false);
  std::atomic<bool> failing = false;
  forEachIndex(parts, parallel, [&](int64_t part) {
    SmallVector<int64_t> rows(shape);
    rows.front() = std::min(partRows, shape.front() - part * partRows);
    int64_t first = part * partRows * rowLength, count = rows.front() * rowLength;
    std::vector<ComponentBytes> params;
    if (failed(encodeByRule(values.slice(first, count), rows, encoding, rule, options,
                            MutableArrayRef<char>(components.front()).slice(first * codeBytes, count * codeBytes), params,
                            emitError))) {
      failing = true;
      return;
    }
    // All parts but the last are of one size.
    for (auto [from, to] : llvm::zip_equal(params, MutableArrayRef(components).drop_front()))
      llvm::copy(from, part + 1 < parts ? to.begin() + part * from.size() : to.end() - from.size());
  });
  if (failing)
    return failure();
  return components;
}

FailureOr<std::vector<ComponentBytes>> mlir::qtensor::encodeTensor(ArrayRef<float> values, ArrayRef<int64_t> shape,
                                                                   BlockAttr encoding, const EncodeOptions &given,
                                                                   EmitErrorFn emitError) {
  NearestCodes own;
  EncodeOptions options = given;
  if (!options.nearest)
    options.nearest = &own;
  if (failed(checkShape(values, shape, encoding, emitError)))
    return failure();
  const RecordEncoder *encoder = lookupRecordEncoder(options.encoder);
  const ScaleRule *rule = lookupScaleRule(options.encoder);
  if (!encoder && !rule)
    return emitError() << "unknown encoder '" << options.encoder << "'; there are "
                       << llvm::join(getEncoderNames(), ", "),
           failure();
  if (encoder)
    return encodeRecords(values, shape, encoding, *encoder, options.parallel, emitError);
  if (int64_t part = getPartRows(shape, encoding, options.encoder, int64_t(values.size())))
    return encodeParts(values, shape, encoding, *rule, options, part, emitError);
  std::vector<ComponentBytes> components;
  components.emplace_back(values.size() * getContainerBytes(encoding.getCodec()));
  ComponentBytes codes = std::move(components.front());
  if (failed(encodeByRule(values, shape, encoding, *rule, options, codes, components, emitError)))
    return failure();
  components.front() = std::move(codes);
  return components;
}

FailureOr<ComponentBytes> mlir::qtensor::encodeWithParams(ArrayRef<float> values, ArrayRef<int64_t> shape,
                                                          BlockAttr encoding, ArrayRef<ArrayRef<char>> params,
                                                          EmitErrorFn emitError) {
  if (failed(checkShape(values, shape, encoding, emitError)))
    return failure();
  SmallVector<int64_t> grid = encoding.getGrid(shape);
  FailureOr<ParamValues> scale = loadParam(encoding.getScale(), 1.0f, grid, params, emitError);
  if (failed(scale))
    return failure();
  FailureOr<ParamValues> zero = loadParam(encoding.getZero(), 0.0f, grid, params, emitError);
  if (failed(zero))
    return failure();
  FailureOr<ParamValues> offset = loadParam(encoding.getOffset(), 0.0f, grid, params, emitError);
  if (failed(offset))
    return failure();
  if (!params.empty())
    return emitError() << params.size() << " parameter components too many", failure();
  ComponentBytes codes(values.size() * getContainerBytes(encoding.getCodec()));
  encodeCodes(values, BlockWalk(shape, encoding.getBlock()), encoding.getCodec(), *scale, *zero, *offset,
              NearestCode(encoding.getCodec()), /*parallel=*/true, codes);
  return codes;
}
