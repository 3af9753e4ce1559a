// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/Firmware/CExpressions.h"
#include "llvm/ADT/StringExtras.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::qtensor;

bool mlir::qtensor::isLiteral(Operation *op) {
  auto constant = dyn_cast<LLVM::ConstantOp>(op);
  return isa<LLVM::ZeroOp>(op) || (constant && isa<IntegerAttr>(constant.getValue()));
}

LLVM::ICmpOp mlir::qtensor::comparedLanes(LLVM::SelectOp op) {
  // A mask has lanes as wide as what was compared.
  auto compared = op.getCondition().getDefiningOp<LLVM::ICmpOp>();
  return compared && isa<VectorType>(op.getType()) && compared.getLhs().getType() == op.getType() ? compared : LLVM::ICmpOp();
}

Value mlir::qtensor::pointerBehind(LLVM::IntToPtrOp op) {
  Operation *made = op.getArg().getDefiningOp();
  while (isa_and_nonnull<LLVM::ZExtOp, LLVM::SExtOp, LLVM::TruncOp>(made))
    made = made->getOperand(0).getDefiningOp();
  auto from = dyn_cast_or_null<LLVM::PtrToIntOp>(made);
  return from ? from.getArg() : Value();
}

/// A literal; `isSigned`: as the number that its bits are with a sign.
static std::string literal(const APInt &number, bool isSigned) {
  unsigned bits = number.getBitWidth();
  StringRef suffix = bits == 64 ? "ll" : "";
  if (isSigned && bits > 1 && number.isMinSignedValue()) // C has no such number
    return "(-" + llvm::toString(number - 1, 10, false) + suffix.str() + " - 1)";
  return isSigned && bits > 1 ? llvm::toString(number, 10, /*Signed=*/true) + suffix.str()
                              : llvm::toString(number, 10, /*Signed=*/false) + "u" + suffix.str();
}

static IntegerAttr numberOf(Value value) {
  auto constant = value.getDefiningOp<LLVM::ConstantOp>();
  return constant ? dyn_cast<IntegerAttr>(constant.getValue()) : IntegerAttr();
}

std::string CExpressions::use(Value value) {
  if (IntegerAttr number = numberOf(value))
    return literal(number.getValue(), false);
  if (value.getDefiningOp<LLVM::ZeroOp>())
    return isa<LLVM::LLVMPointerType>(value.getType()) ? "(uint8_t *)0" : "0";
  return lane && isa<VectorType>(value.getType()) ? name(value) + "[i]" : name(value);
}

std::string CExpressions::useSigned(Value value) {
  if (typeOf(value).isInteger(1))
    return "-(int)" + use(value);
  if (IntegerAttr number = numberOf(value))
    return literal(number.getValue(), true);
  return "(" + cast(value, true) + ")" + use(value);
}

/// Small integers are computed as int: the cast cuts what C adds.
std::string CExpressions::binary(Operation &op, StringRef sign, bool isSigned) {
  Value x = op.getOperand(0), y = op.getOperand(1);
  std::string left = isSigned ? useSigned(x) : use(x);
  // A shift's amount is no signed number, but vectors have one sign; two small factors would be multiplied as int.
  bool shifts = (sign == ">>" || sign == "<<") && !isa<VectorType>(typeOf(x));
  std::string right = isSigned && !shifts ? useSigned(y) : use(y);
  if (sign == "*" && bitsOf(typeOf(x)) == 16)
    left = "(uint32_t)" + left;
  return "(" + cast(op.getResult(0)) + ")(" + left + " " + sign.str() + " " + right + ")";
}

std::string CExpressions::compare(LLVM::ICmpOp op) {
  using P = LLVM::ICmpPredicate;
  static const std::pair<P, std::pair<const char *, bool>> signs[] = {
      {P::eq, {"==", false}},  {P::ne, {"!=", false}},  {P::slt, {"<", true}},   {P::sle, {"<=", true}},
      {P::sgt, {">", true}},   {P::sge, {">=", true}},  {P::ult, {"<", false}},  {P::ule, {"<=", false}},
      {P::ugt, {">", false}},  {P::uge, {">=", false}}};
  for (auto &sign : signs)
    if (sign.first == op.getPredicate()) {
      auto side = [&](Value value) { return sign.second.second ? useSigned(value) : use(value); };
      return side(op.getLhs()) + " " + sign.second.first + " " + side(op.getRhs());
    }
  return "";
}

std::string CExpressions::compare(LLVM::FCmpOp op) {
  using P = LLVM::FCmpPredicate;
  std::string x = useNumber(op.getLhs()), y = useNumber(op.getRhs());
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
  if (auto dense = dyn_cast<DenseIntElementsAttr>(op.getValue())) {
    std::string type = types.cast(op.getType()), text;
    for (const APInt &number : dense.getValues<APInt>())
      text += (text.empty() ? "" : ", ") + literal(number, false);
    return type.empty() ? "" : "(" + type + "){ " + text + " }";
  }
  auto real = dyn_cast<FloatAttr>(op.getValue());
  if (auto dense = dyn_cast<DenseFPElementsAttr>(op.getValue()); dense && !types.cast(op.getType()).empty()) {
    // By their bits, too.
    auto bits = llvm::cast<VectorType>(op.getType()).clone(IntegerType::get(op.getContext(), dense.getElementType().getIntOrFloatBitWidth()));
    std::string text;
    for (const APFloat &number : dense.getValues<APFloat>())
      text += (text.empty() ? "" : ", ") + literal(number.bitcastToAPInt(), false);
    return "(" + types.cast(op.getType()) + ")(" + types.cast(bits) + "){ " + text + " }";
  }
  if (!real)
    return "";
  // By its bits: C has no spelling for every NaN.
  APInt bits = real.getValue().bitcastToAPInt();
  if (op.getType().isF16())
    return literal(bits, false);
  StringRef type = op.getType().isF32() ? "float" : "double";
  return "((union { uint" + std::to_string(bits.getBitWidth()) + "_t u; " + type.str() + " f; }){ " + literal(bits, false) + " }).f";
}

/// Bytes of an element that an address counts in: a truth value has one.
static int64_t bytesOf(Type type) {
  if (auto array = dyn_cast<LLVM::LLVMArrayType>(type))
    return array.getNumElements() * bytesOf(array.getElementType());
  return llvm::divideCeil(bitsOf(type), 8);
}

std::string CExpressions::address(LLVM::GEPOp op) {
  std::string text = use(op.getBase());
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
    std::string scaled = useSigned(llvm::cast<Value>(index));
    text += " + " + (bytes == 1 ? scaled : scaled + " * " + std::to_string(bytes));
  }
  return text;
}

/// Memory of the function's: what its entry block allocates lives as long as an object without a name there.
std::string CExpressions::allocate(LLVM::AllocaOp op) {
  IntegerAttr count = numberOf(op.getArraySize());
  std::string element = types.cast(op.getElemType());
  if (!count || element.empty() || !op->getBlock()->isEntryBlock())
    return "";
  return "(uint8_t *)(" + element + "[" + std::to_string(count.getInt()) + "]){ 0 }";
}

std::string CExpressions::access(Value pointer, Type type, unsigned alignment, bool isConst) {
  std::string place = types.place(type, alignment);
  return place.empty() ? "" : "*(" + std::string(isConst ? "const " : "") + place + " *)(" + use(pointer) + ")";
}

std::string CExpressions::call(StringRef function, ValueRange operands) {
  std::string text = function.str() + "(";
  llvm::interleave(operands, [&](Value operand) { text += use(operand); }, [&] { text += ", "; });
  return text + ")";
}

/// C has no conditional expression for vectors: lanes of a comparison are all ones or zeros.
std::string CExpressions::select(LLVM::SelectOp op) {
  std::string x = use(op.getTrueValue()), y = use(op.getFalseValue());
  if (!isa<VectorType>(typeOf(op.getCondition())))
    return use(op.getCondition()) + " ? " + x + " : " + y;
  LLVM::ICmpOp compared = comparedLanes(op);
  std::string type = cast(op.getResult());
  if (!compared || type.empty())
    return "";
  std::string mask = "(" + type + ")(" + compare(compared) + ")";
  return "(" + mask + " & " + x + ") | (~" + mask + " & " + y + ")";
}

std::string CExpressions::shuffle(LLVM::ShuffleVectorOp op) {
  std::string text = "__builtin_shufflevector(" + use(op.getV1()) + ", " + use(op.getV1().getType() == op.getV2().getType() && op.getV2().getDefiningOp<LLVM::PoisonOp>() ? op.getV1() : op.getV2());
  for (int32_t lane : op.getMask())
    text += ", " + std::to_string(std::max(lane, 0));
  return text + ")";
}

/// To another width, or from integers to floats.
std::string CExpressions::convert(Operation &op, bool isSigned) {
  Value from = op.getOperand(0);
  Type type = typeOf(op.getResult(0));
  std::string operand = isSigned ? useSigned(from) : useNumber(from), to = types.cast(type);
  if (!isa<VectorType>(type))
    return "(" + to + ")" + operand;
  std::string wide = types.cast(type, isSigned);
  return to.empty() || wide.empty() ? "" : "(" + to + ")__builtin_convertvector(" + operand + ", " + wide + ")";
}

/// The one of two that compares so.
std::string CExpressions::larger(Operation &op, StringRef sign, bool isSigned) {
  Value x = op.getOperand(0), y = op.getOperand(1);
  if (isa<VectorType>(typeOf(x)))
    return "";
  std::string left = isSigned ? useSigned(x) : use(x), right = isSigned ? useSigned(y) : use(y);
  return left + " " + sign.str() + " " + right + " ? " + use(x) + " : " + use(y);
}

/// The same bits as another type: vectors by a cast, scalars through a union.
std::string CExpressions::reinterpret(Operation &op) {
  Value x = op.getOperand(0);
  std::string from = types.of(typeOf(x)), to = types.of(typeOf(op.getResult(0)));
  if (from.empty() || to.empty())
    return "";
  if (isa<VectorType>(typeOf(op.getResult(0))) && isa<VectorType>(x.getType()))
    return "(" + cast(op.getResult(0)) + ")" + use(x);
  return "((union { " + from + "a; " + to + "b; }){ " + use(x) + " }).b";
}

std::string CExpressions::spell(Operation &op) {
  auto operand = [&](unsigned i) { return use(op.getOperand(i)); };
  auto type = [&] { return cast(op.getResult(0)); };
  // C's operators that are for scalars alone.
  bool vectors = op.getNumResults() && isa<VectorType>(typeOf(op.getResult(0)));
  auto function = [&](StringRef of32, StringRef of64) {
    return vectors ? "" : call(typeOf(op.getResult(0)).isF32() ? of32 : of64, op.getOperands());
  };
  auto pointer = [&](LLVM::IntToPtrOp made) {
    Value behind = pointerBehind(made);
    return behind ? use(behind) : "(uint8_t *)(uintptr_t)" + operand(0);
  };
  if (op.getNumResults() && typeOf(op.getResult(0)).isF16())
    if (std::string half = spellHalf(op); !half.empty() || isa<LLVM::FPTruncOp>(op))
      return half;
  return llvm::TypeSwitch<Operation *, std::string>(&op)
      .Case([&](LLVM::ConstantOp c) { return constant(c); })
      .Case([&](LLVM::PoisonOp) { return type().empty() ? "" : "(" + type() + "){ 0 }"; })
      .Case([&](LLVM::FreezeOp) { return operand(0); })
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
      .Case([&](LLVM::ICmpOp c) { return vectors ? "" : compare(c); })
      .Case([&](LLVM::FCmpOp c) { return vectors ? "" : compare(c); })
      .Case([&](LLVM::SelectOp c) { return select(c); })
      .Case([&](LLVM::ShuffleVectorOp c) { return shuffle(c); })
      .Case([&](LLVM::ExtractElementOp c) { return operand(0) + "[" + operand(1) + "]"; })
      .Case<LLVM::SExtOp, LLVM::SIToFPOp>([&](auto) { return convert(op, true); })
      .Case<LLVM::ZExtOp, LLVM::UIToFPOp, LLVM::TruncOp, LLVM::FPExtOp, LLVM::FPTruncOp, LLVM::FPToUIOp>(
          [&](auto) { return convert(op, false); })
      .Case([&](LLVM::FPToSIOp) {
        unsigned bits = std::max(8u, bitsOf(typeOf(op.getResult(0))));
        return vectors ? "" : "(" + type() + ")(int" + std::to_string(bits) + "_t)" + useNumber(op.getOperand(0));
      })
      .Case([&](LLVM::FNegOp) { return "-" + operand(0); })
      .Case([&](LLVM::BitcastOp) { return reinterpret(op); })
      .Case([&](LLVM::IntToPtrOp made) { return pointer(made); })
      .Case([&](LLVM::PtrToIntOp) { return "(" + type() + ")(uintptr_t)" + operand(0); })
      .Case([&](LLVM::GEPOp gep) { return address(gep); })
      .Case([&](LLVM::AllocaOp made) { return allocate(made); })
      .Case([&](LLVM::LoadOp load) {
        return access(load.getAddr(), load.getType(), load.getAlignment().value_or(0), true);
      })
      .Case([&](LLVM::AddressOfOp of) { return "(uint8_t *)(uintptr_t)" + of.getGlobalName().str(); })
      .Case([&](LLVM::SMaxOp) { return larger(op, ">", true); })
      .Case([&](LLVM::SMinOp) { return larger(op, "<", true); })
      .Case([&](LLVM::UMaxOp) { return larger(op, ">", false); })
      .Case([&](LLVM::UMinOp) { return larger(op, "<", false); })
      .Case([&](LLVM::FAbsOp) { return function("__builtin_fabsf", "__builtin_fabs"); })
      .Case([&](LLVM::CopySignOp) { return function("__builtin_copysignf", "__builtin_copysign"); })
      .Case([&](LLVM::SqrtOp) { return function("__builtin_sqrtf", "__builtin_sqrt"); })
      .Case<LLVM::CountLeadingZerosOp, LLVM::CountTrailingZerosOp, LLVM::CtPopOp, LLVM::AbsOp>(
          [&](auto) { return vectors ? "" : countBits(op); })
      .Default([&](Operation *) { return op.getNumResults() == 1 && !vectors ? callLibrary(op) : ""; });
}

std::string CExpressions::spellLane(Operation &op) {
  // What moves lanes, or touches memory, is no matter of one lane.
  if (!isPure(&op) || isa<LLVM::ShuffleVectorOp, LLVM::ExtractElementOp, LLVM::ConstantOp, LLVM::PoisonOp>(op))
    return "";
  lane = true;
  std::string text = spell(op);
  lane = false;
  return text;
}
