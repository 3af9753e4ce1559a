// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#pragma once
#include "lib/Transforms/Firmware/LayerKernels.h"

namespace mlir::qtensor::firmware {

/// For each kernel of a table that takes parts of images one behind all others that computes convolutions in groups of
/// channels with it, in the same order.
void addGroupedConv(LayerKernels &kernels);

} // namespace mlir::qtensor::firmware
