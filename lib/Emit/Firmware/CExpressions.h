// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "qtensor/Firmware.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/ADT/StringSet.h"
#include <functional>
#include <string>

namespace mlir::qtensor {

/// Spells operations as C. Integers of n bits are uintn_t, so that nothing overflows but as in two's complement; what reads
/// them as signed says so.
class CExpressions {
public:
  using NameOf = std::function<std::string(Value)>;
  CExpressions(const FirmwareRecord &target, NameOf name) : target(target), name(std::move(name)) {}

  /// The C type, empty where there is none.
  static std::string typeOf(Type type);
  /// The right side of an assignment to the op's result; empty where the op has no expression.
  std::string spell(Operation &op);
  /// A lvalue of `type` at an address that is a multiple of `alignment` bytes.
  std::string access(Value pointer, Type type, unsigned alignment, bool isConst);

  /// What the expressions so far need: type definitions and headers.
  const std::map<std::string, std::string> &getTypes() const { return types; }
  const std::set<std::string> &getHeaders() const { return headers; }

private:
  std::string binary(Operation &op, StringRef sign, bool isSigned = false);
  std::string compare(LLVM::ICmpOp op);
  std::string compare(LLVM::FCmpOp op);
  std::string constant(LLVM::ConstantOp op);
  std::string address(LLVM::GEPOp op);
  std::string intrinsic(StringRef name, ValueRange operands);
  std::string asSigned(Value value);
  std::string call(StringRef function, ValueRange operands);

  const FirmwareRecord &target;
  NameOf name;
  std::map<std::string, std::string> types;
  std::set<std::string> headers;
};

} // namespace mlir::qtensor
