// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The intrinsics and the pieces of assembly of the kernels in C.
#pragma once
#include "qtensor/Firmware.h"

namespace mlir::qtensor::riscv {

CDialect dialect();

} // namespace mlir::qtensor::riscv
