// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// At least 0, and then between -3 and -1: always -1, of a scale of 1/8 code -8.
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=double}))' | FileCheck %s
// CHECK: qtensor.requantize {{.*}} clamp{{ ?}}[-8, -8]
#x = #qtensor.block<int8, [?, ?], scale = 0.125>
#y = #qtensor.block<int8, [?, ?], scale = 0.125>
#id = affine_map<(i, j) -> (i, j)>
func.func @chain(%a: tensor<2x4xf32, #x>) -> tensor<2x4xf32, #y> {
  %zero = arith.constant 0.0 : f32
  %m1 = arith.constant -1.0 : f32
  %m3 = arith.constant -3.0 : f32
  %empty = tensor.empty() : tensor<2x4xf32>
  %s = qtensor.dequantize %a : tensor<2x4xf32, #x> -> tensor<2x4xf32>
  %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%s : tensor<2x4xf32>) outs(%empty : tensor<2x4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %m = arith.maximumf %p, %zero : f32
    linalg.yield %m : f32
  } -> tensor<2x4xf32>
  %c = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%r : tensor<2x4xf32>) outs(%empty : tensor<2x4xf32>) {
  ^bb0(%p: f32, %o: f32):
    %l = arith.maximumf %p, %m3 : f32
    %m = arith.minimumf %l, %m1 : f32
    linalg.yield %m : f32
  } -> tensor<2x4xf32>
  %0 = qtensor.quantize %c : tensor<2x4xf32> -> tensor<2x4xf32, #y>
  return %0 : tensor<2x4xf32, #y>
}
