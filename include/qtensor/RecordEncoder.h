// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reference encoders: the exact algorithm by which another project encodes one of its records. A folder of lib/Formats
// that needs one has a CMakeLists.txt and registers it; formats and users name it.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

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

/// Bits of the f16 nearest to `value`, half to even, overflow to infinity; and back.
uint16_t halfOfFloat(float value);
float floatOfHalf(uint16_t half);
} // namespace mlir::qtensor
