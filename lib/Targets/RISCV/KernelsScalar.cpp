// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Scalar tiles for 31 registers.
#include "lib/Targets/RISCV/Kernels.h"
#include "lib/Transforms/Firmware/ScalarKernels.h"

using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

void riscv::addScalarKernels(LayerKernels &kernels) {
  static const ScalarKernels scalar({/*pixels=*/4, /*channels=*/4, /*rowChannels=*/16, /*depthwisePixels=*/2,
                                     /*unrolled=*/8, /*longMultiply=*/true, /*productsAtOnce=*/4});
  scalar.addTo(kernels);
}
