// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -qtensor-lay-out-weights | FileCheck %s

// CHECK-DAG: #[[MK:.*]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[KN:.*]] = affine_map<(d0, d1, d2) -> (d2, d1)>
// CHECK: %[[T:.*]] = linalg.transpose ins(%{{.*}} : tensor<32x64xf32>) outs(%{{.*}} : tensor<64x32xf32>) permutation = [1, 0]
// CHECK: linalg.generic {indexing_maps = [#[[MK]], #[[KN]],
// CHECK-SAME: ins(%{{.*}}, %[[T]] : tensor<?x64xf32>, tensor<64x32xf32>)
func.func @matmul(%x: tensor<?x64xf32>, %init: tensor<?x32xf32>) -> tensor<?x32xf32> {
  %w = arith.constant dense_resource<w> : tensor<32x64xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
    ins(%x, %w : tensor<?x64xf32>, tensor<32x64xf32>) outs(%init : tensor<?x32xf32>) -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}

// -----

// Filters of a convolution go last.
// CHECK: linalg.transpose ins(%{{.*}} : tensor<8x3x3x2xf32>) outs(%{{.*}} : tensor<3x3x2x8xf32>) permutation = [1, 2, 3, 0]
func.func @convolution(%x: tensor<1x6x6x2xf32>, %init: tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32> {
  %w = arith.constant dense_resource<w> : tensor<8x3x3x2xf32>
  %y = linalg.conv_2d_nhwc_fhwc ins(%x, %w : tensor<1x6x6x2xf32>, tensor<8x3x3x2xf32>) outs(%init : tensor<1x4x4x8xf32>) -> tensor<1x4x4x8xf32>
  return %y : tensor<1x4x4x8xf32>
}

// -----

// What is computed at run time, or already lies well, stays.
// CHECK-LABEL: func.func @stays
// CHECK-NOT: linalg.transpose
func.func @stays(%x: tensor<4x64xf32>, %k: tensor<32x64xf32>, %init: tensor<4x32xf32>) -> tensor<4x32xf32> {
  %w = arith.constant dense_resource<w> : tensor<64x32xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x32xf32>) outs(%init : tensor<4x32xf32>) -> tensor<4x32xf32>
  %z = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
    ins(%x, %k : tensor<4x64xf32>, tensor<32x64xf32>) outs(%y : tensor<4x32xf32>) -> tensor<4x32xf32>
  return %z : tensor<4x32xf32>
}

// -----

// Outputs that fill several panels: the loop of panels is the outermost, a panel is read from its start to its end.
// CHECK-DAG: #[[X:.*]] = affine_map<(d0, d1, d2, d3) -> (d1, d3)>
// CHECK-DAG: #[[W:.*]] = affine_map<(d0, d1, d2, d3) -> (d0, d3, d2)>
// CHECK-DAG: #[[Y:.*]] = affine_map<(d0, d1, d2, d3) -> (d1, d0, d2)>
// CHECK-LABEL: func.func @panels
// CHECK: %[[S:.*]] = tensor.expand_shape %{{.*}} {{\[}}[0, 1], [2]] output_shape [3, 32, 64]
// CHECK: %[[P:.*]] = linalg.transpose ins(%[[S]] : tensor<3x32x64xf32>) outs(%{{.*}} : tensor<3x64x32xf32>) permutation = [0, 2, 1]
// CHECK: %[[Z:.*]] = linalg.generic {indexing_maps = [#[[X]], #[[W]], #[[Y]]]
// CHECK-SAME: ["parallel", "parallel", "parallel", "reduction"]
// CHECK-SAME: ins(%{{.*}}, %[[P]] : tensor<?x64xf32>, tensor<3x64x32xf32>) outs(%{{.*}} : tensor<?x3x32xf32>)
// CHECK: tensor.collapse_shape %[[Z]] {{\[}}[0], [1, 2]] : tensor<?x3x32xf32> into tensor<?x96xf32>
func.func @panels(%x: tensor<?x64xf32>, %init: tensor<?x96xf32>) -> tensor<?x96xf32> {
  %w = arith.constant dense_resource<w> : tensor<96x64xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
    ins(%x, %w : tensor<?x64xf32>, tensor<96x64xf32>) outs(%init : tensor<?x96xf32>) -> tensor<?x96xf32>
  return %y : tensor<?x96xf32>
}
