// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/Layer.h"
#include "lib/Reference/FixedPoint.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

bool Window::leaves(const Extents &in, const Extents &out) const {
  int64_t height = (out.height - 1) * strideHeight + (kernelHeight - 1) * dilationHeight + 1;
  int64_t width = (out.width - 1) * strideWidth + (kernelWidth - 1) * dilationWidth + 1;
  return padTop || padLeft || height > in.height || width > in.width;
}

bool ConvLayer::hasWords() const {
  return inputBits == 16 && map.mode == FixedMode::X16 && inputZero == 0 && map.zero == 0;
}

ConvLayer ConvLayer::ofGroup() const {
  ConvLayer part = *this;
  part.channelGroups = 1;
  for (Extents *image : {&part.in, &part.out}) {
    image->pitch = image->channels;
    image->channels /= channelGroups;
  }
  return part;
}

/// The numbers of a part of the channels, of which there may be one for all.
template <typename T> static std::vector<T> sliceOf(const std::vector<T> &list, size_t part, size_t parts) {
  size_t count = list.size() / parts;
  return list.size() == 1 ? list : std::vector<T>(list.begin() + part * count, list.begin() + (part + 1) * count);
}

ConvConstants ConvConstants::ofGroup(const ConvLayer &layer, int64_t group) const {
  size_t part = size_t(group), parts = size_t(layer.channelGroups);
  size_t count = weights.size() / parts;
  std::vector<int32_t> own(weights.begin() + part * count, weights.begin() + (part + 1) * count);
  return {own, sliceOf(bias, part, parts), sliceOf(multiplier, part, parts), sliceOf(shift, part, parts), {}};
}

int32_t ConvConstants::weight(const ConvLayer &layer, int64_t o, int64_t ky, int64_t kx, int64_t c) const {
  const Window &w = layer.window;
  if (layer.depthwise)
    return weights[(ky * w.kernelWidth + kx) * layer.out.channels + o];
  return weights[((o * w.kernelHeight + ky) * w.kernelWidth + kx) * layer.inputs() + c];
}

int32_t ConvConstants::factor(const ConvLayer &layer, int64_t o, int64_t ky, int64_t kx, int64_t c) const {
  const WeightGroups &g = layer.groups;
  if (!g)
    return 1;
  int64_t columns = llvm::divideCeil(layer.window.kernelWidth, g.width), rows = llvm::divideCeil(layer.window.kernelHeight, g.height);
  int64_t channels = llvm::divideCeil(layer.in.channels, g.channels);
  return factors[((o * rows + ky / g.height) * columns + kx / g.width) * channels + c / g.channels];
}

std::vector<int64_t> ConvConstants::foldedBias(const ConvLayer &layer) const {
  std::vector<int64_t> folded;
  for (int64_t o = 0; o < layer.out.channels; ++o) {
    int64_t sum = 0;
    for (int64_t ky = 0; ky < layer.window.kernelHeight; ++ky)
      for (int64_t kx = 0; kx < layer.window.kernelWidth; ++kx)
        for (int64_t c = 0; c < layer.inputs(); ++c)
          sum += int64_t(weight(layer, o, ky, kx, c)) * factor(layer, o, ky, kx, c);
    folded.push_back(bias[bias.size() == 1 ? 0 : o] - layer.inputZero * sum);
  }
  return folded;
}

/// gemmlowp's fixed-point product of an i32, in either mode.
static int32_t mapNumber(int64_t value, int32_t multiplier, int32_t shift, FixedMode mode) {
  constexpr int64_t low = std::numeric_limits<int32_t>::min(), high = std::numeric_limits<int32_t>::max();
  if (mode == FixedMode::Single) {
    int bits = 31 - shift;
    int64_t product = value * multiplier;
    int64_t mapped = bits > 62 ? 0 : bits <= 0 ? product << -bits : ((product >> (bits - 1)) + 1) >> 1;
    return int32_t(std::clamp(mapped, low, high));
  }
  int64_t enlarged = std::clamp(shift > 0 ? value << shift : value, low, high);
  return reference::divideByPowerOfTwo(reference::doublingHighMultiply(int32_t(enlarged), multiplier), std::max(-shift, 0));
}

int64_t FinalMap::apply(int64_t sum, int32_t multiplier, int32_t shift) const {
  return mapNumber(sum, multiplier, shift, mode);
}

int32_t AddLayer::term(unsigned i, int64_t code) const {
  return int32_t(map.apply((code - zeros[i]) * (int64_t(1) << leftShift), int32_t(multipliers[i]), int32_t(shifts[i])));
}

int64_t MulLayer::bound() const {
  int64_t half = int64_t(1) << (bits - 1), bound = 1;
  for (int64_t zero : zeros)
    bound *= std::max(half - 1 - zero, half + zero);
  return bound;
}

int64_t MeanMap::apply(int64_t codes, int64_t count) const {
  int64_t mapped = map.apply((codes - count * inputZero) * factor(count), multiplier, shift);
  return std::clamp(mapped + map.zero, map.low, map.high);
}

int64_t PoolLayer::meanBound() const {
  return std::max(127 - mean->inputZero, mean->inputZero + 128) * std::max(window.taps(), mean->multiple);
}

static Extents describeImage(ShapedType type) {
  ArrayRef<int64_t> shape = type.getShape();
  if (shape.size() == 2)
    return {1, 1, shape[0], shape[1]};
  return {shape[0], shape[1], shape[2], shape[3]};
}

template <typename OpTy>
static Window describeWindow(OpTy op) {
  return {op.getWindow()[0],    op.getWindow()[1],    op.getStrides()[0], op.getStrides()[1],
          op.getDilations()[0], op.getDilations()[1], op.getPads()[0],    op.getPads()[1]};
}

template <typename OpTy>
static FinalMap describeMap(OpTy op) {
  return {op.getMap().getMode(), int64_t(op.getOutputZero()), int64_t(op.getLow()), int64_t(op.getHigh())};
}

template <typename OpTy>
static ConvLayer describeConv(OpTy op, Window window, bool depthwise) {
  ConvLayer layer;
  layer.in = describeImage(op.getInputType());
  layer.out = describeImage(op.getOutputType());
  layer.window = window;
  layer.depthwise = depthwise;
  layer.inputZero = op.getInputZero();
  layer.inputBits = op.getInputType().getElementTypeBitWidth();
  layer.weightBits = op.getWeightBits();
  layer.map = describeMap(op);
  return layer;
}

/// Groups of [height, width, channels], or of [channels].
static ConvLayer withGroups(ConvLayer layer, std::optional<ArrayRef<int64_t>> groups) {
  if (!groups)
    return layer;
  layer.groups.channels = groups->back();
  if (groups->size() == 3) {
    layer.groups.height = groups->front();
    layer.groups.width = (*groups)[1];
  }
  return layer;
}

static AddLayer describeSum(qnn::SumAttr sum, int64_t count) {
  AddLayer layer;
  layer.count = count;
  llvm::copy(sum.getZeros().asArrayRef(), layer.zeros);
  llvm::copy(sum.getMultipliers().asArrayRef(), layer.multipliers);
  llvm::copy(sum.getShifts().asArrayRef(), layer.shifts);
  layer.leftShift = sum.getLeftShift();
  layer.subtract = sum.getSubtract();
  layer.map = {sum.getMap().getMode(), sum.getOutputZero(), sum.getLow(), sum.getHigh()};
  return layer;
}

static AddLayer describeAdd(qnn::AddOp op) {
  AddLayer layer;
  layer.count = op.getOutputType().getNumElements();
  llvm::copy(op.getZeros(), layer.zeros);
  llvm::copy(op.getMultipliers(), layer.multipliers);
  llvm::copy(op.getShifts(), layer.shifts);
  layer.leftShift = op.getLeftShift();
  layer.subtract = op.getSubtract();
  layer.bits = op.getInputType().getElementTypeBitWidth();
  layer.map = describeMap(op);
  return layer;
}

static MulLayer describeMul(qnn::MulOp op) {
  MulLayer layer;
  ArrayRef<int64_t> shape = op.getOutputType().getShape();
  qnn::MulOp::Repeats repeats = *qnn::MulOp::findRepeats(op.getInputType(1).getShape(), shape);
  layer.batch = repeats.batch;
  layer.rows = repeats.rows;
  layer.length = repeats.length;
  llvm::copy(op.getZeros(), layer.zeros);
  layer.multiplier = int32_t(op.getMultiplier());
  layer.shift = int32_t(op.getShift());
  for (ShapedType type : {op.getInputType(0), op.getInputType(1), op.getOutputType()})
    layer.bits = std::max(layer.bits, type.getElementTypeBitWidth());
  layer.map = describeMap(op);
  return layer;
}

static PoolLayer describePool(qnn::Pool2DOp op) {
  PoolLayer layer;
  layer.in = describeImage(op.getInputType());
  layer.out = describeImage(op.getOutputType());
  layer.window = describeWindow(op);
  layer.max = op.getMax();
  layer.low = op.getLow();
  layer.high = op.getHigh();
  layer.bits = op.getInputType().getElementTypeBitWidth();
  if (std::optional<qnn::MeanAttr> mean = op.getMean())
    layer.mean = {mean->getInputZero(),
                  mean->getMultiple(),
                  int32_t(mean->getMultiplier()),
                  int32_t(mean->getShift()),
                  {mean->getMap().getMode(), mean->getOutputZero(), layer.low, layer.high}};
  return layer;
}

std::optional<Layer> firmware::describeLayer(qnn::LayerOpInterface op) {
  for (Value operand : op->getOperands()) {
    auto element = cast<ShapedType>(operand.getType()).getElementType();
    if (!element.isInteger(8) && !element.isInteger(16) && !element.isInteger(32) && !element.isInteger(64))
      return std::nullopt;
  }
  if (auto conv = dyn_cast<qnn::Conv2DOp>(*op)) {
    ConvLayer layer =
        withGroups(describeConv(conv, describeWindow(conv), /*depthwise=*/false), conv.getGroups());
    layer.channelGroups = conv.getChannelGroups();
    if (conv.getSum())
      layer.sum = describeSum(*conv.getSum(), layer.out.count());
    return layer;
  }
  if (auto conv = dyn_cast<qnn::DepthwiseConv2DOp>(*op))
    return describeConv(conv, describeWindow(conv), /*depthwise=*/true);
  if (auto product = dyn_cast<qnn::FullyConnectedOp>(*op))
    return withGroups(describeConv(product, Window(), /*depthwise=*/false), product.getGroups());
  if (auto add = dyn_cast<qnn::AddOp>(*op))
    return describeAdd(add);
  if (auto mul = dyn_cast<qnn::MulOp>(*op))
    return describeMul(mul);
  if (auto pool = dyn_cast<qnn::Pool2DOp>(*op))
    return describePool(pool);
  auto softmax = cast<qnn::SoftmaxOp>(*op);
  int64_t length = softmax.getInputType().getShape().back(), count = softmax.getInputType().getNumElements();
  return SoftmaxLayer{length ? count / length : 0, length, int64_t(softmax.getLow()), int64_t(softmax.getHigh())};
}
