// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-hoist-quantize{rounding=double}))' | FileCheck %s
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-hoist-quantize))' | FileCheck %s --check-prefix=OFF
#q = #qtensor.block<int8, [?, ?], scale = 5.000000e-01, zero = 3.000000e+00>
#q4 = #qtensor.block<int8, [?, ?, ?, ?], scale = 5.000000e-01, zero = 3.000000e+00>
#nozero = #qtensor.block<uint8, [?, ?, ?, ?], scale = 5.000000e-01, zero = 3.000000e+02>
#in = affine_map<(n, y, x, c, ky, kx) -> (n, y * 2 + ky, x * 2 + kx, c)>
#win = affine_map<(n, y, x, c, ky, kx) -> (ky, kx)>
#out = affine_map<(n, y, x, c, ky, kx) -> (n, y, x, c)>

// Through a reshape, a largest value and a padding, up to the argument.
// CHECK-LABEL: func.func @chain(
// CHECK-SAME: %[[X:.*]]: tensor<1x4x4x8xf32>
// CHECK-NEXT: %[[Q:.*]] = qtensor.quantize %[[X]] : tensor<1x4x4x8xf32> -> tensor<1x4x4x8xf32, #
// CHECK: %[[C:.*]] = qtensor.component %[[Q]] "codes"
// CHECK: %[[LOW:.*]] = arith.constant -128 : i8
// CHECK: linalg.fill ins(%[[LOW]] : i8)
// CHECK: linalg.generic {{.*}} ins(%[[C]], %{{.*}} : tensor<1x4x4x8xi8>, tensor<2x2xi8>)
// CHECK: arith.maxsi
// CHECK: arith.constant 3 : i8
// CHECK: tensor.pad %{{.*}} low[0, 1, 1, 0] high[0, 1, 1, 0]
// CHECK: tensor.collapse_shape %{{.*}} : tensor<1x4x4x8xi8> into tensor<1x128xi8>
// CHECK: %[[R:.*]] = qtensor.assemble %{{.*}} : tensor<1x128xi8> -> tensor<1x128xf32, #
// CHECK-NOT: qtensor.quantize
// CHECK: return %[[R]]
// OFF-LABEL: func.func @chain(
// OFF: tensor.collapse_shape
// OFF: qtensor.quantize
func.func @chain(%x: tensor<1x4x4x8xf32>) -> tensor<1x128xf32, #q> {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %w = tensor.empty() : tensor<2x2xf32>
  %e = tensor.empty() : tensor<1x2x2x8xf32>
  %f = linalg.fill ins(%low : f32) outs(%e : tensor<1x2x2x8xf32>) -> tensor<1x2x2x8xf32>
  %m = linalg.generic {indexing_maps = [#in, #win, #out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x4x4x8xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2x2x8xf32>) {
  ^bb0(%in: f32, %unused: f32, %acc: f32):
    %0 = arith.maximumf %acc, %in : f32
    linalg.yield %0 : f32
  } -> tensor<1x2x2x8xf32>
  %p = tensor.pad %m low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x2x2x8xf32> to tensor<1x4x4x8xf32>
  %c = tensor.collapse_shape %p [[0], [1, 2, 3]] : tensor<1x4x4x8xf32> into tensor<1x128xf32>
  %q = qtensor.quantize %c : tensor<1x128xf32> -> tensor<1x128xf32, #q>
  return %q : tensor<1x128xf32, #q>
}

// Padding whose real is no code, or is not 0, stays; so does rounding behind a sum.
// CHECK-LABEL: func.func @stays(
// CHECK: tensor.pad
// CHECK: qtensor.quantize
// CHECK: tensor.pad
// CHECK: qtensor.quantize
func.func @stays(%x: tensor<1x2x2x8xf32>) -> (tensor<1x4x4x8xf32, #nozero>, tensor<1x4x4x8xf32, #q4>) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x2x2x8xf32> to tensor<1x4x4x8xf32>
  %a = qtensor.quantize %p : tensor<1x4x4x8xf32> -> tensor<1x4x4x8xf32, #nozero>
  %r = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %one : f32
  } : tensor<1x2x2x8xf32> to tensor<1x4x4x8xf32>
  %b = qtensor.quantize %r : tensor<1x4x4x8xf32> -> tensor<1x4x4x8xf32, #q4>
  return %a, %b : tensor<1x4x4x8xf32, #nozero>, tensor<1x4x4x8xf32, #q4>
}

// Through a transposition; what is padded in front of it is padded behind, where a convolution takes it in.
// CHECK-LABEL: func.func @transposed(
// CHECK-SAME: %[[X:.*]]: tensor<1x3x4x5xf32>
// CHECK-NEXT: %[[Q:.*]] = qtensor.quantize %[[X]] : tensor<1x3x4x5xf32>
// CHECK: %[[C:.*]] = qtensor.component %[[Q]] "codes"
// CHECK: %[[T:.*]] = linalg.transpose ins(%[[C]] : tensor<1x3x4x5xi8>) outs(%{{.*}} : tensor<1x4x5x3xi8>) permutation = [0, 2, 3, 1]
// CHECK: tensor.pad %[[T]] low[0, 1, 2, 0] high[0, 3, 4, 0]
// CHECK: } : tensor<1x4x5x3xi8> to tensor<1x8x11x3xi8>
// CHECK-NOT: xf32>
// CHECK: return
func.func @transposed(%x: tensor<1x3x4x5xf32>) -> tensor<1x8x11x3xi8> {
  %zero = arith.constant 0.0 : f32
  %p = tensor.pad %x low[0, 0, 1, 2] high[0, 0, 3, 4] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x3x4x5xf32> to tensor<1x3x8x11xf32>
  %e = tensor.empty() : tensor<1x8x11x3xf32>
  %t = linalg.transpose ins(%p : tensor<1x3x8x11xf32>) outs(%e : tensor<1x8x11x3xf32>) permutation = [0, 2, 3, 1]
  %q = qtensor.quantize %t : tensor<1x8x11x3xf32> -> tensor<1x8x11x3xf32, #q4>
  %c = qtensor.component %q "codes" : tensor<1x8x11x3xf32, #q4> -> tensor<1x8x11x3xi8>
  return %c : tensor<1x8x11x3xi8>
}

// Two readers of one value share its rounding, though padding (also with what no maximum takes) stands in front of one.
// CHECK-LABEL: func.func @shared(
// CHECK-COUNT-1: qtensor.quantize
// CHECK: arith.constant -128 : i8
// CHECK: tensor.pad
// CHECK-NOT: qtensor.quantize
// CHECK: return
func.func @shared(%x: tensor<1x2x2x8xf32>) -> (tensor<1x4x4x8xf32, #q4>, tensor<1x2x2x8xf32, #q4>) {
  %low = arith.constant 0xFF800000 : f32
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %low : f32
  } : tensor<1x2x2x8xf32> to tensor<1x4x4x8xf32>
  %a = qtensor.quantize %p : tensor<1x4x4x8xf32> -> tensor<1x4x4x8xf32, #q4>
  %b = qtensor.quantize %x : tensor<1x2x2x8xf32> -> tensor<1x2x2x8xf32, #q4>
  return %a, %b : tensor<1x4x4x8xf32, #q4>, tensor<1x2x2x8xf32, #q4>
}

// The largest of values that were read from codes is one of these codes.
// CHECK-LABEL: func.func @again(
// CHECK-SAME: %[[Q:.*]]: tensor<1x2x2x8xf32, #
// CHECK-NOT: qtensor.quantize
// CHECK: %[[C:.*]] = qtensor.component %[[Q]] "codes"
// CHECK: tensor.pad %[[C]]
// CHECK-NOT: qtensor.quantize
// CHECK: return
func.func @again(%q: tensor<1x2x2x8xf32, #q4>) -> tensor<1x4x4x8xf32, #q4> {
  %low = arith.constant 0xFF800000 : f32
  %x = qtensor.dequantize %q : tensor<1x2x2x8xf32, #q4> -> tensor<1x2x2x8xf32>
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %low : f32
  } : tensor<1x2x2x8xf32> to tensor<1x4x4x8xf32>
  %r = qtensor.quantize %p : tensor<1x4x4x8xf32> -> tensor<1x4x4x8xf32, #q4>
  return %r : tensor<1x4x4x8xf32, #q4>
}
