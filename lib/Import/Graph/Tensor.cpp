// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Properties of element types and access to the elements of constants.
#include "lib/Import/Graph/Tensor.h"
#include "llvm/ADT/APFloat.h"

namespace mlir::qtensor::graph {
namespace {
enum class Class { None, Float, Signed, Unsigned, Bool };

struct ElemInfo {
  const char *name;
  unsigned bits;
  Class kind;
};

/// Indexed by the number of the type.
constexpr ElemInfo kElems[] = {
    {"undefined", 0, Class::None},       {"float", 32, Class::Float},
    {"uint8", 8, Class::Unsigned},       {"int8", 8, Class::Signed},
    {"uint16", 16, Class::Unsigned},     {"int16", 16, Class::Signed},
    {"int32", 32, Class::Signed},        {"int64", 64, Class::Signed},
    {"string", 0, Class::None},          {"bool", 8, Class::Bool},
    {"float16", 16, Class::Float},       {"double", 64, Class::Float},
    {"uint32", 32, Class::Unsigned},     {"uint64", 64, Class::Unsigned},
    {"complex64", 64, Class::None},      {"complex128", 128, Class::None},
    {"bfloat16", 16, Class::Float},      {"float8e4m3fn", 8, Class::Float},
    {"float8e4m3fnuz", 8, Class::Float}, {"float8e5m2", 8, Class::Float},
    {"float8e5m2fnuz", 8, Class::Float}, {"uint4", 4, Class::Unsigned},
    {"int4", 4, Class::Signed},          {"float4e2m1", 4, Class::Float},
    {"float8e8m0", 8, Class::Float},     {"uint2", 2, Class::Unsigned},
    {"int2", 2, Class::Signed},
};

const ElemInfo *info(Elem elem) {
  auto number = static_cast<int32_t>(elem);
  return number >= 0 && number < static_cast<int32_t>(std::size(kElems)) ? &kElems[number] : nullptr;
}

bool hasClass(Elem elem, Class kind) {
  const ElemInfo *found = info(elem);
  return found && found->kind == kind;
}

const llvm::fltSemantics *semantics(Elem elem) {
  switch (elem) {
  case Elem::F32:
    return &APFloat::IEEEsingle();
  case Elem::F64:
    return &APFloat::IEEEdouble();
  case Elem::F16:
    return &APFloat::IEEEhalf();
  case Elem::BF16:
    return &APFloat::BFloat();
  case Elem::Float8E4M3FN:
    return &APFloat::Float8E4M3FN();
  case Elem::Float8E4M3FNUZ:
    return &APFloat::Float8E4M3FNUZ();
  case Elem::Float8E5M2:
    return &APFloat::Float8E5M2();
  case Elem::Float8E5M2FNUZ:
    return &APFloat::Float8E5M2FNUZ();
  case Elem::Float4E2M1:
    return &APFloat::Float4E2M1FN();
  case Elem::Float8E8M0:
    return &APFloat::Float8E8M0FNU();
  default:
    return nullptr;
  }
}
} // namespace

bool isFloat(Elem elem) { return hasClass(elem, Class::Float); }
bool isUnsigned(Elem elem) { return hasClass(elem, Class::Unsigned); }
bool isSigned(Elem elem) { return hasClass(elem, Class::Signed); }
bool isInteger(Elem elem) { return isSigned(elem) || isUnsigned(elem); }

unsigned bitWidth(Elem elem) {
  const ElemInfo *found = info(elem);
  return found ? found->bits : 0;
}

std::string elemName(Elem elem) {
  if (const ElemInfo *found = info(elem))
    return found->name;
  return "type " + std::to_string(static_cast<int32_t>(elem));
}

Type elemType(Elem elem, MLIRContext *context) {
  if (elem == Elem::Bool)
    return IntegerType::get(context, 1);
  if (isInteger(elem))
    return IntegerType::get(context, bitWidth(elem));
  switch (elem) {
  case Elem::F32:
    return Float32Type::get(context);
  case Elem::F64:
    return Float64Type::get(context);
  case Elem::F16:
    return Float16Type::get(context);
  case Elem::BF16:
    return BFloat16Type::get(context);
  case Elem::Float8E4M3FN:
    return Float8E4M3FNType::get(context);
  case Elem::Float8E4M3FNUZ:
    return Float8E4M3FNUZType::get(context);
  case Elem::Float8E5M2:
    return Float8E5M2Type::get(context);
  case Elem::Float8E5M2FNUZ:
    return Float8E5M2FNUZType::get(context);
  case Elem::Float4E2M1:
    return Float4E2M1FNType::get(context);
  case Elem::Float8E8M0:
    return Float8E8M0FNUType::get(context);
  default:
    return {};
  }
}

int64_t TensorData::numElements() const {
  int64_t count = 1;
  for (int64_t dim : dims)
    count *= dim;
  return count;
}

int64_t TensorData::intAt(int64_t i) const {
  unsigned size = std::max(1u, bitWidth(elem) / 8);
  uint64_t bits = 0;
  std::memcpy(&bits, bytes.data() + i * size, size);
  return isSigned(elem) ? llvm::SignExtend64(bits, size * 8) : static_cast<int64_t>(bits);
}

double TensorData::realAt(int64_t i) const {
  const llvm::fltSemantics *format = semantics(elem);
  if (!format)
    return isUnsigned(elem) ? static_cast<double>(static_cast<uint64_t>(intAt(i))) : static_cast<double>(intAt(i));
  unsigned size = std::max(1u, bitWidth(elem) / 8);
  uint64_t bits = 0;
  std::memcpy(&bits, bytes.data() + i * size, size);
  APFloat value(*format, APInt(bitWidth(elem), bits, /*isSigned=*/false, /*implicitTrunc=*/true));
  bool lost = false;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
  return value.convertToDouble();
}

} // namespace mlir::qtensor::graph
