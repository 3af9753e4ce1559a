// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Element types and constant data, as importers find them in files of any kind.
#pragma once
#include "mlir/IR/BuiltinTypes.h"
#include <memory>
#include <string>
#include <vector>

namespace mlir::qtensor::graph {

/// Element types, with the numbers that ONNX gives them.
enum class Elem : int32_t {
  Undefined = 0,
  F32 = 1,
  U8 = 2,
  I8 = 3,
  U16 = 4,
  I16 = 5,
  I32 = 6,
  I64 = 7,
  String = 8,
  Bool = 9,
  F16 = 10,
  F64 = 11,
  U32 = 12,
  U64 = 13,
  Complex64 = 14,
  Complex128 = 15,
  BF16 = 16,
  Float8E4M3FN = 17,
  Float8E4M3FNUZ = 18,
  Float8E5M2 = 19,
  Float8E5M2FNUZ = 20,
  U4 = 21,
  I4 = 22,
  Float4E2M1 = 23,
  Float8E8M0 = 24,
  U2 = 25,
  I2 = 26,
};

bool isFloat(Elem elem);
/// Integers only: false for bool and for floating point.
bool isInteger(Elem elem);
bool isUnsigned(Elem elem);
bool isSigned(Elem elem);
/// Bits of one element as files pack it; 0 for strings and unknown types.
unsigned bitWidth(Elem elem);
/// The type's name, e.g. "uint8"; "type 99" for unknown numbers.
std::string elemName(Elem elem);
/// The element type in IR: integers are signless, bool is i1. Null for strings, complex and unknown types.
Type elemType(Elem elem, MLIRContext *context);

/// A constant: an initializer or a tensor attribute. `bytes` holds one element after the other, little endian, bool as
/// one byte and the types below 8 bits unpacked to one byte each (sign-extended where signed).
struct TensorData {
  std::string name;
  Elem elem = Elem::Undefined;
  std::vector<int64_t> dims;
  llvm::ArrayRef<char> bytes;
  /// Keeps `bytes` alive: the parsed file, a mapped file or a buffer of our own.
  std::shared_ptr<void> owner;

  int64_t numElements() const;
  /// Element `i` of an integer or bool tensor.
  int64_t intAt(int64_t i) const;
  /// Element `i` of a tensor of any numeric type.
  double realAt(int64_t i) const;
};

} // namespace mlir::qtensor::graph
