// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The kernels of RISC-V processors, appended to a target's list.
#pragma once
#include "lib/Transforms/Firmware/LayerKernels.h"

namespace mlir::qtensor::riscv {

/// For every processor with a multiplier.
void addScalarKernels(firmware::LayerKernels &kernels);

/// For processors with CORE-V's XCVsimd and XCVmac.
void addCoreVKernels(firmware::LayerKernels &kernels);

/// For Zve32x and all that contains it, at any vector length of 64 bits and more.
void addVectorConvKernels(firmware::LayerKernels &kernels);
void addVectorDepthwiseKernels(firmware::LayerKernels &kernels);
void addVectorElementKernels(firmware::LayerKernels &kernels);
void addVectorPool(firmware::LayerKernels &kernels);

/// Folded bias, multiplier and right shift (at least 1) as i32, each a list of all channels.
std::vector<char> packChannelMaps(const firmware::ConvLayer &layer, const firmware::ConvConstants &constants);

} // namespace mlir::qtensor::riscv
