// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the command lines of several tools have in common.
#pragma once
#include "qtensor/Import.h"

namespace mlir::qtensor::tools {

/// Prints an error. False.
bool fail(const llvm::Twine &what);

/// Reads the texts of --dim, name=value. False after an error.
bool parseDims(llvm::ArrayRef<std::string> texts, ImportOptions &options);

/// What main returns: `status`, or 1 after an error where standard output could not be written.
int exitStatus(int status);

} // namespace mlir::qtensor::tools
