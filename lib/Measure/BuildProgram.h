// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "lib/Emit/Files.h"
#include "lib/Emit/Firmware/Bundle.h"

namespace mlir::qtensor {

/// Compiles and links the example of a bundle to `program`, with the first of the target's compilers that is installed.
llvm::Error buildProgram(const Bundle &bundle, StringRef folder, StringRef program, const ScratchFolder &scratch);

} // namespace mlir::qtensor
