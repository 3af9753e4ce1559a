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

/// Integer codecs: `narrow` drops the lowest code, `amax` bounds what the encoder produces.
static CodecRange getIntRange(CodecAttr codec) {
  uint64_t count = codec.getNumCodes();
  double lowest = codec.getIntStyle() == IntStyle::Signed ? -double(count / 2) : 0.0 - double(codec.getIntOffset());
  double highest = lowest + double(count - 1);
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

/// The largest number that divides all finite `table` entries into 8-bit integers, or 0.
static double findCommonScale(ArrayRef<double> table, double highest) {
  for (int multiple = 1; multiple <= 128; ++multiple) {
    double scale = highest / multiple;
    auto divides = [&](double value) {
      double limb = std::round(value / scale);
      return !std::isfinite(value) || (limb * scale == value && limb >= -128 && limb <= 127);
    };
    if (llvm::all_of(table, divides))
      return scale;
  }
  return 0;
}

Embedding mlir::qtensor::getEmbedding(CodecAttr codec) {
  if (codec.getBits() > 8)
    return {0, 0, 0, {}};
  std::vector<double> table = getCodecTable(codec);
  double highest = 0;
  for (double value : table)
    if (std::isfinite(value))
      highest = std::max(highest, std::fabs(value));
  Embedding result{1, 1.0, 0, {}};
  if (codec.getKind() == CodecKind::Int) {
    if (llvm::any_of(table, [](double value) { return value < -128 || value > 127; }))
      result.limbs = 2;
  } else if (highest > 0) {
    result.scale = findCommonScale(table, highest);
    if (result.scale == 0) {
      result.limbs = 2;
      result.scale = highest / (127 * 128 + 63);
    }
  }
  for (double value : table) {
    double multiple = std::isfinite(value) ? std::nearbyint(value / result.scale) : 0;
    double upper = result.limbs == 2 ? std::floor((multiple + 64) / 128) : 0;
    result.limb[0].push_back(int8_t(int(multiple - 128 * upper)));
    if (result.limbs == 2)
      result.limb[1].push_back(int8_t(int(upper)));
    if (std::isfinite(value))
      result.bound = std::max(result.bound, std::fabs(value - multiple * result.scale));
  }
  return result;
}
