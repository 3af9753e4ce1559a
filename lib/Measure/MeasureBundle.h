// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs a bundle's example program in the emulator of its board and sees every instruction and every access to memory.
#pragma once
#include "lib/Emit/Firmware/Bundle.h"
#include <functional>

namespace mlir::qtensor {

struct MeasureOptions {
  StringRef folder;       ///< Of the bundle, written before.
  StringRef pluginFolder; ///< Where the emulator's plugins are.
  std::function<void(StringRef)> progress; ///< Called with what is being done. May be null.
};

struct MeasuredRun {
  FirmwareMeasurement measurement;
  std::string output; ///< What the program printed: its outputs.
};

/// Builds bundle.board's example with the first of the target's compilers that is there, and runs it once. Fails if
/// something is not installed, the program does not end well, or the model touched memory that is not its own: then the
/// error names the function, the address and what lies there.
llvm::Expected<MeasuredRun> measureBundle(const Bundle &bundle, const MeasureOptions &options);

} // namespace mlir::qtensor
