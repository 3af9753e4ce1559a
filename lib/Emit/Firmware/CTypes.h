// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The types of C that values have. Integers of n bits are uintn_t, so that nothing overflows but as in two's
// complement; vectors of fixed length are GCC's: q_u32x4, with a sign q_i32x4, q_f32x4. A float of 16 bits is a
// uint16_t.
#pragma once
#include "qtensor/Firmware.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Value.h"
#include <map>

namespace mlir::qtensor {

class CTypes {
public:
  explicit CTypes(const CDialect &c) : c(c) {}

  /// What stands before a variable's name, empty where C has no such type: "uint8_t *", "float ".
  std::string of(Type type, bool isSigned = false);
  /// Of a value: bits that an intrinsic made are the target's predicate, others are lanes of a byte.
  std::string of(Value value);
  /// What stands in a cast.
  std::string cast(Type type, bool isSigned = false) { return StringRef(of(type, isSigned)).rtrim().str(); }
  /// The type of a place in memory, at a multiple of `alignment` bytes, that may also be read as another type.
  std::string place(Type type, unsigned alignment);

  /// Definitions of all that were named.
  const std::map<std::string, std::string> &getDefinitions() const { return definitions; }

private:
  std::string vector(VectorType type, bool isSigned);

  const CDialect &c;
  std::map<std::string, std::string> definitions;
};

/// Bits of a scalar; 0: neither an integer nor a float.
inline unsigned bitsOf(Type type) { return type.isIntOrFloat() ? type.getIntOrFloatBitWidth() : 0; }

} // namespace mlir::qtensor
