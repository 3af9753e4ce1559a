// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Two walks. Forwards: a channel is constant if its weights are 0, if all channels that it reads are constant, or if
// its multiplier is 0. Backwards, from the assumption that every channel may go: a channel stays if a reader needs it
// (its codes vary, or padding beside it has other codes), or if its producer cannot do without it (layers that keep
// channels apart lose them in inputs and outputs alike). What is left when nothing changes any more may go.
#include "lib/Transforms/Firmware/DeadChannels.h"
#include "lib/Transforms/Firmware/FastMap.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

static int64_t countChannels(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getRank() > 0 && type.hasStaticShape() ? type.getShape().back() : 0;
}

int64_t ProductLayer::contribution(int64_t output, int64_t input, int64_t code) const {
  int64_t sum = 0;
  for (int64_t ky = 0; ky < layer.window.kernelHeight; ++ky)
    for (int64_t kx = 0; kx < layer.window.kernelWidth; ++kx)
      sum += int64_t(constants.weight(layer, output, ky, kx, input)) * constants.factor(layer, output, ky, kx, input) *
             (code - layer.inputZero);
  return sum;
}

ProductLayer::ProductLayer(ConvLayer from, ConvConstants numbers) : layer(from), constants(std::move(numbers)) {
  used.resize(unsigned(layer.out.channels * inputs()));
  for (int64_t o = 0; o < layer.out.channels; ++o)
    for (int64_t ky = 0; ky < layer.window.kernelHeight; ++ky)
      for (int64_t kx = 0; kx < layer.window.kernelWidth; ++kx)
        for (int64_t c = 0; c < inputs(); ++c)
          if (constants.weight(layer, o, ky, kx, c))
            used.set(unsigned(o * inputs() + c));
}

//===----------------------------------------------------------------------===//
// Constant channels
//===----------------------------------------------------------------------===//

std::optional<int64_t> DeadChannels::getConstant(Value value, int64_t channel) const {
  auto found = codes.find(value);
  return found == codes.end() ? std::nullopt : found->second[channel];
}

/// A reshape that keeps the channels last, perhaps with rows and columns in front of them: result channel f is channel
/// f % (channels of the source).
static bool keepsChannels(Operation *op) {
  if (!isa<tensor::CollapseShapeOp, tensor::ExpandShapeOp>(op))
    return false;
  int64_t from = countChannels(op->getOperand(0)), to = countChannels(op->getResult(0));
  return from > 0 && to > 0 && (isa<tensor::CollapseShapeOp>(op) ? to % from == 0 : to == from);
}

/// Layers and reshapes whose result channel i comes from channel i (or i modulo their number) of every input.
static bool isChannelwise(Operation *op) {
  return op->getNumResults() == 1 && (isa<qnn::Pool2DOp, qnn::AddOp>(op) || keepsChannels(op));
}

static ValueRange dataInputs(Operation *op) {
  if (auto layer = dyn_cast<qnn::LayerOpInterface>(op))
    return layer.getLayerInputs();
  return op->getOperands().take_front(1);
}

std::optional<int64_t> DeadChannels::constantOutput(const ProductLayer &product, Value input, int64_t channel) const {
  const ConvLayer &layer = product.layer;
  const ConvConstants &constants = product.constants;
  int32_t multiplier = ofChannel(constants.multiplier, channel), shift = ofChannel(constants.shift, channel);
  int64_t sum = ofChannel(constants.bias, channel);
  if (layer.map.mode == FixedMode::X16)
    return std::nullopt;
  int64_t first = layer.depthwise ? channel / (layer.out.channels / layer.in.channels) : 0;
  for (int64_t c = first, end = layer.depthwise ? first + 1 : layer.in.channels; c < end && multiplier; ++c) {
    int64_t weights = layer.depthwise ? 0 : c;
    if (!product.reads(channel, weights))
      continue;
    std::optional<int64_t> code = getConstant(input, c);
    if (!code || (layer.hasPadding() && *code != layer.inputZero))
      return std::nullopt;
    sum += product.contribution(channel, weights, *code);
  }
  int64_t mapped = multiplier ? layer.map.apply(sum, multiplier, shift) : 0;
  return std::clamp(mapped + layer.map.zero, layer.map.low, layer.map.high);
}

void DeadChannels::findConstants(qnn::LayerOpInterface op, const ProductLayer &product) {
  Value result = op->getResult(0);
  Codes &found = codes[result];
  for (int64_t o = 0; o < product.layer.out.channels; ++o)
    found.push_back(constantOutput(product, op.getLayerInputs()[0], o));
}

/// What a channel of equal codes becomes: the same code but for the map of a mean, where some windows have fewer codes
/// than others.
static std::optional<int64_t> poolConstant(qnn::Pool2DOp op, int64_t code) {
  auto layer = std::get<PoolLayer>(*describeLayer(cast<qnn::LayerOpInterface>(*op)));
  if (!layer.mean)
    return std::clamp(code, layer.low, layer.high);
  if (code == layer.mean->inputZero || (!layer.hasPadding() && !layer.mean->multiple))
    return layer.mean->apply(layer.window.taps() * code, layer.window.taps());
  if (layer.hasPadding() && !layer.mean->multiple)
    return std::nullopt;
  // Every window's sum is brought to as many codes.
  MeanMap map = *layer.mean;
  return map.apply(map.multiple * code, map.multiple);
}

void DeadChannels::findConstants(Operation *op) {
  if (const ProductLayer *product = getProduct(op))
    return findConstants(cast<qnn::LayerOpInterface>(op), *product);
  if (!isChannelwise(op))
    return;
  int64_t from = countChannels(op->getOperand(0)), count = countChannels(op->getResult(0));
  Codes found(count);
  for (int64_t i = 0; i < count; ++i) {
    std::optional<int64_t> code = getConstant(op->getOperand(0), i % from);
    if (!code)
      continue;
    if (auto pool = dyn_cast<qnn::Pool2DOp>(op)) {
      found[i] = poolConstant(pool, *code);
    } else if (auto add = dyn_cast<qnn::AddOp>(op)) {
      // Channels leave an addition where both terms are constant; its own code is never asked for elsewhere.
      std::optional<int64_t> other = getConstant(op->getOperand(1), i);
      auto layer = std::get<AddLayer>(*describeLayer(cast<qnn::LayerOpInterface>(op)));
      if (!other || layer.bits > 8)
        continue;
      int64_t sum = layer.term(0, *code) + (layer.subtract ? -1 : 1) * int64_t(layer.term(1, *other));
      int64_t mapped = layer.map.apply(sum, int32_t(layer.multipliers[2]), int32_t(layer.shifts[2]));
      found[i] = std::clamp(mapped + layer.map.zero, layer.map.low, layer.map.high);
    } else {
      found[i] = code;
    }
  }
  codes[op->getResult(0)] = std::move(found);
}

//===----------------------------------------------------------------------===//
// Channels that may go
//===----------------------------------------------------------------------===//

const llvm::BitVector &DeadChannels::getRemoved(Value value) const {
  static const llvm::BitVector none;
  auto found = removed.find(value);
  return found == removed.end() ? none : found->second;
}

bool DeadChannels::isRemoved(Value value, int64_t channel) const {
  const llvm::BitVector &set = getRemoved(value);
  return !set.empty() && set.test(unsigned(channel));
}

/// The outputs whose biases, of 32 bits, have room for all that could move there.
llvm::BitVector DeadChannels::findFolding(const ProductLayer &product, Value input) const {
  llvm::BitVector outputs(unsigned(product.layer.out.channels));
  for (int64_t o = 0; o < product.layer.out.channels; ++o) {
    int64_t moved = std::abs(ofChannel(product.constants.bias, o));
    for (int64_t c = 0; c < product.inputs() && !product.layer.depthwise; ++c)
      if (std::optional<int64_t> code = getConstant(input, c))
        moved += std::abs(product.contribution(o, c, *code));
    if (moved <= std::numeric_limits<int32_t>::max())
      outputs.set(unsigned(o));
  }
  return outputs;
}

/// Whether a layer does without a channel of its input: no output that stays reads it, or its share is a constant.
bool DeadChannels::productCopes(const ProductLayer &product, Value result, Value input, int64_t channel) const {
  const ConvLayer &layer = product.layer;
  if (layer.depthwise) {
    int64_t multiple = layer.out.channels / layer.in.channels;
    for (int64_t o = channel * multiple; o < (channel + 1) * multiple; ++o)
      if (!isRemoved(result, o))
        return false;
    return true;
  }
  // A channel less would move the borders of its row of groups.
  if (layer.groups)
    return false;
  std::optional<int64_t> code = getConstant(input, channel);
  const llvm::BitVector &canFold = folding.find(result.getDefiningOp())->second;
  bool folds = code && (!layer.hasPadding() || *code == layer.inputZero);
  for (int64_t o = 0; o < layer.out.channels; ++o) {
    if (isRemoved(result, o) || !product.reads(o, channel))
      continue;
    if (!folds || !canFold.test(unsigned(o)))
      return false;
  }
  return true;
}

bool DeadChannels::userCopes(OpOperand &use, int64_t channel) const {
  Operation *user = use.getOwner();
  if (!llvm::is_contained(dataInputs(user), use.get()))
    return false;
  if (const ProductLayer *product = getProduct(user))
    return productCopes(*product, user->getResult(0), use.get(), channel);
  if (!isChannelwise(user))
    return false;
  int64_t from = countChannels(use.get()), to = countChannels(user->getResult(0));
  for (int64_t i = channel; i < to; i += from)
    if (!isRemoved(user->getResult(0), i))
      return false;
  return true;
}

/// Convolutions make any set of channels; the others lose one where all their inputs do.
bool DeadChannels::producerCopes(Value value, int64_t channel) const {
  Operation *op = value.getDefiningOp();
  const ProductLayer *product = getProduct(op);
  if (product && !product->layer.depthwise)
    return true;
  if (product)
    return isRemoved(dataInputs(op)[0], channel / (product->layer.out.channels / product->layer.in.channels));
  int64_t from = countChannels(op->getOperand(0));
  return llvm::all_of(dataInputs(op), [&](Value input) { return isRemoved(input, channel % from); });
}

bool DeadChannels::canLeave(Value value, int64_t channel) const {
  return !pinned.find(value)->second.test(channel) && producerCopes(value, channel) &&
         llvm::all_of(value.getUses(), [&](OpOperand &use) { return userCopes(use, channel); });
}

/// A value whose channels could all go keeps its first.
void DeadChannels::keepOneChannel() {
  for (auto &[value, set] : removed)
    if (set.all())
      pinned[value].set(0);
}

void DeadChannels::findRemoved(func::FuncOp function) {
  function.walk([&](Operation *op) {
    if (!getProduct(op) && !isChannelwise(op))
      return;
    unsigned count = unsigned(countChannels(op->getResult(0)));
    removed[op->getResult(0)] = llvm::BitVector(count, true);
    pinned[op->getResult(0)] = llvm::BitVector(count);
  });
  for (bool changed = true; changed;) {
    changed = false;
    for (auto &[value, set] : removed)
      for (unsigned channel : set.set_bits())
        if (!canLeave(value, channel)) {
          set.reset(channel);
          changed = true;
        }
    if (changed)
      continue;
    keepOneChannel();
    for (auto &[value, set] : removed)
      changed |= set.anyCommon(pinned.find(value)->second);
  }
}

LogicalResult DeadChannels::readLayers(func::FuncOp function) {
  WalkResult walk = function.walk([&](qnn::LayerOpInterface op) {
    std::optional<Layer> layer = describeLayer(op);
    auto *conv = layer ? std::get_if<ConvLayer>(&*layer) : nullptr;
    bool onTensors = op->getNumResults() == 1;
    // Groups of channels are of one size: none leaves alone.
    if (!conv || conv->channelGroups > 1 || !op.getKernelName().empty() || !onTensors)
      return WalkResult::advance();
    FailureOr<ConvConstants> constants = readConvConstants(op);
    if (failed(constants))
      return WalkResult::interrupt();
    products[op] = ProductLayer(*conv, std::move(*constants));
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}

FailureOr<DeadChannels> DeadChannels::analyze(func::FuncOp function) {
  DeadChannels channels;
  if (failed(channels.readLayers(function)))
    return failure();
  function.walk([&](Operation *op) { channels.findConstants(op); });
  for (auto &[op, product] : channels.products)
    channels.folding[op] = channels.findFolding(product, dataInputs(op)[0]);
  channels.findRemoved(function);
  return channels;
}

const ProductLayer *DeadChannels::getProduct(Operation *op) const {
  auto found = products.find(op);
  return found == products.end() ? nullptr : &found->second;
}

int64_t DeadChannels::countRemoved() const {
  int64_t count = 0;
  for (const auto &[value, set] : removed)
    count += set.count();
  return count;
}
