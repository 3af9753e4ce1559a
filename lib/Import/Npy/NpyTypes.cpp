// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Import/Npy/NpyTypes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

std::string qtensor::npyTypeOf(Type type) {
  if (type.isInteger(1))
    return "b1";
  if (type.isIndex())
    return "i8";
  if (type.isF16() || type.isF32() || type.isF64())
    return "f" + std::to_string(type.getIntOrFloatBitWidth() / 8);
  auto integer = dyn_cast<IntegerType>(type);
  if (integer && llvm::is_contained({8u, 16u, 32u, 64u}, integer.getWidth()))
    return (integer.isUnsigned() ? "u" : "i") + std::to_string(integer.getWidth() / 8);
  return "";
}

bool qtensor::fitsNpyType(Type type, llvm::StringRef dtype) {
  std::string expected = npyTypeOf(type);
  auto isInteger = [](llvm::StringRef name) { return name.starts_with("i") || name.starts_with("u"); };
  return !expected.empty() && (dtype == expected || (isInteger(dtype) && isInteger(expected) &&
                                                     dtype.drop_front() == llvm::StringRef(expected).drop_front()));
}
