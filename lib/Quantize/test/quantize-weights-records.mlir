// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-quantize-weights=weights=q4_0 | FileCheck %s

// A reference encoder makes whole records along the channels, however few these are.
// CHECK: #[[$W:.*]] = #qtensor.block<{{.*}}, [1, 1, 1, 32], scale = f16>
// CHECK-LABEL: func @few_channels
// CHECK: tensor<8x3x3x12xf32, #[[$W]]>
func.func @few_channels(%x: tensor<1x8x8x12xf32>, %init: tensor<1x6x6x8xf32>) -> tensor<1x6x6x8xf32> {
  %w = arith.constant dense<1.0> : tensor<8x3x3x12xf32>
  %y = linalg.conv_2d_nhwc_fhwc ins(%x, %w : tensor<1x8x8x12xf32>, tensor<8x3x3x12xf32>)
         outs(%init : tensor<1x6x6x8xf32>) -> tensor<1x6x6x8xf32>
  return %y : tensor<1x6x6x8xf32>
}
