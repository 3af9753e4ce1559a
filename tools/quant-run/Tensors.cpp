// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "Tensors.h"
#include "lib/Emit/Interface.h"

using namespace mlir;
using namespace mlir::qtensor;

StringRef tools::npyType(int32_t dtype) {
  static constexpr StringLiteral names[] = {"b1", "i1", "u1", "i2", "u2", "i4", "u4",
                                            "i8", "u8", "f2", "u2", "f4", "f8", "u1"};
  return names[dtype - 1];
}

llvm::Expected<qt_tensor> tools::toTensor(const LoadedTensor &expected, NpyArray &array) {
  if (npyType(expected.dtype) != array.dtype)
    return llvm::createStringError("input '" + expected.name + "' has elements of type " + array.dtype +
                                   ", the model takes " + npyType(expected.dtype) + " (" + dtypeName(expected.dtype) + ")");
  if (array.shape.size() > QT_MAX_RANK)
    return llvm::createStringError("input '" + expected.name + "' has more than " + Twine(int(QT_MAX_RANK)) + " dimensions");
  qt_tensor tensor = {array.data.data(), expected.dtype, static_cast<int32_t>(array.shape.size()), {}};
  llvm::copy(array.shape, tensor.shape);
  return tensor;
}

NpyArray tools::toArray(const qt_tensor &tensor) {
  NpyArray array;
  array.dtype = npyType(tensor.dtype).str();
  array.shape.assign(tensor.shape, tensor.shape + tensor.rank);
  auto *data = static_cast<const char *>(tensor.data);
  array.data.assign(data, data + tensorBytes(tensor));
  return array;
}
