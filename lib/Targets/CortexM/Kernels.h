// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Parts of kernel tables, each list best first.
#pragma once
#include "lib/Transforms/Firmware/LayerKernels.h"

namespace mlir::qtensor::cortexm {

/// Convolutions and fully connected layers with weights of 8, 4 and 2 bits.
void addDspConvKernels(firmware::LayerKernels &kernels);
/// Convolutions and fully connected layers with codes of 16 bits and weights of 8.
void addDspWords(firmware::LayerKernels &kernels);
/// Pooling of channels in words.
void addDspPool(firmware::LayerKernels &kernels);
/// One product at a time, in tiles for eight registers and for thirteen; tables for sums and softmax.
void addThumb1Kernels(firmware::LayerKernels &kernels);
void addThumb2Kernels(firmware::LayerKernels &kernels);
/// Depthwise convolutions with one output for each input channel.
void addDspDepthwiseKernels(firmware::LayerKernels &kernels);

} // namespace mlir::qtensor::cortexm
