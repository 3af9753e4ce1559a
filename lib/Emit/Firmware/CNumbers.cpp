// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Expressions of numbers that C has no operators for: floats of 16 bits, functions of the C library, bits that are
// counted.
#include "lib/Emit/Firmware/CExpressions.h"
#include "lib/Emit/Firmware/CFloats.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::qtensor;

std::string CExpressions::useNumber(Value value) {
  if (!typeOf(value).isF16())
    return use(value);
  libraries.insert(&floatLibrary());
  return "q_from_f16(" + use(value) + ")";
}

std::string CExpressions::makeHalf(const std::string &number) {
  libraries.insert(&floatLibrary());
  return "q_to_f16(" + number + ")";
}

std::string CExpressions::spellHalf(Operation &op) {
  auto number = [&](unsigned i) { return useNumber(op.getOperand(i)); };
  auto binary = [&](StringRef sign) { return makeHalf(number(0) + " " + sign.str() + " " + number(1)); };
  auto bits = [&](const std::string &text) { return "(uint16_t)(" + text + ")"; };
  return llvm::TypeSwitch<Operation *, std::string>(&op)
      .Case([&](LLVM::FAddOp) { return binary("+"); })
      .Case([&](LLVM::FSubOp) { return binary("-"); })
      .Case([&](LLVM::FMulOp) { return binary("*"); })
      .Case([&](LLVM::FDivOp) { return binary("/"); })
      .Case([&](LLVM::FRemOp) { return makeHalf("q_remainder(" + number(0) + ", " + number(1) + ")"); })
      .Case([&](LLVM::SqrtOp) { return makeHalf("__builtin_sqrtf(" + number(0) + ")"); })
      .Case([&](LLVM::FPTruncOp cut) { return cut.getArg().getType().isF32() ? makeHalf(number(0)) : ""; })
      .Case([&](LLVM::SIToFPOp made) { return makeHalf("(float)" + useSigned(made.getArg())); })
      .Case([&](LLVM::UIToFPOp made) { return makeHalf("(float)" + use(made.getArg())); })
      .Case([&](LLVM::FNegOp) { return bits(use(op.getOperand(0)) + " ^ 0x8000u"); })
      .Case([&](LLVM::FAbsOp) { return bits(use(op.getOperand(0)) + " & 0x7fffu"); })
      .Case([&](LLVM::CopySignOp) {
        return bits("(" + use(op.getOperand(0)) + " & 0x7fffu) | (" + use(op.getOperand(1)) + " & 0x8000u)");
      })
      .Default([](Operation *) { return ""; });
}

std::string CExpressions::callLibrary(Operation &op) {
  StringRef name = op.getName().getStringRef();
  static constexpr StringLiteral known[] = {"sin",  "cos",  "tan", "asin", "acos", "atan",  "atan2", "sinh",
                                            "cosh", "tanh", "exp", "exp2", "log",  "log10", "log2",  "pow"};
  Type type = typeOf(op.getResult(0));
  if (!name.consume_front("llvm.intr.") || !(type.isF32() || type.isF64()))
    return "";
  std::string function = "__builtin_" + name.str() + (type.isF32() ? "f" : "");
  if (auto power = dyn_cast<LLVM::PowIOp>(op))
    return function + "(" + use(power.getVal()) + ", " + useSigned(power.getPower()) + ")";
  return llvm::is_contained(known, name) ? call(function, op.getOperands()) : "";
}

std::string CExpressions::countBits(Operation &op) {
  Value value = op.getOperand(0);
  unsigned bits = bitsOf(typeOf(value));
  if (bits < 8)
    return "";
  std::string x = use(value), suffix = bits == 64 ? "ll(" : "(", all = std::to_string(bits);
  std::string made =
      llvm::TypeSwitch<Operation *, std::string>(&op)
          // Of 0 C's functions say nothing.
          .Case([&](LLVM::CountLeadingZerosOp) {
            std::string more = bits < 32 ? " - " + std::to_string(32 - bits) : "";
            return x + " ? __builtin_clz" + suffix + x + ")" + more + " : " + all;
          })
          .Case([&](LLVM::CountTrailingZerosOp) { return x + " ? __builtin_ctz" + suffix + x + ") : " + all; })
          .Case([&](LLVM::CtPopOp) { return "__builtin_popcount" + suffix + x + ")"; })
          .Case([&](LLVM::AbsOp) { return useSigned(value) + " < 0 ? 0u - " + x + " : " + x; });
  return "(" + cast(op.getResult(0)) + ")(" + made + ")";
}
