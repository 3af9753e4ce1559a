// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// NumPy's .npy files, for inputs, outputs and references of tools.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"
#include <string>
#include <vector>

namespace mlir::qtensor {

/// One array, in C order and little endian.
struct NpyArray {
  /// NumPy's kind and size without byte order: "f4", "i8", "u1", "b1", "f2", ...
  std::string dtype;
  llvm::SmallVector<int64_t> shape;
  std::vector<char> data;

  int64_t elementBytes() const;
  int64_t elementCount() const;
};

/// Parses the bytes of a file of format version 1, 2 or 3. `name` is the file's, for messages. Arrays of objects,
/// structured, big-endian and Fortran-order arrays are refused; an error names the file, the byte and the rule.
llvm::Expected<NpyArray> parseNpy(llvm::StringRef bytes, llvm::StringRef name);

/// Reads a file.
llvm::Expected<NpyArray> readNpy(llvm::StringRef path);

/// Writes format version 1.
void writeNpy(const NpyArray &array, llvm::raw_ostream &os);

/// Element `index` of the array as a double. 64-bit integers beyond 2^53 are rounded.
double npyElement(const NpyArray &array, int64_t index);

} // namespace mlir::qtensor
