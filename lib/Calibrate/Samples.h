// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Samples for calibration, from .npy files.
#pragma once
#include "qtensor/ModelRunner.h"
#include <string>

namespace mlir::qtensor {

/// Reads the samples that `sources` name, for @main of `module`. A source is
/// - a .npy file: one sample of a model with one input, or several along the first extent, where the model's is fixed;
/// - a folder: its .npy files, sorted by name, each like a file;
/// - any other file, a manifest: one sample a line, `[name=]file.npy` for each input, relative to the manifest's
/// folder;
///   empty lines and what follows `#` are ignored.
/// Errors name file, line and rule.
FailureOr<std::vector<Sample>> readSamples(ModuleOp module, ArrayRef<std::string> sources);

} // namespace mlir::qtensor
