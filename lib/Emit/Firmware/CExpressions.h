// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "lib/Emit/Firmware/CTypes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include <functional>
#include <set>
#include <string>

namespace mlir::qtensor {

/// Spells operations as C. What reads integers as signed says so.
class CExpressions {
public:
  using NameOf = std::function<std::string(Value)>;
  /// What expressions call joins `libraries`.
  CExpressions(CTypes &types, std::set<const CLibrary *> &libraries, NameOf name)
      : types(types), libraries(libraries), name(std::move(name)) {}

  /// An operand: the name of a value, or a literal.
  std::string use(Value value);
  std::string useSigned(Value value);
  /// The right side of an assignment to the op's result; empty where the op has no expression.
  std::string spell(Operation &op);
  /// The same for lane `i` of vectors.
  std::string spellLane(Operation &op);
  /// A lvalue of `type` at an address that is a multiple of `alignment` bytes.
  std::string access(Value pointer, Type type, unsigned alignment, bool isConst);

private:
  std::string binary(Operation &op, StringRef sign, bool isSigned = false);
  std::string compare(LLVM::ICmpOp op);
  std::string compare(LLVM::FCmpOp op);
  std::string constant(LLVM::ConstantOp op);
  std::string allocate(LLVM::AllocaOp op);
  std::string address(LLVM::GEPOp op);
  std::string call(StringRef function, ValueRange operands);
  /// A float of 16 bits as one of 32, others as they are; one of 32 as one of 16, rounded.
  std::string useNumber(Value value);
  std::string makeHalf(const std::string &number);
  /// What makes a float of 16 bits: arithmetic is that of 32 bits, rounded once more, as LLVM has it.
  std::string spellHalf(Operation &op);
  /// What objects call the C library for, C calls it for too.
  std::string callLibrary(Operation &op);
  std::string countBits(Operation &op);
  std::string select(LLVM::SelectOp op);
  std::string shuffle(LLVM::ShuffleVectorOp op);
  std::string convert(Operation &op, bool isSigned);
  std::string larger(Operation &op, StringRef sign, bool isSigned);
  std::string reinterpret(Operation &op);

  /// Of a value, or of one of its lanes.
  Type typeOf(Value value) { return lane ? getElementTypeOrSelf(value.getType()) : value.getType(); }
  std::string cast(Value value, bool isSigned = false) { return types.cast(typeOf(value), isSigned); }

  CTypes &types;
  std::set<const CLibrary *> &libraries;
  NameOf name;
  bool lane = false; ///< Whether the text is of one lane.
};

/// A constant that is written where it is used.
bool isLiteral(Operation *op);
/// A comparison of vectors that is written where a select uses it. Null: none.
LLVM::ICmpOp comparedLanes(LLVM::SelectOp op);
/// The pointer that an integer was made from, through changes of its width alone. Null: none.
Value pointerBehind(LLVM::IntToPtrOp op);

} // namespace mlir::qtensor
