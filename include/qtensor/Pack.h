// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Between the bytes of another library's format and the components of an encoding, by the format's layout.
#pragma once
#include "qtensor/Encode.h"

namespace mlir::qtensor {
class FormatAttr;

/// One array of foreign bytes; the name is empty where a format has only one.
struct ForeignArray {
  std::string name;
  std::vector<char> bytes;
};
struct ForeignView {
  llvm::StringRef name;
  llvm::ArrayRef<char> bytes;
};

/// Components of a tensor of `shape` from foreign bytes. `encoding` is the format's, made for this rank and block size
/// (see FormatChoice). Errors: no layout, a missing array, a wrong number of bytes, rows that records do not divide.
FailureOr<std::vector<ComponentBytes>> unpackTensor(FormatAttr format, BlockAttr encoding,
                                                    llvm::ArrayRef<int64_t> shape,
                                                    llvm::ArrayRef<ForeignView> arrays, EmitErrorFn emitError);

/// The inverse. Bits that no component fills are zero.
FailureOr<std::vector<ForeignArray>> packTensor(FormatAttr format, BlockAttr encoding, llvm::ArrayRef<int64_t> shape,
                                                llvm::ArrayRef<llvm::ArrayRef<char>> components,
                                                EmitErrorFn emitError);
} // namespace mlir::qtensor
