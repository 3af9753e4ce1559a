// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TensorEncoding.h"
#include "llvm/ADT/StringMap.h"
#include <optional>

namespace mlir::qtensor {
/// One component of an encoded tensor.
struct Component {
  std::string name;      ///< "codes", "scale", "zero", "offset"; nested encodings prefix theirs: "scale.codes"
  RankedTensorType type; ///< plain tensor; codes are i8, i16 or i32, parameters f32, f16, bf16 or codes
};
} // namespace mlir::qtensor

#include "dialects/QTensor/IR/QTensorDialect.h.inc"
#include "dialects/QTensor/IR/QTensorEnums.h.inc"
namespace mlir::qtensor {
class BlockAttr;
}
#include "dialects/QTensor/IR/QTensorAttrInterfaces.h.inc"
#define GET_ATTRDEF_CLASSES
#include "dialects/QTensor/IR/QTensorAttrs.h.inc"

namespace mlir::qtensor {
/// The encoding of a ranked tensor type, or null when the type is plain.
EncodingAttrInterface getEncoding(Type type);
/// The block encoding of a ranked tensor type, or null.
BlockAttr getBlockEncoding(Type type);
/// `type` without its encoding.
RankedTensorType stripEncoding(RankedTensorType type);

/// Packed codes lie along the last dimension in units of 2 * kPackedRun codes and kPackedRun bytes: byte j of a unit has
/// code j in its low half and code kPackedRun + j in its high one. The last unit is whole; what it has too many is 0.
inline constexpr int64_t kPackedRun = 16;
/// Whether codes of this encoding may be packed: at most 4 bits, and no unit shared by two blocks.
bool canPackCodes(BlockAttr encoding);
/// Bytes of `extent` packed codes.
int64_t getPackedExtent(int64_t extent);
/// Whether attention's integer strategy takes a cache of this encoding: signed integers of at most 8 bits, with a scale
/// or none, in blocks of whole runs; `extent`, of the last dimension, is one of whole runs too.
bool canSumIntegers(std::optional<BlockAttr> encoding, int64_t extent);
} // namespace mlir::qtensor
