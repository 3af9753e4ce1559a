// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernels of each set of extensions, best first.
#pragma once
#include "lib/Transforms/Firmware/LayerKernels.h"

namespace mlir::qtensor::riscv {

const firmware::LayerKernels &scalarKernels();
const firmware::LayerKernels &vectorKernels();
const firmware::LayerKernels &coreVKernels();

} // namespace mlir::qtensor::riscv
