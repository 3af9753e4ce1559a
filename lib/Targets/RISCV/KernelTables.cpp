// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#include "lib/Targets/RISCV/KernelTables.h"
#include "lib/Targets/RISCV/Kernels.h"

using namespace mlir::qtensor;
using namespace mlir::qtensor::riscv;
using firmware::LayerKernels;

/// A table, filled in order; the kernels that are right everywhere come last.
static LayerKernels makeTable(llvm::ArrayRef<void (*)(LayerKernels &)> parts) {
  LayerKernels kernels;
  for (auto *add : parts)
    add(kernels);
  firmware::addPlainKernels(kernels);
  return kernels;
}

const LayerKernels &riscv::scalarKernels() {
  static const LayerKernels kernels = makeTable({addScalarKernels});
  return kernels;
}

const LayerKernels &riscv::vectorKernels() {
  static const LayerKernels kernels =
      makeTable({addVectorConvKernels, addVectorDepthwiseKernels, addVectorElementKernels, addScalarKernels});
  return kernels;
}

const LayerKernels &riscv::coreVKernels() {
  static const LayerKernels kernels = makeTable({addCoreVKernels});
  return kernels;
}
