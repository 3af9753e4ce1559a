// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Targets/RISCV/KernelTables.h"
#include "lib/Targets/RISCV/Kernels.h"

using namespace mlir::qtensor;
using namespace mlir::qtensor::riscv;
using firmware::LayerKernels;
using firmware::makeKernelTable;

const LayerKernels &riscv::scalarKernels() {
  static const LayerKernels kernels = makeKernelTable({addScalarKernels});
  return kernels;
}

const LayerKernels &riscv::vectorKernels() {
  static const LayerKernels kernels =
      makeKernelTable({addVectorConvKernels, addVectorDepthwiseKernels,
                                                      addVectorElementKernels, addVectorPool, addScalarKernels});
  return kernels;
}

const LayerKernels &riscv::coreVKernels() {
  static const LayerKernels kernels = makeKernelTable({addCoreVKernels});
  return kernels;
}
