// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Text of generated files: fixed, with named gaps.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/raw_ostream.h"
#include <string>

namespace mlir::qtensor {

/// What stands for a key, which begins with '$'. Of keys that begin alike the longest must come first.
using TemplateValue = std::pair<llvm::StringRef, std::string>;

/// Prints text with every key replaced by its value; a '$' that begins no key stays.
void printTemplate(llvm::StringRef text, llvm::ArrayRef<TemplateValue> values, llvm::raw_ostream &os);

/// Text of a model for a comment of C: printable, one line, and no end of the comment.
std::string commentText(llvm::StringRef text);

} // namespace mlir::qtensor
