// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace llvm {
class Function;
class Module;
}

namespace mlir::qtensor {

/// Adds to a module those functions of `text`, LLVM's IR, that have one of the names, and what they call. Nobody else sees
/// them; they are compiled `like` another. Names that the text lacks stay for the linker. Returns how many names were found.
llvm::Expected<size_t> addHelpers(llvm::Module &code, llvm::StringRef text, llvm::ArrayRef<std::string> names,
                                 llvm::Function &like);

} // namespace mlir::qtensor
