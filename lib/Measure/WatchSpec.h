// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the plugin is told and what it says: the two files of lib/Measure/Plugin/watch.c.
#pragma once
#include "lib/Emit/Firmware/Bundle.h"
#include "lib/Measure/ProgramSymbols.h"

namespace mlir::qtensor {

/// Where a program has what the model may touch.
struct WatchSpec {
  std::string text;
  std::vector<std::string> functions; ///< Of layers, by the plugin's numbers.
  uint64_t stackTop = 0, stackCaller = 0; ///< Address above the stack; bytes below it that are the caller's.
  std::vector<uint64_t> arenaStarts;
  size_t firstArena = 0, stack = 0;   ///< Numbers of memories.
};
llvm::Expected<WatchSpec> makeWatchSpec(const Bundle &bundle, const ProgramSymbols &symbols);

/// Reads what the plugin wrote. Fails on accesses outside, and if the call did not come to its end.
llvm::Expected<FirmwareMeasurement> readWatchOutput(StringRef text, const WatchSpec &spec, const Bundle &bundle,
                                                    const ProgramSymbols &symbols);

} // namespace mlir::qtensor
