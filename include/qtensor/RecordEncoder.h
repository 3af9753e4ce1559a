// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reference encoders: the exact algorithm by which another project encodes one of its records. A folder of lib/Formats
// that needs one has a CMakeLists.txt and registers it; formats and users name it.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/bit.h"

namespace mlir::qtensor {

/// Codes of one record, one array per component in the order of getComponents: integer codes in container form, the
/// bits of f16, bf16 and f32 parameters. All start as zeros.
using RecordCodes = llvm::MutableArrayRef<llvm::MutableArrayRef<int32_t>>;

struct RecordEncoder {
  llvm::StringLiteral name, summary;
  llvm::SmallVector<int64_t, 5> counts; ///< Elements of each component in a record; the first is the record's length.
  /// Encodes `x`, a whole record; the tail of a short one is filled with zeros.
  void (*encode)(llvm::ArrayRef<float> x, RecordCodes out);
};

/// Adds an encoder; `encoder` lives forever. One of the same name stays.
void registerRecordEncoder(const RecordEncoder &encoder);
const RecordEncoder *lookupRecordEncoder(llvm::StringRef name);
llvm::ArrayRef<const RecordEncoder *> getRecordEncoders();

/// Bits of the f16 nearest to `value`, half to even, overflow to infinity; and back. Free of branches, for the vectoriser.
inline uint16_t halfOfFloat(float value) {
  uint32_t bits = llvm::bit_cast<uint32_t>(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
  // Adding 0.5 leaves multiples of 2^-24, half to even: the subnormals.
  uint32_t small = llvm::bit_cast<uint32_t>(llvm::bit_cast<float>(magnitude) + 0.5f) - 0x3f000000;
  uint32_t normal = (magnitude - 0x38000000 + 0xfff + (magnitude >> 13 & 1)) >> 13;
  uint32_t half = magnitude < 0x38800000 ? small : normal;
  half = magnitude >= 0x47800000 ? 0x7c00 : half; // 65536 and more
  half = magnitude > 0x7f800000 ? 0x7e00 : half;
  return uint16_t(sign | half);
}

inline float floatOfHalf(uint16_t half) {
  uint32_t sign = uint32_t(half & 0x8000) << 16, rest = half & 0x7fff;
  uint32_t small = llvm::bit_cast<uint32_t>(float(int32_t(rest & 0x3ff)) * 0x1p-24f);
  uint32_t normal = (rest << 13) + 0x38000000, special = rest << 13 | 0x7f800000;
  uint32_t bits = rest < 0x400 ? small : rest < 0x7c00 ? normal : special;
  return llvm::bit_cast<float>(bits | sign);
}
} // namespace mlir::qtensor
