// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rounding and bit patterns of scalars. f32, f16 and bf16 have short paths, the 8-bit and narrower floats go through
// APFloat and a decode table.
#include "lib/Reference/NumericFormat.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

using namespace mlir;
using namespace mlir::qtensor::reference;
using llvm::APFloat;

static double toDouble(APFloat value) {
  bool losesInfo;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
  return value.convertToDouble();
}

/// Decoded values of every code of a float format of at most 16 bits, made once per format.
static const double *decodeTable(const llvm::fltSemantics &semantics) {
  static std::mutex mutex;
  static std::map<const llvm::fltSemantics *, std::vector<double>> tables;
  std::lock_guard<std::mutex> lock(mutex);
  std::vector<double> &table = tables[&semantics];
  if (table.empty()) {
    unsigned width = APFloat::getSizeInBits(semantics);
    for (uint64_t bits = 0; bits < (uint64_t(1) << width); ++bits)
      table.push_back(toDouble(APFloat(semantics, llvm::APInt(width, bits))));
  }
  return table.data();
}

std::optional<NumericFormat> NumericFormat::get(Type type) {
  NumericFormat format;
  format.type = type;
  if (auto floatType = dyn_cast<FloatType>(type)) {
    format.width = floatType.getWidth();
    format.semantics = &floatType.getFloatSemantics();
    if (format.width > 64 || (format.width > 16 && !type.isF32() && !type.isF64()))
      return std::nullopt;
    format.kind = type.isF64()    ? Kind::F64
                  : type.isF32()  ? Kind::F32
                  : type.isF16()  ? Kind::F16
                  : type.isBF16() ? Kind::BF16
                                  : Kind::Small;
    format.table = format.width <= 16 ? decodeTable(*format.semantics) : nullptr;
  } else if (auto integer = dyn_cast<IntegerType>(type)) {
    format.width = integer.getWidth();
    format.unsignedInteger = integer.isUnsigned();
  } else if (isa<IndexType>(type)) {
    format.width = 64;
  }
  if (format.width == 0 || format.width > 64)
    return std::nullopt;
  format.bytes = llvm::PowerOf2Ceil(llvm::divideCeil(format.width, 8u));
  return format;
}

/// Rounds to `precision` bits of significand with the smallest normal exponent `minExponent`, ties to even.
static double roundIEEE(double value, int precision, int minExponent, double largest) {
  if (value == 0 || !std::isfinite(value))
    return value;
  int quantum = std::max(std::ilogb(value), minExponent) - (precision - 1);
  double rounded = std::ldexp(std::nearbyint(std::ldexp(value, -quantum)), quantum);
  return std::fabs(rounded) > largest ? std::copysign(HUGE_VAL, value) : rounded;
}

double NumericFormat::round(double value) const {
  switch (kind) {
  case Kind::Integer:
  case Kind::F64:
    return value;
  case Kind::F32:
    return static_cast<float>(value);
  case Kind::F16:
    return roundIEEE(value, 11, -14, 65504.0);
  case Kind::BF16:
    return roundIEEE(value, 8, -126, 0x1.FEp127);
  case Kind::Small:
    break;
  }
  if (std::isnan(value) && !APFloat::semanticsHasNaN(*semantics))
    return 0;
  APFloat rounded(value);
  bool losesInfo;
  rounded.convert(*semantics, APFloat::rmNearestTiesToEven, &losesInfo);
  return toDouble(rounded);
}

double NumericFormat::decode(uint64_t bits) const {
  if (kind == Kind::F64)
    return llvm::bit_cast<double>(bits);
  if (kind == Kind::F32)
    return llvm::bit_cast<float>(static_cast<uint32_t>(bits));
  return table[bits & mask()];
}

static uint64_t encodeF16(double value) {
  uint64_t sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isnan(value))
    return sign | 0x7E00;
  double magnitude = std::fabs(value);
  if (std::isinf(magnitude))
    return sign | 0x7C00;
  if (magnitude < 0x1p-14)
    return sign | uint64_t(std::ldexp(magnitude, 24));
  int exponent = std::ilogb(magnitude);
  return sign | uint64_t((exponent + 14) * 1024 + int(std::ldexp(magnitude, 10 - exponent)));
}

uint64_t NumericFormat::encode(double value) const {
  switch (kind) {
  case Kind::Integer:
  case Kind::F64:
    return llvm::bit_cast<uint64_t>(value);
  case Kind::F32:
    return llvm::bit_cast<uint32_t>(static_cast<float>(value));
  case Kind::F16:
    return encodeF16(value);
  case Kind::BF16:
    return llvm::bit_cast<uint32_t>(static_cast<float>(value)) >> 16;
  case Kind::Small:
    break;
  }
  if (std::isnan(value) && !APFloat::semanticsHasNaN(*semantics))
    return 0;
  APFloat exact(value);
  bool losesInfo;
  exact.convert(*semantics, APFloat::rmNearestTiesToEven, &losesInfo);
  return exact.bitcastToAPInt().getZExtValue();
}

double NumericFormat::getLargest() const { return toDouble(APFloat::getLargest(*semantics)); }

uint64_t mlir::qtensor::reference::readElement(const NumericFormat &format, const char *address) {
  uint64_t bits = 0;
  std::memcpy(&bits, address, format.getBytes());
  return bits & format.mask();
}

void mlir::qtensor::reference::writeElement(const NumericFormat &format, char *address, uint64_t bits) {
  std::memcpy(address, &bits, format.getBytes());
}

double mlir::qtensor::reference::fusedMultiplyAdd(const NumericFormat &format, double a, double b, double c) {
  if (format.isF64())
    return std::fma(a, b, c);
  if (format.isF32())
    return std::fmaf(float(a), float(b), float(c));
  // The product is exact in double; the sum is rounded to odd so that the second rounding decides alone.
  double product = a * b, sum = product + c;
  if (!std::isfinite(sum))
    return format.round(sum);
  double virtualAddend = sum - product;
  double error = (product - (sum - virtualAddend)) + (c - virtualAddend);
  if (error != 0 && (llvm::bit_cast<uint64_t>(sum) & 1) == 0)
    sum = std::nextafter(sum, error > 0 ? HUGE_VAL : -HUGE_VAL);
  return format.round(sum);
}
