// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Reference/Encoding.h"
#include "lib/Reference/Codec.h"
#include "mlir/IR/BuiltinTypes.h"
#include <cmath>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::reference;

static float roundToFloat(double value) { return static_cast<float>(value); }

/// Extents of blocks and of their grid; `?` is the whole extent.
static void computeGrid(ArrayRef<int64_t> shape, ArrayRef<int64_t> spelled, SmallVector<int64_t> &block,
                        SmallVector<int64_t> &grid) {
  for (auto [extent, size] : llvm::zip_equal(shape, spelled)) {
    block.push_back(ShapedType::isDynamic(size) ? std::max<int64_t>(extent, 1) : size);
    grid.push_back(ShapedType::isDynamic(size) ? 1 : (extent + size - 1) / size);
  }
}

/// Which element of the grid holds the element of `shape` at a row-major position.
static int64_t findBlock(int64_t position, ArrayRef<int64_t> shape, ArrayRef<int64_t> block, ArrayRef<int64_t> grid) {
  int64_t found = 0, stride = 1;
  for (int64_t dim = int64_t(shape.size()) - 1; dim >= 0; --dim) {
    found += position % shape[dim] / block[dim] * stride;
    stride *= grid[dim];
    position /= shape[dim];
  }
  return found;
}

SmallVector<Component> mlir::qtensor::reference::getComponentTypes(BlockAttr encoding, ArrayRef<int64_t> shape) {
  SmallVector<Component> components;
  encoding.getComponents(shape, encoding.getContext(), components);
  return components;
}

/// `spans` is what one element of the tensor under `encoding` covers of the whole, whose extents are `whole`.
static void appendSteps(BlockAttr encoding, ArrayRef<int64_t> whole, SmallVector<int64_t> spans,
                        SmallVector<SmallVector<int64_t>> &steps) {
  auto multiply = [&](ArrayRef<int64_t> block) {
    SmallVector<int64_t> product;
    for (auto [span, size, extent] : llvm::zip_equal(spans, block, whole))
      product.push_back(ShapedType::isDynamic(size) ? std::max<int64_t>(extent, 1) : span * size);
    return product;
  };
  steps.push_back(spans);
  spans = multiply(encoding.getBlock());
  for (ParamAttr param : {encoding.getScale(), encoding.getZero(), encoding.getOffset()}) {
    if (!param || !param.isData())
      continue;
    if (auto nested = dyn_cast<BlockAttr>(param.getValue()))
      appendSteps(nested, whole, spans, steps);
    else
      steps.push_back(param.getOwnBlock().empty() ? spans : multiply(param.getOwnBlock()));
  }
}

SmallVector<SmallVector<int64_t>> mlir::qtensor::reference::getComponentSteps(BlockAttr encoding,
                                                                              ArrayRef<int64_t> shape) {
  SmallVector<SmallVector<int64_t>> steps;
  appendSteps(encoding, shape, SmallVector<int64_t>(shape.size(), 1), steps);
  return steps;
}

int64_t Parameters::getBlock(int64_t position) const { return findBlock(position, shape, block, grid); }

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

static FailureOr<Tensor> zeroF32(MLIRContext *context, ArrayRef<int64_t> shape, EmitError emitError) {
  FailureOr<Tensor> tensor = Tensor::zeros(Float32Type::get(context), shape);
  if (failed(tensor))
    return emitError() << "reference: shape [" << shape << "] is too large";
  return tensor;
}

/// One parameter over `grid`. Takes its components from the front of `components`.
static FailureOr<Parameter> decodeParameter(ParamAttr param, ArrayRef<int64_t> grid, ArrayRef<Tensor> &components,
                                            EmitError emitError) {
  Parameter result;
  if (!param)
    return result;
  result.present = true;
  if (std::optional<double> scalar = param.getScalar()) {
    result.constant = roundToFloat(*scalar);
    return result;
  }
  size_t used = 1;
  MLIRContext *context = param.getContext();
  if (auto nested = dyn_cast<BlockAttr>(param.getValue()))
    used = getComponentTypes(nested, grid).size();
  if (components.size() < used)
    return emitError() << "reference: the encoding has more components than are given";
  ArrayRef<Tensor> own = components.take_front(used);
  components = components.drop_front(used);
  FailureOr<Tensor> values = zeroF32(context, grid, emitError);
  if (failed(values))
    return failure();
  if (auto nested = dyn_cast<BlockAttr>(param.getValue())) {
    values = decodeTensor(nested, grid, Float32Type::get(context), own, emitError);
    if (failed(values))
      return failure();
  } else {
    std::optional<Codec> codec;
    if (auto attribute = dyn_cast<CodecAttr>(param.getValue()))
      codec.emplace(attribute);
    SmallVector<int64_t> block, ownGrid;
    SmallVector<int64_t> ones(grid.size(), 1);
    computeGrid(grid, param.getOwnBlock().empty() ? ArrayRef<int64_t>(ones) : param.getOwnBlock(), block, ownGrid);
    if (own[0].getShape() != ArrayRef<int64_t>(ownGrid))
      return emitError() << "reference: a parameter has shape [" << own[0].getShape() << "], expected [" << ownGrid
                         << "]";
    for (int64_t position = 0, count = values->getNumElements(); position < count; ++position) {
      int64_t at = findBlock(position, grid, block, ownGrid);
      values->setReal(position, codec ? codec->decode(own[0].getInteger(at)) : own[0].getReal(at));
    }
  }
  if (param.getNegated())
    for (int64_t position = 0, count = values->getNumElements(); position < count; ++position)
      values->setReal(position, -values->getReal(position));
  result.values = std::move(*values);
  return result;
}

FailureOr<Parameters> Parameters::decode(BlockAttr encoding, ArrayRef<int64_t> shape, ArrayRef<Tensor> components,
                                         EmitError emitError) {
  Parameters result;
  result.shape.assign(shape.begin(), shape.end());
  computeGrid(shape, encoding.getBlock(), result.block, result.grid);
  FailureOr<Parameter> scale = decodeParameter(encoding.getScale(), result.grid, components, emitError);
  if (failed(scale))
    return failure();
  FailureOr<Parameter> zero = decodeParameter(encoding.getZero(), result.grid, components, emitError);
  if (failed(zero))
    return failure();
  FailureOr<Parameter> offset = decodeParameter(encoding.getOffset(), result.grid, components, emitError);
  if (failed(offset))
    return failure();
  if (!components.empty())
    return emitError() << "reference: " << components.size() << " components too many for the encoding";
  result.scale = std::move(*scale);
  result.zero = std::move(*zero);
  result.offset = std::move(*offset);
  return result;
}

FailureOr<Tensor> mlir::qtensor::reference::decodeTensor(BlockAttr encoding, ArrayRef<int64_t> shape, Type elementType,
                                                         ArrayRef<Tensor> components, EmitError emitError) {
  if (components.empty() || components[0].getShape() != shape)
    return emitError() << "reference: the codes of an encoded tensor have its shape, [" << shape << "]";
  FailureOr<Parameters> parameters = Parameters::decode(encoding, shape, components.drop_front(), emitError);
  if (failed(parameters))
    return failure();
  FailureOr<Tensor> values = Tensor::zeros(elementType, shape);
  if (failed(values))
    return emitError() << "reference: no values of shape [" << shape << "] and type " << elementType;
  Codec codec(encoding.getCodec());
  for (int64_t position = 0, count = values->getNumElements(); position < count; ++position) {
    int64_t block = parameters->getBlock(position);
    float value = roundToFloat(codec.decode(components[0].getInteger(position)));
    if (parameters->zero.present)
      value = roundToFloat(double(value) - parameters->zero.get(block));
    if (parameters->scale.present)
      value = roundToFloat(double(value) * parameters->scale.get(block));
    if (parameters->offset.present)
      value = roundToFloat(double(value) + parameters->offset.get(block));
    values->setReal(position, value);
  }
  return values;
}

//===----------------------------------------------------------------------===//
// Encoding
//===----------------------------------------------------------------------===//

namespace {
/// The finite values of one block.
struct FiniteRange {
  double low = 0, high = 0;
  bool empty = true;

  void include(double value) {
    if (!std::isfinite(value))
      return;
    low = empty ? value : std::min(low, value);
    high = empty ? value : std::max(high, value);
    empty = false;
  }
};
} // namespace

static bool isData(ParamAttr param) { return param && param.isData(); }

/// What the parameters must cover: zero has a code where there is a zero point, and an offset that is stored negated is
/// not positive.
static FiniteRange widen(BlockAttr encoding, FiniteRange range) {
  if (isData(encoding.getZero())) {
    range.low = std::min(range.low, 0.0);
    range.high = std::max(range.high, 0.0);
  } else if (encoding.getOffset() && encoding.getOffset().getNegated()) {
    range.low = std::min(range.low, 0.0);
  }
  return range;
}

/// The components of a computed parameter: rounded to the parameter's type, or encoded in turn.
static FailureOr<SmallVector<Tensor>> storeParameter(ParamAttr param, Tensor values, EmitError emitError) {
  int64_t count = values.getNumElements();
  if (param.getNegated())
    for (int64_t at = 0; at < count; ++at)
      values.setReal(at, -values.getReal(at));
  if (auto nested = dyn_cast<BlockAttr>(param.getValue()))
    return encodeTensor(nested, values, {}, emitError);
  if (!param.getOwnBlock().empty())
    return emitError() << "reference: a parameter that blocks share must be given";
  std::optional<Codec> codec;
  Type type;
  if (auto attribute = dyn_cast<CodecAttr>(param.getValue())) {
    codec.emplace(attribute);
    type = attribute.getStorageType();
  } else {
    type = cast<TypeAttr>(param.getValue()).getValue();
  }
  FailureOr<Tensor> stored = Tensor::zeros(type, values.getShape());
  if (failed(stored))
    return emitError() << "reference: parameters cannot be stored as " << type;
  for (int64_t at = 0; at < count; ++at) {
    double value = values.getReal(at);
    if (codec) {
      stored->setInteger(at, codec->encode(value));
      continue;
    }
    stored->setReal(at, value);
    if (std::isfinite(value) && std::isinf(stored->getReal(at))) // a finite parameter stays finite
      stored->setReal(at, std::copysign(stored->getFormat().getLargest(), value));
  }
  return SmallVector<Tensor>{std::move(*stored)};
}

namespace {
/// Finds the parameters of one tensor by the absmax rule.
class ParameterFinder {
public:
  ParameterFinder(BlockAttr encoding, const Tensor &values, EmitError emitError)
      : encoding(encoding), codec(encoding.getCodec()), emitError(emitError) {
    computeGrid(values.getShape(), encoding.getBlock(), block, grid);
    ranges.resize(*countElements(grid));
    for (int64_t position = 0, count = values.getNumElements(); position < count; ++position)
      ranges[findBlock(position, values.getShape(), block, grid)].include(values.getReal(position));
  }

  FailureOr<SmallVector<Tensor>> find();

private:
  /// Stores a value per block and reads it back.
  LogicalResult add(ParamAttr param, Parameter &parameter,
                    function_ref<float(int64_t block, FiniteRange range)> compute);

  BlockAttr encoding;
  Codec codec;
  EmitError emitError;
  SmallVector<int64_t> block, grid;
  std::vector<FiniteRange> ranges;
  SmallVector<Tensor> components;
};
} // namespace

LogicalResult ParameterFinder::add(ParamAttr param, Parameter &parameter,
                                   function_ref<float(int64_t block, FiniteRange range)> compute) {
  SmallVector<Tensor> stored;
  if (isData(param)) {
    FailureOr<Tensor> wanted = zeroF32(encoding.getContext(), grid, emitError);
    if (failed(wanted))
      return failure();
    for (auto [at, range] : llvm::enumerate(ranges))
      wanted->setReal(at, compute(at, range));
    FailureOr<SmallVector<Tensor>> parts = storeParameter(param, *wanted, emitError);
    if (failed(parts))
      return failure();
    stored = std::move(*parts);
  }
  ArrayRef<Tensor> rest = stored;
  FailureOr<Parameter> decoded = decodeParameter(param, grid, rest, emitError);
  if (failed(decoded))
    return failure();
  parameter = std::move(*decoded);
  llvm::append_range(components, stored);
  return success();
}

FailureOr<SmallVector<Tensor>> ParameterFinder::find() {
  if (encoding.getOffset() && !isData(encoding.getOffset()) &&
      (isData(encoding.getScale()) || isData(encoding.getZero())))
    return emitError() << "reference: parameters beside a constant offset must be given";
  bool affine = isData(encoding.getZero()) || isData(encoding.getOffset());
  Parameter scale, zero, offset;
  auto computeScale = [&](int64_t, FiniteRange range) {
    if (!affine)
      return roundToFloat(std::max(0.0 - range.low, range.high) / roundToFloat(codec.getAmax())); // +0 for zeros
    FiniteRange wide = widen(encoding, range);
    return roundToFloat((wide.high - wide.low) / (codec.getHighest() - codec.getLowest()));
  };
  auto computeZero = [&](int64_t at, FiniteRange range) {
    double step = scale.present ? scale.get(at) : 1.0;
    if (step == 0)
      return roundToFloat(codec.getLowest());
    return roundToFloat(codec.getLowest() - std::nearbyint(roundToFloat(widen(encoding, range).low / step)));
  };
  auto computeOffset = [&](int64_t at, FiniteRange range) {
    double step = scale.present ? scale.get(at) : 1.0;
    return roundToFloat(widen(encoding, range).low - roundToFloat(step * codec.getLowest()));
  };
  if (failed(add(encoding.getScale(), scale, computeScale)) || failed(add(encoding.getZero(), zero, computeZero)) ||
      failed(add(encoding.getOffset(), offset, computeOffset)))
    return failure();
  return components;
}

/// The code of one value. Division and subtraction are f32; a scale of zero gives the code of the zero point.
static int64_t encodeValue(const Codec &codec, const Parameters &parameters, int64_t block, double value) {
  float scaled = roundToFloat(value);
  if (parameters.offset.present)
    scaled = roundToFloat(double(scaled) - parameters.offset.get(block));
  if (parameters.scale.present) {
    double scale = parameters.scale.get(block);
    scaled = scale == 0 && !std::isnan(scaled) ? 0.0f : roundToFloat(double(scaled) / scale);
  }
  if (!parameters.zero.present)
    return codec.encode(scaled);
  double zero = parameters.zero.get(block);
  if (!codec.isInteger())
    return codec.encode(roundToFloat(double(scaled) + zero));
  if (std::isnan(scaled))
    return codec.encodeInteger(zero);
  return codec.encodeInteger((std::isinf(scaled) ? scaled : codec.roundToInteger(scaled)) + zero);
}

FailureOr<SmallVector<Tensor>> mlir::qtensor::reference::encodeTensor(BlockAttr encoding, const Tensor &values,
                                                                      ArrayRef<Tensor> given, EmitError emitError) {
  SmallVector<Tensor> components;
  FailureOr<Tensor> codes = Tensor::zeros(encoding.getCodec().getStorageType(), values.getShape());
  if (failed(codes))
    return emitError() << "reference: no codes of shape [" << values.getShape() << "]";
  components.push_back(std::move(*codes));
  if (given.empty()) {
    FailureOr<SmallVector<Tensor>> computed = ParameterFinder(encoding, values, emitError).find();
    if (failed(computed))
      return failure();
    llvm::append_range(components, *computed);
  } else {
    llvm::append_range(components, given);
  }
  FailureOr<Parameters> parameters =
      Parameters::decode(encoding, values.getShape(), ArrayRef<Tensor>(components).drop_front(), emitError);
  if (failed(parameters))
    return failure();
  Codec codec(encoding.getCodec());
  for (int64_t position = 0, count = values.getNumElements(); position < count; ++position)
    components[0].setInteger(position,
                             encodeValue(codec, *parameters, parameters->getBlock(position), values.getReal(position)));
  return components;
}
