// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Targets/CortexM/Kernels.h"
#include "lib/Transforms/Firmware/ScalarKernels.h"

using namespace mlir::qtensor;
using namespace mlir::qtensor::firmware;

void cortexm::addThumb1Kernels(LayerKernels &kernels) {
  static const ScalarKernels scalar({/*pixels=*/1, /*channels=*/2, /*rowChannels=*/2, /*depthwisePixels=*/1,
                                     /*unrolled=*/4, /*longMultiply=*/false, /*productsAtOnce=*/2,
                                     /*unsignedLoads=*/true});
  scalar.addTo(kernels);
}

void cortexm::addThumb2Kernels(LayerKernels &kernels) {
  static const ScalarKernels scalar({/*pixels=*/2, /*channels=*/2, /*rowChannels=*/4, /*depthwisePixels=*/2,
                                     /*unrolled=*/4, /*longMultiply=*/true, /*productsAtOnce=*/0});
  scalar.addTo(kernels);
}
