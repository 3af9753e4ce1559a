// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --qtensor-quantize-weights=weights=int4/32 | FileCheck %s
// RUN: quant-opt %s --split-input-file --qtensor-quantize-weights="weights=int4/32 parallel=false" | FileCheck %s

// A [K, N] weight is laid out as [N, K]; the values survive the way (signed_max: the scale is -8 / -8, 16 / -8).
// CHECK-DAG: #[[$W:.*]] = #qtensor.block<int4, [1, 32], scale = f16>
// CHECK-DAG: #[[$NK:.*]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-LABEL: func @transposed
// CHECK: %[[C:.*]] = arith.constant dense<{{\[}}[-8, 7, 3, 0], [-8, 1, -3, 0]]> : tensor<2x4xi8>
// CHECK: %[[S:.*]] = arith.constant dense<{{\[}}[1.000000e+00], [-2.000000e+00]]> : tensor<2x1xf16>
// CHECK: %[[W:.*]] = qtensor.assemble %[[C]], %[[S]]
// CHECK: linalg.matmul indexing_maps = [#{{.*}}, #[[$NK]], #{{.*}}] ins(%{{.*}}, %[[W]] : tensor<?x4xf32>, tensor<2x4xf32, #[[$W]]>)
func.func @transposed(%x: tensor<?x4xf32>, %init: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w = arith.constant dense<[[-8.0, 16.0], [7.0, -2.0], [3.0, 6.0], [0.0, 0.0]]> : tensor<4x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x4xf32>, tensor<4x2xf32>) outs(%init : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// HWCF becomes FHWC, blocks along the channels.
// CHECK-DAG: #[[$W:.*]] = #qtensor.block<int4, [1, 1, 1, 32], scale = f16>
// CHECK-LABEL: func @convolution
// CHECK: arith.constant dense_resource<filter.codes> : tensor<8x3x3x64xi8>
// CHECK: linalg.generic
// CHECK-SAME: tensor<8x3x3x64xf32, #[[$W]]>
func.func @convolution(%x: tensor<1x8x8x64xf32>, %init: tensor<1x6x6x8xf32>) -> tensor<1x6x6x8xf32> {
  %w = arith.constant dense<1.0> : tensor<3x3x64x8xf32> loc("filter")
  %y = linalg.conv_2d_nhwc_hwcf ins(%x, %w : tensor<1x8x8x64xf32>, tensor<3x3x64x8xf32>)
         outs(%init : tensor<1x6x6x8xf32>) -> tensor<1x6x6x8xf32>
  return %y : tensor<1x6x6x8xf32>
}

// -----

// Channels fewer than a block: it goes on along the window, as far as it is full of whole rows.
// CHECK-DAG: #[[$FEW:.*]] = #qtensor.block<int4, [1, 1, 2, ?], scale = f16>
// CHECK-DAG: #[[$ONE:.*]] = #qtensor.block<int4, [1, 4, ?, ?], scale = f16>
// CHECK-LABEL: func @few_channels
// CHECK: tensor<8x3x3x12xf32, #[[$FEW]]>
// CHECK: tensor<8x8x8x1xf32, #[[$ONE]]>
func.func @few_channels(%x: tensor<1x8x8x12xf32>, %x1: tensor<1x9x9x1xf32>, %init: tensor<1x6x6x8xf32>, %init1: tensor<1x2x2x8xf32>)
    -> (tensor<1x6x6x8xf32>, tensor<1x2x2x8xf32>) {
  %w = arith.constant dense<1.0> : tensor<8x3x3x12xf32>
  %y = linalg.conv_2d_nhwc_fhwc ins(%x, %w : tensor<1x8x8x12xf32>, tensor<8x3x3x12xf32>)
         outs(%init : tensor<1x6x6x8xf32>) -> tensor<1x6x6x8xf32>
  %w1 = arith.constant dense<1.0> : tensor<8x8x8x1xf32>
  %y1 = linalg.conv_2d_nhwc_fhwc ins(%x1, %w1 : tensor<1x9x9x1xf32>, tensor<8x8x8x1xf32>)
         outs(%init1 : tensor<1x2x2x8xf32>) -> tensor<1x2x2x8xf32>
  return %y, %y1 : tensor<1x6x6x8xf32>, tensor<1x2x2x8xf32>
}

// -----

// A depthwise weight stays as it is.
// CHECK-LABEL: func @depthwise
// CHECK: linalg.depthwise_conv_2d_nhwc_hwc
// CHECK-SAME: tensor<3x3x64xf32, #
func.func @depthwise(%x: tensor<1x8x8x64xf32>, %init: tensor<1x6x6x64xf32>) -> tensor<1x6x6x64xf32> {
  %w = arith.constant dense<1.0> : tensor<3x3x64xf32>
  %y = linalg.depthwise_conv_2d_nhwc_hwc ins(%x, %w : tensor<1x8x8x64xf32>, tensor<3x3x64xf32>)
         outs(%init : tensor<1x6x6x64xf32>) -> tensor<1x6x6x64xf32>
  return %y : tensor<1x6x6x64xf32>
}

// -----

// One weight for two readers is encoded once; a product of activations is left alone.
// CHECK-LABEL: func @shared
// CHECK-COUNT-1: qtensor.assemble
// CHECK-NOT: qtensor.assemble
// CHECK: linalg.batch_matmul ins(%{{.*}}, %{{.*}} : tensor<2x3x4xf32>, tensor<2x4x5xf32>)
func.func @shared(%x: tensor<3x4xf32>, %a: tensor<2x3x4xf32>, %b: tensor<2x4x5xf32>, %i: tensor<3x2xf32>, %j: tensor<2x3x5xf32>)
    -> (tensor<3x2xf32>, tensor<3x2xf32>, tensor<2x3x5xf32>) {
  %w = arith.constant dense<1.0> : tensor<4x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<3x4xf32>, tensor<4x2xf32>) outs(%i : tensor<3x2xf32>) -> tensor<3x2xf32>
  %1 = linalg.matmul ins(%x, %w : tensor<3x4xf32>, tensor<4x2xf32>) outs(%0 : tensor<3x2xf32>) -> tensor<3x2xf32>
  %2 = linalg.batch_matmul ins(%a, %b : tensor<2x3x4xf32>, tensor<2x4x5xf32>) outs(%j : tensor<2x3x5xf32>) -> tensor<2x3x5xf32>
  return %0, %1, %2 : tensor<3x2xf32>, tensor<3x2xf32>, tensor<2x3x5xf32>
}
