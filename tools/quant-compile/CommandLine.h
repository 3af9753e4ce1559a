// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the command lines of several tools have in common.
#pragma once
#include "qtensor/Import.h"
#include "llvm/Support/CommandLine.h"

namespace mlir::qtensor::tools {

/// Prints an error. False.
bool fail(const llvm::Twine &what);

/// What is wrong where `option` was given but has no effect, for a reason.
std::string noEffect(const llvm::cl::Option &option, const llvm::Twine &reason);

/// False after an error where `option` was given but the reader of the model at `path` does not read `setting`.
bool checkReads(llvm::StringRef path, const llvm::cl::Option &option, llvm::StringRef setting);

/// Reads the texts of --dim, name=value. False after an error.
bool parseDims(llvm::ArrayRef<std::string> texts, ImportOptions &options);

/// What main returns: `status`, or 1 after an error where standard output could not be written.
int exitStatus(int status);

} // namespace mlir::qtensor::tools
