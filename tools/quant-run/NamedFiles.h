// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arrays in files: what --input, --output and --compare say, and which tensors they are for.
#pragma once
#include "lib/Import/Npy/Npy.h"
#include <optional>

namespace mlir::qtensor::tools {

/// A file and the index of its tensor.
struct NamedFile {
  unsigned index;
  llvm::StringRef file;
};

/// Resolves texts of the form "[name=]file" against the names of tensors; the i-th text, if it has no name, means the
/// i-th tensor. `what` the tensors are ("input") is for errors: unknown names, more files than tensors, and two files
/// for one tensor.
llvm::Expected<std::vector<NamedFile>> resolveFiles(llvm::ArrayRef<std::string> texts, llvm::ArrayRef<std::string> names,
                                                    llvm::StringRef what);

/// The array of each of the inputs that `names` lists; nothing where no text gives one.
llvm::Expected<std::vector<std::optional<NpyArray>>> readInputs(llvm::ArrayRef<std::string> texts,
                                                                llvm::ArrayRef<std::string> names);

/// The error where an input that has to be given is not.
llvm::Error missingInput(llvm::StringRef name);

/// Writes an array as a .npy file.
llvm::Error writeArray(const NpyArray &array, llvm::StringRef file);

} // namespace mlir::qtensor::tools
