// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=double}))' | FileCheck %s
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=single}))' | FileCheck %s
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=real}))' | FileCheck %s --check-prefix=REAL
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=double}))' | qtensor-interpret -
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=real}))' | qtensor-interpret -

#x = #qtensor.block<int8, [?, ?], scale = 0.5, zero = -3.0>
#w = #qtensor.block<int4, [1, 2], scale = f16>
#s = #qtensor.block<uint4, [?, ?], scale = 0.25>
#nested = #qtensor.block<int8, [1, 3], scale = #s>
#y = #qtensor.block<int8, [?, ?], scale = 0.25, zero = 10.0>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>

// Scales 0.5, 0.75, -1.5 are 2, 3, -6 quarters; 3, 1.5, 0 are 2, 1, 0 times 1.5; zeros have the unit 1. The sums, in units of an
// eighth: 2 * (4 * 1 + 5 * 2) + 3 * (6 * 3 - 7 * 4) - 6 * 8 * 5 + bias 8 = -234, and -234 / 8 / 0.25 + 10 = -107.
// CHECK-LABEL: func.func @groups
// CHECK: %[[F:.*]] = arith.constant dense<{{\[\[}}2, 3, -6], [2, 1, 0], [0, 0, 0]]> : tensor<3x3xi32>
// CHECK: %[[SUM:.*]] = linalg.generic {{.*}} ins(%{{.*}}, %{{.*}}, %[[F]] : tensor<1x5xi8>, tensor<3x5xi8>, tensor<3x3xi32>) outs(%{{.*}} : tensor<1x3xi64>)
// CHECK: %[[P:.*]] = arith.muli %{{.*}}, %{{.*}} : i64
// CHECK: arith.extsi %{{.*}} : i32 to i64
// CHECK: arith.muli %[[P]]
// CHECK: arith.constant dense<[8, 1, -4]> : tensor<3xi64>
// CHECK: qtensor.requantize {{.*}} axis 1 <fixed<x16>> clamp{{ ?}}[-128, 127]
// REAL: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x3xi32>)
// REAL: qtensor.requantize {{.*}} <real<half_away>>
func.func @groups(%codes: tensor<1x5xi8>) -> tensor<1x3xi8> attributes {
    inputs = [dense<[[1, 2, 3, 4, 5]]> : tensor<1x5xi8>], expect = [dense<[[-107, 127, 2]]> : tensor<1x3xi8>]} {
  %x = qtensor.assemble %codes : tensor<1x5xi8> -> tensor<1x5xf32, #x>
  %wc = arith.constant dense<[[1, 2, 3, -4, 5], [7, 1, 2, 3, 4], [0, 0, 0, 0, 0]]> : tensor<3x5xi8>
  %scales = arith.constant dense<[[0.5, 0.75, -1.5], [3.0, 1.5, 0.0], [0.0, 0.0, 0.0]]> : tensor<3x3xf16>
  %w = qtensor.assemble %wc, %scales : tensor<3x5xi8>, tensor<3x3xf16> -> tensor<3x5xf32, #w>
  %bias = arith.constant dense<[1.0, 0.75, -2.0]> : tensor<3xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x3xf32>) -> tensor<1x3xf32>
  %acc = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<1x5xf32, #x>, tensor<3x5xf32, #w>)
           outs(%init : tensor<1x3xf32>) -> tensor<1x3xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%acc, %bias : tensor<1x3xf32>, tensor<3xf32>) outs(%empty : tensor<1x3xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    linalg.yield %s : f32
  } -> tensor<1x3xf32>
  %q = qtensor.quantize %r : tensor<1x3xf32> -> tensor<1x3xf32, #y>
  %out = qtensor.component %q "codes" : tensor<1x3xf32, #y> -> tensor<1x3xi8>
  return %out : tensor<1x3xi8>
}

// Scales that are encoded themselves: 6, 4 and 3, 9 quarters are 3, 2 halves and 1, 3 times 3/4. (12 * 3 + 13 * 2) * 0.5 * 0.5
// / 0.25 + 10 = 72; (12 * 1 + 13 * 3) * 0.5 * 0.75 / 0.25 + 10 = 86.5, up.
// CHECK-LABEL: func.func @nested
// CHECK: arith.constant dense<{{\[\[}}3, 2], [1, 3]]> : tensor<2x2xi32>
// CHECK: qtensor.requantize {{.*}} <fixed<x16>>
func.func @nested(%codes: tensor<1x5xi8>) -> tensor<1x2xi8> attributes {
    inputs = [dense<[[1, 1, 1, 3, 4]]> : tensor<1x5xi8>], expect = [dense<[[72, 87]]> : tensor<1x2xi8>]} {
  %x = qtensor.assemble %codes : tensor<1x5xi8> -> tensor<1x5xf32, #x>
  %wc = arith.constant dense<1> : tensor<2x5xi8>
  %scales = arith.constant dense<[[6, 4], [3, 9]]> : tensor<2x2xi8>
  %w = qtensor.assemble %wc, %scales : tensor<2x5xi8>, tensor<2x2xi8> -> tensor<2x5xf32, #nested>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x2xf32>) -> tensor<1x2xf32>
  %acc = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<1x5xf32, #x>, tensor<2x5xf32, #nested>)
           outs(%init : tensor<1x2xf32>) -> tensor<1x2xf32>
  %q = qtensor.quantize %acc : tensor<1x2xf32> -> tensor<1x2xf32, #y>
  %out = qtensor.component %q "codes" : tensor<1x2xf32, #y> -> tensor<1x2xi8>
  return %out : tensor<1x2xi8>
}
