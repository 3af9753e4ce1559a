// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The reference computes the same values before and after panels are made.
// RUN: quant-opt %s -qtensor-lay-out-weights=panel=2 | qtensor-compare %s -
// RUN: quant-opt %s -qtensor-lay-out-weights=panel=2 | FileCheck %s

// CHECK-COUNT-2: linalg.transpose
func.func @matmul() -> tensor<2x4xf32> {
  %x = arith.constant dense<[[1.0, 2.0, -3.0], [0.5, 4.0, 1.5]]> : tensor<2x3xf32>
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0], [10.0, 11.0, 12.0]]> : tensor<4x3xf32>
  %init = arith.constant dense<[[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]]> : tensor<2x4xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
    ins(%x, %w : tensor<2x3xf32>, tensor<4x3xf32>) outs(%init : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

func.func @convolution() -> tensor<1x2x1x4xf32> {
  %x = arith.constant dense<[[[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]]> : tensor<1x2x2x2xf32>
  %w = arith.constant dense<[[[[1.0, 2.0], [3.0, 4.0]]], [[[5.0, 6.0], [7.0, 8.0]]],
                             [[[-1.0, 0.5], [2.0, 1.0]]], [[[0.25, 2.0], [-3.0, 4.0]]]]> : tensor<4x1x2x2xf32>
  %init = arith.constant dense<0.0> : tensor<1x2x1x4xf32>
  %y = linalg.conv_2d_nhwc_fhwc ins(%x, %w : tensor<1x2x2x2xf32>, tensor<4x1x2x2xf32>)
    outs(%init : tensor<1x2x1x4xf32>) -> tensor<1x2x1x4xf32>
  return %y : tensor<1x2x1x4xf32>
}
