// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Channels with weights of nothing, or next to nothing, and a bias.
// RUN: quant-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=double}))' 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=WARN < %t

// Sums of zeros are their bias: -0.5 is -2^29 of a scale of 2^-30, and 2^-30 / 0.25 is 2^-28.
// CHECK-LABEL: func.func @dead(
// CHECK-DAG: arith.constant dense<[4, -536870912]> : tensor<2xi32>
// CHECK-DAG: arith.constant dense<1073741824> : tensor<2xi32>
// CHECK-DAG: arith.constant dense<[1, -27]> : tensor<2xi32>
// CHECK: qtensor.requantize
#x = #qtensor.block<int8, [?, ?], scale = 0.5, zero = -3.0>
#w = #qtensor.block<int8, [1, ?], scale = f32>
#y = #qtensor.block<int8, [?, ?], scale = 0.25, zero = -128.0>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @dead(%x: tensor<1x4xf32, #x>) -> tensor<1x2xf32, #y> {
  %codes = arith.constant dense<[[1, 2, 3, 4], [0, 0, 0, 0]]> : tensor<2x4xi8>
  %scales = arith.constant dense<[[0.5], [0.0]]> : tensor<2x1xf32>
  %w = qtensor.assemble %codes, %scales : tensor<2x4xi8>, tensor<2x1xf32> -> tensor<2x4xf32, #w>
  %b = arith.constant dense<[1.0, -0.5]> : tensor<2xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x2xf32>) -> tensor<1x2xf32>
  %acc = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<1x4xf32, #x>, tensor<2x4xf32, #w>)
           outs(%init : tensor<1x2xf32>) -> tensor<1x2xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%acc, %b : tensor<1x2xf32>, tensor<2xf32>) outs(%empty : tensor<1x2xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<1x2xf32>
  %q = qtensor.quantize %r : tensor<1x2xf32> -> tensor<1x2xf32, #y>
  return %q : tensor<1x2xf32, #y>
}

// -----

// A bias that its channel's scale has no bits for: real arithmetic, and a warning.
// CHECK-LABEL: func.func @tiny(
// CHECK-NOT: qtensor.requantize
// WARN: warning: channel 1 has the bias -5.000000e-01 beside weights so small that it does not fit their scale; this layer stays in floating point: drop the channel, or enlarge its weights
#x = #qtensor.block<int8, [?, ?], scale = 0.5, zero = -3.0>
#w = #qtensor.block<int8, [1, ?], scale = f32>
#y = #qtensor.block<int8, [?, ?], scale = 0.25, zero = -128.0>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @tiny(%x: tensor<1x4xf32, #x>) -> tensor<1x2xf32, #y> {
  %codes = arith.constant dense<[[1, 2, 3, 4], [-5, 6, -7, 8]]> : tensor<2x4xi8>
  %scales = arith.constant dense<[[0.5], [1.0e-12]]> : tensor<2x1xf32>
  %w = qtensor.assemble %codes, %scales : tensor<2x4xi8>, tensor<2x1xf32> -> tensor<2x4xf32, #w>
  %b = arith.constant dense<[1.0, -0.5]> : tensor<2xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x2xf32>) -> tensor<1x2xf32>
  %acc = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<1x4xf32, #x>, tensor<2x4xf32, #w>)
           outs(%init : tensor<1x2xf32>) -> tensor<1x2xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%acc, %b : tensor<1x2xf32>, tensor<2xf32>) outs(%empty : tensor<1x2xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<1x2xf32>
  %q = qtensor.quantize %r : tensor<1x2xf32> -> tensor<1x2xf32, #y>
  return %q : tensor<1x2xf32, #y>
}
