// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Firmware/FastMap.h"
#include "lib/Transforms/Firmware/LayerKernels.h"

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

std::optional<FastMap> FastMap::find(const FinalMap &map, int32_t multiplier, int32_t shift, int64_t bound) {
  // What maps to 0 whatever the sum: of a multiplier that was flushed, or below half of the last bit.
  FastMap constant;
  constant.rounding = int32_t(1 + map.zero * 2);
  if (multiplier == 0)
    return constant;
  if (bound >= int64_t(1) << 30 || multiplier < 0)
    return std::nullopt;
  if (shift <= -32 || bound < (int64_t(1) << (-std::min(shift, 0))) / 2)
    return constant;
  if (shift >= 0)
    return std::nullopt;
  FastMap found;
  found.multiplier = multiplier;
  found.shift = -shift;
  int64_t half = int64_t(1) << (found.shift - 1), rounding = half + map.zero * (half * 2);
  if (bound + 1 + std::abs(rounding) >= int64_t(1) << 31)
    return std::nullopt;
  found.rounding = int32_t(rounding);
  return found;
}

void FastMap::append(std::vector<char> &bytes) const {
  appendNumber(bytes, multiplier);
  appendNumber(bytes, rounding);
  appendNumber(bytes, shift);
}

int32_t firmware::reduceMultiplier(int32_t multiplier) {
  return int32_t(std::min((int64_t(multiplier) + (1 << 15)) >> 16, int64_t(0x7FFF)) << 16);
}

std::optional<std::vector<FastChannel>> firmware::findFastChannels(const ConvLayer &layer,
                                                                   const ConvConstants &constants) {
  FinalMap map = layer.map;
  bool reduced = map.mode == FixedMode::X16;
  if (reduced)
    map.mode = FixedMode::Single;
  std::vector<int64_t> biases = constants.foldedBias(layer), bounds = boundSums(layer, constants);
  std::vector<FastChannel> channels;
  for (auto [o, bias, bound] : llvm::enumerate(biases, bounds)) {
    int32_t multiplier = ofChannel(constants.multiplier, o), shift = ofChannel(constants.shift, o);
    if (reduced)
      multiplier = reduceMultiplier(multiplier);
    if (bound == std::abs(bias)) {
      if (bound >= int64_t(1) << 31)
        return std::nullopt;
      int64_t code =
          std::clamp(map.apply(bias, multiplier, shift) + map.zero, map.low, map.high);
      channels.push_back({0, 0, {0, int32_t(1 + 2 * code), 1}});
      continue;
    }
    // Half of the sum, doubled, is the sum.
    std::optional<FastMap> fast =
        reduced ? FastMap::find(map, multiplier, shift + 1, (bound + 1) / 2) : FastMap::find(map, multiplier, shift, bound);
    if (!fast)
      return std::nullopt;
    channels.push_back({bias, bound, *fast});
  }
  return channels;
}

std::vector<int64_t> firmware::boundSums(const ConvLayer &layer, const ConvConstants &constants) {
  std::vector<int64_t> bounds = constants.foldedBias(layer);
  int64_t largest = int64_t(1) << (layer.inputBits - 1);
  for (auto [o, bound] : llvm::enumerate(bounds)) {
    int64_t sum = 0;
    for (int64_t ky = 0; ky < layer.window.kernelHeight; ++ky)
      for (int64_t kx = 0; kx < layer.window.kernelWidth; ++kx)
        for (int64_t c = 0; c < layer.inputs(); ++c)
          sum += std::abs(int64_t(constants.weight(layer, o, ky, kx, c)) * constants.factor(layer, o, ky, kx, c));
    bound = std::abs(bound) + largest * sum;
  }
  return bounds;
}

int64_t firmware::boundOfSums(const ConvLayer &layer, const ConvConstants &constants) {
  int64_t most = 0;
  for (int64_t bound : boundSums(layer, constants))
    most = std::max(most, bound);
  return most;
}

FastMapValues FastMapValues::load(KernelBuilder &k, Value record) {
  return {k.load32(record), k.load32(k.at(record, 4)), k.load32(k.at(record, 8))};
}

Value firmware::multiplyHalves(KernelBuilder &k, Value x, Value y, Value &low) {
  Value mask = k.number(0xFFFF);
  Value xLow = k.both(x, mask), xHigh = k.right(x, 16), yLow = k.both(y, mask), yHigh = k.right(y, 16);
  Value lows = k.mul(xLow, yLow);
  Value first = k.add(k.mul(xLow, yHigh), k.rightUnsigned(lows, 16));
  Value second = k.add(k.mul(xHigh, yLow), k.both(first, mask));
  low = k.either(k.left(second, 16), k.both(lows, mask));
  return k.add(k.mul(xHigh, yHigh), k.add(k.right(first, 16), k.right(second, 16)));
}

Value FastMapValues::apply(KernelBuilder &k, Value doubled, const FinalMap &map, bool longMultiply) const {
  bool twice = map.mode == FixedMode::Double;
  Value high;
  if (longMultiply) {
    Value product = k.mul(k.extend(doubled, k.i64()), k.extend(multiplier, k.i64()));
    if (twice)
      product = k.add(product, k.number(int64_t(1) << 31, k.i64()));
    high = k.truncate(k.rightUnsigned(product, 32), k.i32());
  } else {
    Value low;
    high = multiplyHalves(k, doubled, multiplier, low);
    if (twice)
      high = k.add(high, k.rightUnsigned(low, 31));
  }
  high = k.add(rounding, high);
  // The second rounding of `double` goes away from zero. The sign of the sum is that of its product: the only
  // exception, -1 times a half, is 0 with either. Where all negative numbers are clamped (ReLU), ties may go up.
  if (twice && map.low < map.zero)
    high = k.add(high, k.right(doubled, 31));
  return k.clamp(k.right(high, shift), map.low, map.high);
}
