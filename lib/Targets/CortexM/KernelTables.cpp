// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Targets/CortexM/KernelTables.h"
#include "lib/Targets/CortexM/Kernels.h"
#include "lib/Targets/CortexM/MveKernels.h"

using namespace mlir::qtensor;
using firmware::LayerKernels;

/// A table, filled in order; the kernels that are right everywhere come last.
static LayerKernels makeTable(llvm::ArrayRef<void (*)(LayerKernels &)> parts) {
  LayerKernels kernels;
  for (auto *add : parts)
    add(kernels);
  firmware::addPlainKernels(kernels);
  return kernels;
}

const LayerKernels &cortexm::thumb1Kernels() {
  static const LayerKernels kernels = makeTable({addThumb1Kernels});
  return kernels;
}

const LayerKernels &cortexm::thumb2Kernels() {
  static const LayerKernels kernels = makeTable({addThumb2Kernels});
  return kernels;
}

const LayerKernels &cortexm::dspKernels() {
  static const LayerKernels kernels = makeTable({addDspConvKernels, addDspDepthwiseKernels, addThumb2Kernels});
  return kernels;
}

const LayerKernels &cortexm::heliumKernels() {
  static const LayerKernels kernels = makeTable(
      {addMveFullyConnected, addMveConv, addMveDepthwise, addMveAdd, addMveSoftmax, addDspConvKernels, addThumb2Kernels});
  return kernels;
}
