// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The boards of the emulator that Cortex-M rows run on.
#pragma once
#include "qtensor/Firmware.h"

namespace mlir::qtensor::cortexm {

/// Each list begins with the board of the processor itself.
llvm::ArrayRef<FirmwareBoard> m0Boards();
llvm::ArrayRef<FirmwareBoard> m0plusBoards();
llvm::ArrayRef<FirmwareBoard> m3Boards();
llvm::ArrayRef<FirmwareBoard> m4Boards();
llvm::ArrayRef<FirmwareBoard> m7Boards();
llvm::ArrayRef<FirmwareBoard> m33Boards();
llvm::ArrayRef<FirmwareBoard> m55Boards();
llvm::ArrayRef<FirmwareBoard> m85Boards();

} // namespace mlir::qtensor::cortexm
