// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/Firmware/CExpressions.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::qtensor;

static unsigned bitsOf(Type type) { return type.isIntOrFloat() ? type.getIntOrFloatBitWidth() : 0; }

std::string CExpressions::typeOf(Type type) {
  if (isa<LLVM::LLVMPointerType>(type))
    return "uint8_t *";
  if (type.isF32())
    return "float ";
  if (type.isF64())
    return "double ";
  if (type.isInteger(1))
    return "_Bool ";
  if (isa<IntegerType>(type) && llvm::is_contained({8u, 16u, 32u, 64u}, bitsOf(type)))
    return "uint" + std::to_string(bitsOf(type)) + "_t ";
  return "";
}

std::string CExpressions::asSigned(Value value) {
  unsigned bits = bitsOf(value.getType());
  if (bits == 1)
    return "-(int)" + name(value);
  return "(int" + std::to_string(bits) + "_t)" + name(value);
}

/// Small integers are computed as int: the cast cuts what C adds.
std::string CExpressions::binary(Operation &op, StringRef sign, bool isSigned) {
  Value x = op.getOperand(0), y = op.getOperand(1);
  std::string type = typeOf(op.getResult(0).getType());
  StringRef cast = StringRef(type).rtrim();
  std::string left = isSigned ? asSigned(x) : name(x);
  // A shift's amount is no signed number; two small factors would be multiplied as int.
  bool shifts = sign == ">>" || sign == "<<";
  std::string right = isSigned && !shifts ? asSigned(y) : name(y);
  if (sign == "*" && bitsOf(x.getType()) == 16)
    left = "(uint32_t)" + left;
  return "(" + cast.str() + ")(" + left + " " + sign.str() + " " + right + ")";
}

std::string CExpressions::compare(LLVM::ICmpOp op) {
  using P = LLVM::ICmpPredicate;
  static const std::pair<P, std::pair<const char *, bool>> signs[] = {
      {P::eq, {"==", false}},  {P::ne, {"!=", false}},  {P::slt, {"<", true}},   {P::sle, {"<=", true}},
      {P::sgt, {">", true}},   {P::sge, {">=", true}},  {P::ult, {"<", false}},  {P::ule, {"<=", false}},
      {P::ugt, {">", false}},  {P::uge, {">=", false}}};
  for (auto &sign : signs)
    if (sign.first == op.getPredicate()) {
      auto side = [&](Value value) { return sign.second.second ? asSigned(value) : name(value); };
      return side(op.getLhs()) + " " + sign.second.first + " " + side(op.getRhs());
    }
  return "";
}

std::string CExpressions::compare(LLVM::FCmpOp op) {
  using P = LLVM::FCmpPredicate;
  std::string x = name(op.getLhs()), y = name(op.getRhs());
  switch (op.getPredicate()) {
  case P::oeq: return x + " == " + y;
  case P::ogt: return x + " > " + y;
  case P::oge: return x + " >= " + y;
  case P::olt: return x + " < " + y;
  case P::ole: return x + " <= " + y;
  case P::one: return x + " < " + y + " || " + x + " > " + y;
  case P::ord: return x + " == " + x + " && " + y + " == " + y;
  case P::uno: return x + " != " + x + " || " + y + " != " + y;
  case P::ueq: return "!(" + x + " < " + y + " || " + x + " > " + y + ")";
  case P::ugt: return "!(" + x + " <= " + y + ")";
  case P::uge: return "!(" + x + " < " + y + ")";
  case P::ult: return "!(" + x + " >= " + y + ")";
  case P::ule: return "!(" + x + " > " + y + ")";
  case P::une: return x + " != " + y;
  case P::_false: return "0";
  case P::_true: return "1";
  }
  return "";
}

std::string CExpressions::constant(LLVM::ConstantOp op) {
  if (auto integer = dyn_cast<IntegerAttr>(op.getValue())) {
    unsigned bits = integer.getValue().getBitWidth();
    std::string text = llvm::toString(integer.getValue(), 10, /*Signed=*/false);
    return bits == 64 ? text + "ull" : text + "u";
  }
  auto real = dyn_cast<FloatAttr>(op.getValue());
  if (!real)
    return "";
  // By its bits: C has no spelling for every NaN.
  APInt bits = real.getValue().bitcastToAPInt();
  StringRef type = op.getType().isF32() ? "float" : "double";
  return "((union { uint" + std::to_string(bits.getBitWidth()) + "_t u; " + type.str() + " f; }){ " +
         llvm::toString(bits, 10, false) + (bits.getBitWidth() == 64 ? "ull" : "u") + " }).f";
}

/// Bytes of an element that an address counts in.
static int64_t bytesOf(Type type) {
  if (auto array = dyn_cast<LLVM::LLVMArrayType>(type))
    return array.getNumElements() * bytesOf(array.getElementType());
  return bitsOf(type) / 8;
}

std::string CExpressions::address(LLVM::GEPOp op) {
  std::string text = name(op.getBase());
  Type element = op.getElemType();
  bool first = true;
  for (LLVM::GEPIndicesAdaptor<ValueRange>::value_type index : op.getIndices()) {
    if (!std::exchange(first, false)) {
      auto array = dyn_cast<LLVM::LLVMArrayType>(element);
      if (!array)
        return "";
      element = array.getElementType();
    }
    int64_t bytes = bytesOf(element);
    if (bytes == 0)
      return "";
    if (auto number = dyn_cast<IntegerAttr>(index)) {
      if (number.getInt())
        text += " + " + std::to_string(number.getInt() * bytes);
      continue;
    }
    std::string scaled = asSigned(cast<Value>(index));
    text += " + " + (bytes == 1 ? scaled : scaled + " * " + std::to_string(bytes));
  }
  return text;
}

std::string CExpressions::access(Value pointer, Type type, unsigned alignment, bool isConst) {
  std::string plain = typeOf(type);
  if (plain.empty() || isa<LLVM::LLVMPointerType>(type))
    return "";
  if (type.isInteger(1))
    plain = "uint8_t ";
  unsigned align = alignment ? alignment : std::max(1u, bitsOf(type) / 8);
  std::string alias = "q_" + StringRef(plain).rtrim().str() + "_" + std::to_string(align);
  types[alias] = "typedef " + plain + alias + " __attribute__((may_alias, aligned(" + std::to_string(align) + ")));";
  return "*(" + std::string(isConst ? "const " : "") + alias + " *)(" + name(pointer) + ")";
}

std::string CExpressions::call(StringRef function, ValueRange operands) {
  std::string text = function.str() + "(";
  llvm::interleave(operands, [&](Value operand) { text += name(operand); }, [&] { text += ", "; });
  return text + ")";
}

std::string CExpressions::intrinsic(StringRef name, ValueRange operands) {
  for (const CIntrinsic &known : target.intrinsics)
    if (known.llvm == name) {
      if (!known.header.empty())
        headers.insert(known.header.str());
      return call(known.c, operands);
    }
  return "";
}

std::string CExpressions::spell(Operation &op) {
  auto operand = [&](unsigned i) { return name(op.getOperand(i)); };
  auto larger = [&](StringRef sign, bool isSigned) {
    auto side = [&](unsigned i) { return isSigned ? asSigned(op.getOperand(i)) : operand(i); };
    return side(0) + " " + sign.str() + " " + side(1) + " ? " + operand(0) + " : " + operand(1);
  };
  auto convert = [&](StringRef from) {
    return "(" + StringRef(typeOf(op.getResult(0).getType())).rtrim().str() + ")" + from.str();
  };
  auto reinterpret = [&]() -> std::string {
    std::string from = typeOf(op.getOperand(0).getType()), to = typeOf(op.getResult(0).getType());
    return from.empty() || to.empty() ? "" : "((union { " + from + "a; " + to + "b; }){ " + operand(0) + " }).b";
  };
  return llvm::TypeSwitch<Operation *, std::string>(&op)
      .Case([&](LLVM::ConstantOp c) { return constant(c); })
      .Case([&](LLVM::ZeroOp) { return "0"; })
      .Case<LLVM::AddOp, LLVM::FAddOp>([&](auto) { return binary(op, "+"); })
      .Case<LLVM::SubOp, LLVM::FSubOp>([&](auto) { return binary(op, "-"); })
      .Case<LLVM::MulOp, LLVM::FMulOp>([&](auto) { return binary(op, "*"); })
      .Case<LLVM::FDivOp, LLVM::UDivOp>([&](auto) { return binary(op, "/"); })
      .Case([&](LLVM::URemOp) { return binary(op, "%"); })
      .Case([&](LLVM::SDivOp) { return binary(op, "/", true); })
      .Case([&](LLVM::SRemOp) { return binary(op, "%", true); })
      .Case([&](LLVM::AndOp) { return binary(op, "&"); })
      .Case([&](LLVM::OrOp) { return binary(op, "|"); })
      .Case([&](LLVM::XOrOp) { return binary(op, "^"); })
      .Case([&](LLVM::ShlOp) { return binary(op, "<<"); })
      .Case([&](LLVM::LShrOp) { return binary(op, ">>"); })
      .Case([&](LLVM::AShrOp) { return binary(op, ">>", true); })
      .Case([&](LLVM::ICmpOp c) { return compare(c); })
      .Case([&](LLVM::FCmpOp c) { return compare(c); })
      .Case([&](LLVM::SelectOp) { return operand(0) + " ? " + operand(1) + " : " + operand(2); })
      .Case<LLVM::SExtOp, LLVM::SIToFPOp>([&](auto) { return convert(asSigned(op.getOperand(0))); })
      .Case<LLVM::ZExtOp, LLVM::UIToFPOp, LLVM::TruncOp, LLVM::FPExtOp, LLVM::FPTruncOp, LLVM::FPToUIOp>(
          [&](auto) { return convert(operand(0)); })
      .Case([&](LLVM::FPToSIOp) {
        return convert("(int" + std::to_string(std::max(8u, bitsOf(op.getResult(0).getType()))) + "_t)" + operand(0));
      })
      .Case([&](LLVM::FNegOp) { return "-" + operand(0); })
      .Case([&](LLVM::BitcastOp) { return reinterpret(); })
      .Case([&](LLVM::IntToPtrOp) { return "(uint8_t *)(uintptr_t)" + operand(0); })
      .Case([&](LLVM::PtrToIntOp) { return convert("(uintptr_t)" + operand(0)); })
      .Case([&](LLVM::GEPOp gep) { return address(gep); })
      .Case([&](LLVM::LoadOp load) { return access(load.getAddr(), load.getType(), load.getAlignment().value_or(0), true); })
      .Case([&](LLVM::AddressOfOp of) { return "(uint8_t *)" + of.getGlobalName().str(); })
      .Case([&](LLVM::SMaxOp) { return larger(">", true); })
      .Case([&](LLVM::SMinOp) { return larger("<", true); })
      .Case([&](LLVM::UMaxOp) { return larger(">", false); })
      .Case([&](LLVM::UMinOp) { return larger("<", false); })
      .Case([&](LLVM::FAbsOp) { return op.getResult(0).getType().isF32() ? call("__builtin_fabsf", op.getOperands())
                                                                           : call("__builtin_fabs", op.getOperands()); })
      .Case([&](LLVM::CallIntrinsicOp c) { return intrinsic(c.getIntrin(), c.getArgs()); })
      .Case([&](LLVM::InlineAsmOp c) { return intrinsic(c.getAsmString(), c.getOperands()); })
      .Default([](Operation *) { return ""; });
}
