// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The intrinsics of the kernels in C.
#pragma once
#include "qtensor/Firmware.h"

namespace mlir::qtensor::cortexm {

CDialect scalarDialect();
CDialect heliumDialect();

} // namespace mlir::qtensor::cortexm
