// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The value of a code, the range of a codec, and whether its values are small multiples of one number.
#include "dialects/QTensor/IR/QTensorDialect.h"
#include "qtensor/Codec.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace mlir::qtensor;

static double decodeInt(CodecAttr codec, uint32_t code) {
  if (codec.getIntStyle() == IntStyle::Signed)
    return double(llvm::SignExtend64(code, codec.getBits()));
  return double(int64_t(code) - codec.getIntOffset());
}

static double decodeFloat(CodecAttr codec, uint32_t code) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  unsigned mantissaBits = codec.getMantissaBits(), exponentBits = codec.getExponentBits();
  uint32_t exponentMask = uint32_t(llvm::maskTrailingOnes<uint64_t>(exponentBits));
  uint32_t mantissa = code & uint32_t(llvm::maskTrailingOnes<uint64_t>(mantissaBits));
  uint32_t exponent = uint32_t(uint64_t(code) >> mantissaBits) & exponentMask;
  bool negative = codec.getHasSign() && (code >> (codec.getBits() - 1)) & 1;
  bool allOnes = exponent == exponentMask && mantissa == uint32_t(llvm::maskTrailingOnes<uint64_t>(mantissaBits));
  if (codec.getSpecials() == FloatSpecials::FN && allOnes)
    return nan;
  if (codec.getSpecials() == FloatSpecials::IEEE && exponent == exponentMask) {
    double infinity = std::numeric_limits<double>::infinity();
    return mantissa != 0 ? nan : negative ? -infinity : infinity;
  }
  double magnitude;
  bool pureExponent = mantissaBits == 0 && !codec.getHasSign(); // has no zero
  if (exponent == 0 && !pureExponent)
    magnitude = std::ldexp(double(mantissa), int(1 - codec.getBias() - int64_t(mantissaBits)));
  else
    magnitude = std::ldexp(1.0 + std::ldexp(double(mantissa), -int(mantissaBits)), int(exponent - codec.getBias()));
  return negative ? -magnitude : magnitude;
}

double mlir::qtensor::decodeCode(CodecAttr codec, uint32_t code) {
  code &= uint32_t(llvm::maskTrailingOnes<uint64_t>(codec.getBits()));
  if (codec.getNanCode() && codec.getNanCode().getInt() == int64_t(code))
    return std::numeric_limits<double>::quiet_NaN();
  switch (codec.getKind()) {
  case CodecKind::Int:
    return decodeInt(codec, code);
  case CodecKind::Float:
    return decodeFloat(codec, code);
  case CodecKind::Table:
    return codec.getTable()[code];
  }
  llvm_unreachable("covered switch");
}

std::vector<double> mlir::qtensor::getCodecTable(CodecAttr codec) {
  std::vector<double> table(codec.getBits() <= 16 ? codec.getNumCodes() : 0);
  for (auto [code, value] : llvm::enumerate(table))
    value = decodeCode(codec, code);
  return table;
}

int32_t mlir::qtensor::toContainer(CodecAttr codec, uint32_t code) {
  code &= uint32_t(llvm::maskTrailingOnes<uint64_t>(codec.getBits()));
  bool isSigned = codec.getKind() == CodecKind::Int && codec.getIntStyle() == IntStyle::Signed;
  return isSigned ? int32_t(llvm::SignExtend64(code, codec.getBits())) : int32_t(code);
}

/// Integer codecs: `narrow` drops the lowest code, `count` the highest ones, `amax` bounds what the encoder produces.
static CodecRange getIntRange(CodecAttr codec) {
  uint64_t count = codec.getNumCodes();
  double lowest = codec.getIntStyle() == IntStyle::Signed ? -double(count / 2) : 0.0 - double(codec.getIntOffset());
  double highest = lowest + double((codec.getCount() ? codec.getCount() : count) - 1);
  if (codec.getNarrow())
    lowest += 1;
  if (!codec.getAmax())
    return {lowest, highest, highest > 0 ? highest : -lowest};
  double amax = codec.getAmax().getValueAsDouble();
  return {std::max(lowest, -std::floor(amax)), std::min(highest, std::floor(amax)), amax};
}

/// Codes of float codecs are ordered as integers, so the largest finite one is found from above.
static CodecRange getFloatRange(CodecAttr codec) {
  unsigned magnitudeBits = codec.getBits() - codec.getHasSign();
  uint32_t code = uint32_t(llvm::maskTrailingOnes<uint64_t>(magnitudeBits));
  if (codec.getSpecials() == FloatSpecials::IEEE)
    code = uint32_t(code & ~llvm::maskTrailingOnes<uint64_t>(codec.getMantissaBits())) - 1;
  while (code > 0 && !std::isfinite(decodeCode(codec, code)))
    --code;
  double highest = decodeCode(codec, code);
  double lowest = codec.getHasSign() ? -highest : decodeCode(codec, 0);
  return {lowest, highest, codec.getAmax() ? codec.getAmax().getValueAsDouble() : highest};
}

CodecRange mlir::qtensor::getCodecRange(CodecAttr codec) {
  if (codec.getKind() == CodecKind::Int)
    return getIntRange(codec);
  if (codec.getKind() == CodecKind::Float)
    return getFloatRange(codec);
  CodecRange range = {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), 0};
  for (double value : getCodecTable(codec)) {
    if (!std::isfinite(value))
      continue;
    range.lowest = std::min(range.lowest, value);
    range.highest = std::max(range.highest, value);
  }
  double magnitude = std::max(std::fabs(range.lowest), std::fabs(range.highest));
  range.amax = codec.getAmax() ? codec.getAmax().getValueAsDouble() : magnitude > 0 ? magnitude : 1.0;
  return range;
}

/// Widths of the ranges of multiples that one byte, and two limbs of seven bits, hold.
static constexpr int64_t kOneLimb = 255, kTwoLimbs = 128 * 128 - 1;

static int64_t toMultiple(double value, double scale) {
  return std::isfinite(value) ? static_cast<int64_t>(std::nearbyint(value / scale)) : 0;
}

/// The largest f32 number that divides all finite `table` entries into integers of two limbs at most, or 0.
static double findCommonScale(ArrayRef<double> table, double low, double high) {
  double largest = std::max(-low, high);
  for (int64_t multiple = 1; multiple <= kTwoLimbs; ++multiple) {
    double scale = largest / multiple;
    auto divides = [&](double value) {
      return !std::isfinite(value) || toMultiple(value, scale) * scale == value;
    };
    if (static_cast<float>(scale) == scale && llvm::all_of(table, divides))
      return toMultiple(high, scale) - toMultiple(low, scale) <= kTwoLimbs ? scale : 0;
  }
  return 0;
}

Embedding mlir::qtensor::getEmbedding(CodecAttr codec) {
  if (codec.getBits() > 8)
    return {0, 0, 0, 0, {}};
  std::vector<double> table = getCodecTable(codec);
  // The range of a codec of integers is its codes'; any other holds 0.
  bool integer = codec.getKind() == CodecKind::Int;
  double low = integer ? table.front() : 0, high = low;
  for (double value : table)
    if (std::isfinite(value)) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  Embedding result{1, 1.0, 0, 0, {}};
  if (!integer && low != high) {
    result.scale = findCommonScale(table, low, high);
    // Rounding at both ends may add one step.
    if (result.scale == 0)
      result.scale = static_cast<float>((high - low) / (kTwoLimbs - 1));
  }
  result.zero = -toMultiple(low, result.scale);
  result.limbs = toMultiple(high, result.scale) + result.zero <= kOneLimb ? 1 : 2;
  for (double value : table) {
    int64_t multiple = toMultiple(value, result.scale), shifted = multiple + result.zero;
    result.limb[0].push_back(result.limbs == 2 ? shifted % 128 : shifted);
    if (result.limbs == 2)
      result.limb[1].push_back(shifted / 128);
    if (std::isfinite(value))
      result.bound = std::max(result.bound, std::fabs(value - multiple * result.scale));
  }
  return result;
}

int64_t Embedding::getLargestMultiple() const {
  int64_t largest = 0;
  for (size_t code = 0; code < limb[0].size(); ++code)
    largest = std::max(largest, std::abs(getMultiple(code)));
  return largest;
}
