// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Emit/Firmware/CTypes.h"
#include "lib/Emit/Firmware/CSpellings.h"
#include "lib/Emit/Template.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::qtensor;

std::string CTypes::vector(VectorType type, bool isSigned) {
  // A lane of one bit takes a byte.
  unsigned bits = std::max(type.getElementTypeBitWidth(), 8u);
  bool isFloat = type.getElementType().isF32() || type.getElementType().isF64();
  bool isInteger = type.getElementType().isInteger() && llvm::is_contained({8u, 16u, 32u, 64u}, bits);
  if (type.getRank() != 1 || (!isFloat && !isInteger))
    return "";
  if (type.isScalable()) {
    if (c.scalableVector.empty())
      return "";
    std::string text;
    llvm::raw_string_ostream os(text);
    printTemplate(c.scalableVector, {{"$er", std::to_string(bits)}, {"$mr", registerGroup(type, c)}}, os);
    return text + " ";
  }
  int64_t bytes = type.getNumElements() * bits / 8;
  if (!llvm::isPowerOf2_64(bytes))
    return "";
  std::string element = isFloat ? cast(type.getElementType()) : (isSigned ? "int" : "uint") + std::to_string(bits) + "_t",
              name = (isFloat ? "q_f" : isSigned ? "q_i" : "q_u") + std::to_string(bits) + "x" + std::to_string(type.getNumElements());
  definitions[name] = "typedef " + element + " " + name + " __attribute__((vector_size(" + std::to_string(bytes) + ")));";
  return name + " ";
}

std::string CTypes::of(Value value) {
  auto vectorType = dyn_cast<VectorType>(value.getType());
  bool isPredicate = vectorType && vectorType.getElementType().isInteger(1) && value.getDefiningOp<LLVM::CallIntrinsicOp>();
  return isPredicate ? (c.predicate.empty() ? "" : c.predicate.str() + " ") : of(value.getType());
}

std::string CTypes::of(Type type, bool isSigned) {
  if (isa<LLVM::LLVMPointerType>(type))
    return "uint8_t *";
  if (auto vectorType = dyn_cast<VectorType>(type))
    return vector(vectorType, isSigned);
  if (type.isF32())
    return "float ";
  if (type.isF64())
    return "double ";
  if (type.isF16()) // by its bits
    return "uint16_t ";
  if (type.isInteger(1))
    return "_Bool ";
  if (isa<IntegerType>(type) && llvm::is_contained({8u, 16u, 32u, 64u}, bitsOf(type)))
    return (isSigned ? "int" : "uint") + std::to_string(bitsOf(type)) + "_t ";
  return "";
}

std::string CTypes::place(Type type, unsigned alignment) {
  auto vectorType = dyn_cast<VectorType>(type);
  std::string plain = type.isInteger(1) ? "uint8_t" : cast(type);
  if (plain.empty() || isa<LLVM::LLVMPointerType>(type) || (vectorType && (vectorType.isScalable() || vectorType.getElementType().isInteger(1))))
    return "";
  unsigned bits = vectorType ? unsigned(vectorType.getNumElements()) * vectorType.getElementTypeBitWidth() : bitsOf(type);
  std::string align = std::to_string(alignment ? alignment : std::max(1u, bits / 8));
  std::string name = (StringRef(plain).starts_with("q_") ? "" : "q_") + plain + "_" + align;
  definitions[name] = "typedef " + plain + " " + name + " __attribute__((may_alias, aligned(" + align + ")));";
  return name;
}
