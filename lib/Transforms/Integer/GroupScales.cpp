// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Transforms/Integer/GroupScales.h"
#include "lib/Quantize/ConstantData.h"
#include "qtensor/Codec.h"
#include "qtensor/Encode.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace mlir::qtensor;
using namespace mlir::qtensor::integer;

std::optional<std::vector<float>> integer::readScales(AssembleOp weight) {
  auto type = cast<RankedTensorType>(weight.getType());
  BlockAttr encoding = getBlockEncoding(type);
  ParamAttr scale = encoding.getScale();
  SmallVector<arith::ConstantOp> constants;
  for (Value component : weight.getComponents().drop_front())
    constants.push_back(getConstantSource(component));
  if (!scale || !scale.getOwnBlock().empty() || constants.empty() || llvm::is_contained(constants, arith::ConstantOp()))
    return std::nullopt;
  std::vector<float> values;
  if (auto nested = dyn_cast<BlockAttr>(scale.getValue())) {
    SmallVector<int64_t> grid = encoding.getGrid(type.getShape());
    std::vector<std::vector<char>> bytes;
    for (arith::ConstantOp constant : constants)
      bytes.push_back(readBytes(cast<ElementsAttr>(constant.getValue())));
    values.resize(size_t(llvm::product_of(grid)));
    SmallVector<ArrayRef<char>> components(bytes.begin(), bytes.end());
    if (failed(decodeTensor(components, grid, nested, values, [&] { return weight.emitError(); })))
      return std::nullopt;
  } else if (auto codec = dyn_cast<CodecAttr>(scale.getValue())) {
    std::vector<char> bytes = readBytes(cast<ElementsAttr>(constants.front().getValue()));
    for (size_t i = 0, size = codec.getStorageType().getIntOrFloatBitWidth() / 8; i + size <= bytes.size(); i += size) {
      uint32_t code = 0;
      std::memcpy(&code, bytes.data() + i, size);
      values.push_back(float(decodeCode(codec, code)));
    }
  } else {
    FailureOr<FloatData> data = readFloats(constants.front());
    if (failed(data))
      return std::nullopt;
    ArrayRef<float> numbers = *data;
    values.assign(numbers.begin(), numbers.end());
  }
  if (scale.getNegated())
    for (float &value : values)
      value = -value;
  return values;
}

namespace {
/// An odd integer (or 0) times 2^exponent.
struct Dyadic {
  int64_t odd = 0;
  int exponent = 0;
  explicit Dyadic(float value) {
    if (value == 0)
      return;
    odd = int64_t(std::ldexp(std::frexp(value, &exponent), 24));
    int zeros = llvm::countr_zero(uint64_t(odd));
    odd >>= zeros;
    exponent += zeros - 24;
  }
};

/// The scales of one channel as factors, and their unit.
struct Channel {
  std::vector<int64_t> factors;
  double unit = 1;
  bool split(ArrayRef<float> scales);
};
} // namespace

bool Channel::split(ArrayRef<float> scales) {
  SmallVector<Dyadic> numbers(scales.begin(), scales.end());
  std::optional<int> lowest;
  for (const Dyadic &number : numbers)
    if (number.odd != 0)
      lowest = std::min(lowest.value_or(number.exponent), number.exponent);
  if (!lowest) {
    factors.assign(scales.size(), 0);
    return true;
  }
  int64_t common = 0;
  for (const Dyadic &number : numbers) {
    int shift = number.odd ? number.exponent - *lowest : 0;
    if (shift + int(llvm::Log2_64_Ceil(uint64_t(std::abs(number.odd)) + 1)) > 31)
      return false;
    factors.push_back(number.odd * (int64_t(1) << shift));
    common = std::gcd(common, factors.back());
  }
  for (int64_t &factor : factors)
    factor /= common;
  unit = std::ldexp(double(common), *lowest);
  return true;
}

std::optional<GroupScales> GroupScales::split(ArrayRef<float> scales, ArrayRef<int64_t> elements,
                                              ArrayRef<int64_t> block, unsigned channel, std::string &why) {
  auto extentOf = [&](size_t dim) { return ShapedType::isDynamic(block[dim]) ? elements[dim] : block[dim]; };
  GroupScales result;
  SmallVector<int64_t> grid;
  double groupSize = 1;
  for (size_t dim = 0; dim < elements.size(); ++dim) {
    grid.push_back(llvm::divideCeil(elements[dim], extentOf(dim)));
    groupSize *= dim == channel ? 1 : double(extentOf(dim));
  }
  int64_t channels = elements[channel], inner = llvm::product_of(ArrayRef(grid).drop_front(channel + 1)),
          outer = llvm::product_of(ArrayRef(grid).take_front(channel));
  if (int64_t(scales.size()) != outer * grid[channel] * inner)
    return why = "the number of scales does not fit the blocks", std::nullopt;
  result.shape = grid;
  result.shape[channel] = channels;
  result.factors.resize(size_t(outer * channels * inner));
  for (int64_t c = 0; c < channels; ++c) {
    std::vector<float> own;
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i)
        own.push_back(scales[(o * grid[channel] + c / extentOf(channel)) * inner + i]);
    Channel split;
    if (!llvm::all_of(own, [](float scale) { return std::isfinite(scale); }) || !split.split(own)) {
      why = llvm::formatv("the scales of the groups of channel {0} have no common unit of which each is less than 2^31", c);
      return std::nullopt;
    }
    double weight = 0;
    for (auto [i, factor] : llvm::enumerate(split.factors)) {
      int64_t o = int64_t(i) / inner, rest = int64_t(i) % inner;
      result.factors[(o * channels + c) * inner + rest] = factor;
      weight += double(std::abs(factor)) * groupSize;
    }
    result.weight = std::max(result.weight, weight);
    result.units.push_back(split.unit);
  }
  return result;
}
