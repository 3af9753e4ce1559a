// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Targets/CortexM/KernelTables.h"
#include "lib/Targets/CortexM/Kernels.h"
#include "lib/Targets/CortexM/MveKernels.h"

using namespace mlir::qtensor;
using firmware::LayerKernels;
using firmware::makeKernelTable;

const LayerKernels &cortexm::thumb1Kernels() {
  static const LayerKernels kernels = makeKernelTable({addThumb1Kernels});
  return kernels;
}

const LayerKernels &cortexm::thumb2Kernels() {
  static const LayerKernels kernels = makeKernelTable({addThumb2Kernels});
  return kernels;
}

const LayerKernels &cortexm::dspKernels() {
  static const LayerKernels kernels =
      makeKernelTable({addDspConvKernels, addDspWords, addDspDepthwiseKernels, addDspPool, addThumb2Kernels});
  return kernels;
}

const LayerKernels &cortexm::heliumKernels() {
  static const LayerKernels kernels = makeKernelTable(
      {addMveFullyConnected, addMveRows, addMveConv, addMveGroups, addMveWide, addMveDepthwise, addMvePool, addMveAdd, addMveMul,
       addMveSoftmax, addDspConvKernels, addDspWords, addDspPool, addThumb2Kernels});
  return kernels;
}
