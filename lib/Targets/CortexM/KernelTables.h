// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernels of each generation of cores, best first.
#pragma once
#include "lib/Transforms/Firmware/LayerKernels.h"

namespace mlir::qtensor::cortexm {

const firmware::LayerKernels &thumb1Kernels();
const firmware::LayerKernels &thumb2Kernels();
const firmware::LayerKernels &dspKernels();
const firmware::LayerKernels &heliumKernels();

} // namespace mlir::qtensor::cortexm
