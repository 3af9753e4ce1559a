// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels for processors with Helium (MVE), Cortex-M55 and M85.
#pragma once
#include "lib/Transforms/Firmware/LayerKernels.h"

namespace mlir::qtensor::cortexm {

/// Each adds a family to a table, best first.
void addMveFullyConnected(firmware::LayerKernels &kernels);
void addMveConv(firmware::LayerKernels &kernels);
void addMveGroups(firmware::LayerKernels &kernels);
void addMveRows(firmware::LayerKernels &kernels); ///< Of codes of 16 bits.
void addMveWide(firmware::LayerKernels &kernels); ///< Of them, with sums of 64 bits.
void addMveDepthwise(firmware::LayerKernels &kernels);
void addMveAdd(firmware::LayerKernels &kernels);
void addMveMul(firmware::LayerKernels &kernels);
void addMvePool(firmware::LayerKernels &kernels);
void addMveSoftmax(firmware::LayerKernels &kernels);

} // namespace mlir::qtensor::cortexm
