// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "qtensor/Firmware.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Error.h"
#include <string>

namespace llvm {
class Function;
class Module;
}

namespace mlir::qtensor {

/// Functions that code generation calls by name, with which a model brings its own.
class HelperCode {
public:
  /// A target's names for them. They are compiled `like` another function.
  HelperCode(llvm::ArrayRef<EmbeddedFile> names, llvm::Function &like) : names(names), like(like) {}

  /// Adds to a module those functions that have one of the names, and what they call. Names that the target lacks stay for the
  /// linker. Returns whether any was found.
  llvm::Expected<bool> add(llvm::Module &code, llvm::ArrayRef<std::string> wanted);

  /// In a copy of the module that is about to be compiled: nobody else sees them, and those that were asked for stay.
  void hide(llvm::Module &copy) const;

private:
  llvm::Expected<std::unique_ptr<llvm::Module>> read(llvm::Module &code) const;

  llvm::ArrayRef<EmbeddedFile> names;
  llvm::Function &like;
  llvm::StringSet<> called, added;
};

} // namespace mlir::qtensor
