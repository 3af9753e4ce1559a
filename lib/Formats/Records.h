// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The text of the records, as CMake found them.
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace mlir::qtensor {
struct RecordText {
  llvm::StringLiteral path; ///< Relative to the root of the tree; diagnostics name it.
  llvm::StringRef text;
};
llvm::ArrayRef<RecordText> getRecordTexts();
} // namespace mlir::qtensor
