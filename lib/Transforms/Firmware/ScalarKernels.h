// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Kernels of one product at a time, in tiles that fit the registers of a processor.
#pragma once
#include "lib/Transforms/Firmware/LayerKernels.h"
#include <memory>

namespace mlir::qtensor::firmware {

/// What a target's row says of its processor. Channels are even.
struct ScalarShape {
  int64_t pixels = 2, channels = 2; ///< The tile of a convolution.
  int64_t rowChannels = 4;          ///< The channels of a tile of one pixel: a fully connected layer.
  int64_t depthwisePixels = 2;
  int64_t unrolled = 4;     ///< Products of a channel in one turn of the loop.
  bool longMultiply = true; ///< Multiplies 32 bits to 64.
  /// Products that are made before they are added; 0: as the compiler likes. A compiler that makes all of a turn's
  /// products first has no registers for them.
  int64_t productsAtOnce = 0;
  bool unsignedLoads = false; ///< Loads with a sign take an instruction more.
  StringRef multiplyAdd = ""; ///< Intrinsic for x * y + sum; empty: two operations.
};

/// Convolutions (fully connected and depthwise layers too) with weights of 8, 4 and 2 bits; sums of tensors and softmax
/// by tables. The target keeps it as long as its list.
class ScalarKernels {
public:
  explicit ScalarKernels(const ScalarShape &shape);
  ~ScalarKernels();
  void addTo(LayerKernels &kernels) const;

private:
  std::vector<std::unique_ptr<ConvKernel>> conv;
  std::unique_ptr<AddKernel> add;
  std::unique_ptr<MulKernel> mul;
  std::unique_ptr<SoftmaxKernel> softmax;
  std::unique_ptr<PoolKernel> pool;
};

/// The kernels of tables alone, for any processor; without `longMultiply` products are made of 16-bit halves.
std::unique_ptr<AddKernel> makeTableAdd(bool longMultiply);
std::unique_ptr<SoftmaxKernel> makeTableSoftmax(bool longMultiply);
/// Products of tensors, for any processor.
std::unique_ptr<MulKernel> makeScalarMul(bool longMultiply);

} // namespace mlir::qtensor::firmware
