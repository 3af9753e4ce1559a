// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Formats/Params.h"
#include "lib/Formats/BlockWalk.h"
#include "lib/Formats/CodeReader.h"
#include "qtensor/Codec.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;

unsigned mlir::qtensor::getContainerBytes(CodecAttr codec) {
  return codec.getStorageType().getIntOrFloatBitWidth() / 8;
}

CodecAttr mlir::qtensor::getParamCodec(ParamAttr param) {
  if (auto type = dyn_cast<TypeAttr>(param.getValue()))
    return CodecAttr::getForFloat(cast<FloatType>(type.getValue()));
  return dyn_cast<CodecAttr>(param.getValue());
}

void mlir::qtensor::getComponentCodecs(BlockAttr encoding, SmallVectorImpl<CodecAttr> &codecs) {
  codecs.push_back(encoding.getCodec());
  for (ParamAttr param : {encoding.getScale(), encoding.getZero(), encoding.getOffset()}) {
    if (!param || !param.isData())
      continue;
    if (auto nested = dyn_cast<BlockAttr>(param.getValue()))
      getComponentCodecs(nested, codecs);
    else
      codecs.push_back(getParamCodec(param));
  }
}

int64_t mlir::qtensor::countElements(ArrayRef<int64_t> shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  return count;
}

/// Values of the cells of `grid` merged over the parameter's own block.
static std::vector<float> mergeCells(const std::vector<float> &ideal, ArrayRef<int64_t> grid, ArrayRef<int64_t> block,
                                     Merge merge) {
  BlockWalk walk(grid, block);
  std::vector<double> sum(walk.getNumCells()), count(walk.getNumCells());
  for (int64_t row = 0; row < walk.getNumRows(); ++row)
    walk.forEachRun(row, [&](int64_t first, int64_t length, int64_t cell) {
      for (int64_t i = first; i < first + length; ++i) {
        double value = ideal[i];
        if (merge == Merge::Mean)
          sum[cell] += value;
        else if (std::fabs(value) > std::fabs(sum[cell]))
          sum[cell] = value;
        count[cell] += 1;
      }
    });
  std::vector<float> merged(sum.size());
  for (size_t cell = 0; cell < sum.size(); ++cell)
    merged[cell] = float(merge == Merge::Mean && count[cell] > 0 ? sum[cell] / count[cell] : sum[cell]);
  return merged;
}

static std::vector<float> spreadCells(ArrayRef<float> values, ArrayRef<int64_t> grid, ArrayRef<int64_t> block) {
  std::vector<float> spread(countElements(grid));
  BlockWalk walk(grid, block);
  for (int64_t row = 0; row < walk.getNumRows(); ++row)
    walk.forEachRun(row, [&](int64_t first, int64_t length, int64_t cell) {
      std::fill_n(spread.begin() + first, length, values[cell]);
    });
  return spread;
}

/// Codes of a float type or codec, one per value; finite values stay finite.
static ComponentBytes storeCodes(CodecAttr codec, const NearestCode &nearest, ArrayRef<float> values) {
  unsigned bytes = getContainerBytes(codec);
  float lowest = float(nearest.getRange().lowest), highest = float(nearest.getRange().highest);
  std::vector<float> bounded(values);
  for (float &value : bounded)
    if (std::isfinite(value))
      value = std::clamp(value, lowest, highest);
  ComponentBytes buffer(values.size() * bytes);
  if (bytes == 1)
    nearest.encode(bounded, 1, 0, 0, reinterpret_cast<int8_t *>(buffer.data()));
  else if (bytes == 2)
    nearest.encode(bounded, 1, 0, 0, reinterpret_cast<int16_t *>(buffer.data()));
  else
    nearest.encode(bounded, 1, 0, 0, reinterpret_cast<int32_t *>(buffer.data()));
  return buffer;
}

FailureOr<ParamValues> mlir::qtensor::storeParam(ParamAttr param, float absent, std::vector<float> ideal,
                                                 ArrayRef<int64_t> grid, Merge merge, const EncodeOptions &options,
                                                 std::vector<ComponentBytes> &components, EmitErrorFn emitError) {
  if (!param)
    return ParamValues(absent);
  if (std::optional<double> scalar = param.getScalar())
    return ParamValues(float(*scalar));
  if (param.getNegated())
    for (float &value : ideal)
      value = -value;
  std::vector<ComponentBytes> stored;
  if (auto nested = dyn_cast<BlockAttr>(param.getValue())) {
    FailureOr<std::vector<ComponentBytes>> inner =
        encodeTensor(ideal, grid, nested, {"absmax", options.parallel, options.nearest}, emitError);
    if (failed(inner))
      return failure();
    stored = std::move(*inner);
  } else {
    if (!param.getOwnBlock().empty())
      ideal = mergeCells(ideal, grid, param.getOwnBlock(), merge);
    stored.push_back(storeCodes(getParamCodec(param), options.nearest->get(getParamCodec(param)), ideal));
  }
  SmallVector<ArrayRef<char>> views(stored.begin(), stored.end());
  ArrayRef<ArrayRef<char>> rest = views;
  FailureOr<ParamValues> values = loadParam(param, absent, grid, rest, emitError);
  llvm::move(stored, std::back_inserter(components));
  return values;
}

FailureOr<ParamValues> mlir::qtensor::loadParam(ParamAttr param, float absent, ArrayRef<int64_t> grid,
                                                ArrayRef<ArrayRef<char>> &components, EmitErrorFn emitError) {
  if (!param)
    return ParamValues(absent);
  if (std::optional<double> scalar = param.getScalar())
    return ParamValues(float(*scalar));
  std::vector<float> values;
  if (auto nested = dyn_cast<BlockAttr>(param.getValue())) {
    SmallVector<Component> types;
    nested.getComponents(grid, nested.getContext(), types);
    if (components.size() < types.size())
      return emitError() << "the encoding needs more components: " << types.size() << " for a nested parameter, got "
                         << components.size(),
             failure();
    values.resize(countElements(grid));
    if (failed(decodeTensor(components.take_front(types.size()), grid, nested, values, emitError)))
      return failure();
    components = components.drop_front(types.size());
  } else {
    CodecAttr codec = getParamCodec(param);
    ArrayRef<int64_t> own = param.getOwnBlock();
    int64_t count = own.empty() ? countElements(grid) : BlockWalk(grid, own).getNumCells();
    if (components.empty() || int64_t(components.front().size()) != count * getContainerBytes(codec))
      return emitError() << "a parameter component has " << (components.empty() ? 0 : components.front().size())
                         << " bytes, expected " << count * getContainerBytes(codec),
             failure();
    values.resize(count);
    CodeReader reader(codec, count);
    reader.decode(components.front().data(), 0, count, 1, 0, 0, values.data());
    if (!own.empty())
      values = spreadCells(values, grid, own);
    components = components.drop_front();
  }
  if (param.getNegated())
    for (float &value : values)
      value = -value;
  return ParamValues(std::move(values));
}
