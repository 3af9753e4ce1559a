// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Real values to components: ranges of the cells, parameters stored, then codes under the stored parameters.
#include "lib/Formats/BlockWalk.h"
#include "lib/Formats/EncodeRecords.h"
#include "lib/Formats/Params.h"
#include "lib/Formats/ScaleRules.h"
#include "qtensor/Codec.h"
#include <numeric>

using namespace mlir;
using namespace mlir::qtensor;

/// Rounds all values under known parameters.
static ComponentBytes encodeCodes(ArrayRef<float> values, const BlockWalk &walk, CodecAttr codec,
                                  const ParamValues &scale, const ParamValues &zero, const ParamValues &offset,
                                  const NearestCode &nearest, bool parallel) {
  unsigned bytes = getContainerBytes(codec);
  ComponentBytes codes(values.size() * bytes);
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
  return codes;
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

FailureOr<std::vector<ComponentBytes>> mlir::qtensor::encodeTensor(ArrayRef<float> values, ArrayRef<int64_t> shape,
                                                                   BlockAttr encoding, const EncodeOptions &given,
                                                                   EmitErrorFn emitError) {
  NearestCodes own;
  EncodeOptions options = given;
  if (!options.nearest)
    options.nearest = &own;
  if (failed(checkShape(values, shape, encoding, emitError)))
    return failure();
  if (const RecordEncoder *encoder = lookupRecordEncoder(options.encoder))
    return encodeRecords(values, shape, encoding, *encoder, options.parallel, emitError);
  const ScaleRule *rule = lookupScaleRule(options.encoder);
  if (!rule)
    return emitError() << "unknown encoder '" << options.encoder << "'; there are "
                       << llvm::join(getEncoderNames(), ", "),
           failure();
  SmallVector<int64_t> grid = encoding.getGrid(shape);
  BlockWalk walk(shape, encoding.getBlock());
  ParamAttr offsetParam = encoding.getOffset();
  std::vector<ComponentBytes> scaleBytes, zeroBytes, offsetBytes;

  // An offset that several cells share is their mean; ranges are those of what remains.
  bool sharedOffset = offsetParam && !offsetParam.getOwnBlock().empty();
  FailureOr<ParamValues> offset = ParamValues(0.0f);
  if (sharedOffset || (offsetParam && offsetParam.getScalar())) {
    offset =
        storeParam(offsetParam, 0.0f, computeMeans(values, walk), grid, Merge::Mean, options, offsetBytes, emitError);
    if (failed(offset))
      return failure();
  }
  CellJob job{values, walk, encoding, *offset, options.parallel};
  std::vector<CellRange> ranges = computeRanges(job);
  FailureOr<ParamValues> scale = storeParam(encoding.getScale(), 1.0f, rule->scales(job, ranges), grid, Merge::Largest,
                                            options, scaleBytes, emitError);
  if (failed(scale))
    return failure();
  FailureOr<ParamValues> zero = storeParam(encoding.getZero(), 0.0f, computeZeros(job, ranges, *scale), grid,
                                           Merge::Mean, options, zeroBytes, emitError);
  if (failed(zero))
    return failure();
  if (CellFit(encoding).hasOffset) {
    offset = storeParam(offsetParam, 0.0f, computeOffsets(job, ranges, *scale), grid, Merge::Mean, options, offsetBytes,
                        emitError);
    if (failed(offset))
      return failure();
  }
  std::vector<ComponentBytes> components;
  components.push_back(encodeCodes(values, walk, encoding.getCodec(), *scale, *zero, *offset,
                                   options.nearest->get(encoding.getCodec()), options.parallel));
  for (std::vector<ComponentBytes> *part : {&scaleBytes, &zeroBytes, &offsetBytes})
    llvm::move(*part, std::back_inserter(components));
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
  NearestCode nearest(encoding.getCodec());
  return encodeCodes(values, BlockWalk(shape, encoding.getBlock()), encoding.getCodec(), *scale, *zero, *offset, nearest,
                     true);
}
