// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --verify-contract-c2=record=true --qtensor-fold-decodes --verify-contract-c2 | FileCheck %s

#x = #qtensor.block<int8, [?, ?], scale = 0.5, zero = -128.0>
#w = #qtensor.block<int8, [?, ?], scale = 0.25>

// CHECK-LABEL: func @matmul
// CHECK: %[[Q:.*]] = qtensor.quantize
// CHECK: %[[W:.*]] = qtensor.assemble
// CHECK-NOT: qtensor.dequantize
// CHECK: linalg.matmul ins(%[[Q]], %[[W]] :
func.func @matmul(%x: tensor<4x8xf32>, %i: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %c = arith.constant dense<1> : tensor<8x2xi8>
  %q = qtensor.quantize %x : tensor<4x8xf32> -> tensor<4x8xf32, #x>
  %d = qtensor.dequantize %q : tensor<4x8xf32, #x> -> tensor<4x8xf32>
  %w = qtensor.assemble %c : tensor<8x2xi8> -> tensor<8x2xf32, #w>
  %e = qtensor.dequantize %w : tensor<8x2xf32, #w> -> tensor<8x2xf32>
  %y = linalg.matmul ins(%d, %e : tensor<4x8xf32>, tensor<8x2xf32>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

#x = #qtensor.block<int8, [?, ?], scale = 0.5, zero = -128.0>
#w = #qtensor.block<int8, [?, ?], scale = 0.25>

// What is transposed behind its rounding is transposed in front of it, and codes are transposed as codes.
// CHECK-LABEL: func @transposed
// CHECK: %[[T:.*]] = linalg.transpose ins(%arg0 : tensor<8x4xf32>) outs(%{{.*}} : tensor<4x8xf32>) permutation = [1, 0]
// CHECK: %[[Q:.*]] = qtensor.quantize %[[T]]
// CHECK: linalg.matmul ins(%[[Q]], %{{.*}} :
// CHECK: %[[U:.*]] = linalg.transpose ins(%arg1 : tensor<8x4xi8>) outs(%{{.*}} : tensor<4x8xi8>) permutation = [1, 0]
// CHECK: %[[A:.*]] = qtensor.assemble %[[U]] : tensor<4x8xi8> -> tensor<4x8xf32, #
// CHECK: linalg.matmul ins(%[[A]], %{{.*}} :
// CHECK-NOT: qtensor.dequantize
// CHECK: return
func.func @transposed(%x: tensor<8x4xf32>, %codes: tensor<8x4xi8>, %i: tensor<4x2xf32>) -> (tensor<4x2xf32>, tensor<4x2xf32>) {
  %c = arith.constant dense<1> : tensor<8x2xi8>
  %w = qtensor.assemble %c : tensor<8x2xi8> -> tensor<8x2xf32, #w>
  %q = qtensor.quantize %x : tensor<8x4xf32> -> tensor<8x4xf32, #x>
  %d = qtensor.dequantize %q : tensor<8x4xf32, #x> -> tensor<8x4xf32>
  %e = tensor.empty() : tensor<4x8xf32>
  %t = linalg.transpose ins(%d : tensor<8x4xf32>) outs(%e : tensor<4x8xf32>) permutation = [1, 0]
  %y = linalg.matmul ins(%t, %w : tensor<4x8xf32>, tensor<8x2xf32, #w>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
  %a = qtensor.assemble %codes : tensor<8x4xi8> -> tensor<8x4xf32, #x>
  %f = qtensor.dequantize %a : tensor<8x4xf32, #x> -> tensor<8x4xf32>
  %u = linalg.transpose ins(%f : tensor<8x4xf32>) outs(%e : tensor<4x8xf32>) permutation = [1, 0]
  %z = linalg.matmul ins(%u, %w : tensor<4x8xf32>, tensor<8x2xf32, #w>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y, %z : tensor<4x2xf32>, tensor<4x2xf32>
}

// -----

#x = #qtensor.block<int8, [?, ?, ?, ?], scale = 0.5, zero = -128.0>
#w4 = #qtensor.block<int8, [?, ?, 1, ?], scale = f32>

// The weight of a depthwise convolution loses an extent of 1: its constants do.
// CHECK-LABEL: func @convolution
// CHECK: arith.constant dense<1> : tensor<3x3x2xi8>
// CHECK: %[[P:.*]] = tensor.pad
// CHECK: %[[Q:.*]] = qtensor.quantize %[[P]]
// CHECK: linalg.depthwise_conv_2d_nhwc_hwc ins(%[[Q]], %{{.*}} :
func.func @convolution(%x: tensor<1x4x4x2xf32>, %i: tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32> {
  %zero = arith.constant 0.0 : f32
  %c = arith.constant dense<1> : tensor<3x3x2x1xi8>
  %s = arith.constant dense<0.5> : tensor<1x1x2x1xf32>
  %q = qtensor.quantize %x : tensor<1x4x4x2xf32> -> tensor<1x4x4x2xf32, #x>
  %d = qtensor.dequantize %q : tensor<1x4x4x2xf32, #x> -> tensor<1x4x4x2xf32>
  %p = tensor.pad %d low[0, 1, 1, 0] high[0, 1, 1, 0] {
    ^bb0(%a: index, %b: index, %e: index, %f: index):
      tensor.yield %zero : f32
  } : tensor<1x4x4x2xf32> to tensor<1x6x6x2xf32>
  %w = qtensor.assemble %c, %s : tensor<3x3x2x1xi8>, tensor<1x1x2x1xf32> -> tensor<3x3x2x1xf32, #w4>
  %v = qtensor.dequantize %w : tensor<3x3x2x1xf32, #w4> -> tensor<3x3x2x1xf32>
  %u = tensor.collapse_shape %v [[0], [1], [2, 3]] : tensor<3x3x2x1xf32> into tensor<3x3x2xf32>
  %y = linalg.depthwise_conv_2d_nhwc_hwc ins(%p, %u : tensor<1x6x6x2xf32>, tensor<3x3x2xf32>) outs(%i : tensor<1x4x4x2xf32>) -> tensor<1x4x4x2xf32>
  return %y : tensor<1x4x4x2xf32>
}

// -----

#x = #qtensor.block<int8, [?, ?], scale = 0.5, zero = -128.0>
#w = #qtensor.block<int8, [?, ?], scale = 0.25>

// Codes that an integer op made are padded with the code of 0.0: no decoding in front of the product.
// CHECK-LABEL: func @padded_codes
// CHECK-SAME: (%[[C:.*]]: tensor<4x6xi8>
// CHECK: %[[ZERO:.*]] = arith.constant -128 : i8
// CHECK: %[[P:.*]] = tensor.pad %[[C]] low[0, 1] high[0, 1]
// CHECK: tensor.yield %[[ZERO]] : i8
// CHECK: %[[A:.*]] = qtensor.assemble %[[P]] : tensor<4x8xi8>
// CHECK: linalg.matmul ins(%[[A]], %{{.*}} :
func.func @padded_codes(%c: tensor<4x6xi8>, %v: tensor<8x2xi8>, %i: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %zero = arith.constant 0.0 : f32
  %a = qtensor.assemble %c : tensor<4x6xi8> -> tensor<4x6xf32, #x>
  %d = qtensor.dequantize %a : tensor<4x6xf32, #x> -> tensor<4x6xf32>
  %p = tensor.pad %d low[0, 1] high[0, 1] {
    ^bb0(%k: index, %l: index):
      tensor.yield %zero : f32
  } : tensor<4x6xf32> to tensor<4x8xf32>
  %w = qtensor.assemble %v : tensor<8x2xi8> -> tensor<8x2xf32, #w>
  %e = qtensor.dequantize %w : tensor<8x2xf32, #w> -> tensor<8x2xf32>
  %y = linalg.matmul ins(%p, %e : tensor<4x8xf32>, tensor<8x2xf32>) outs(%i : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %y : tensor<4x2xf32>
}

// -----

#b = #qtensor.block<int8, [?], scale = 0.5, zero = 3.0>

// A bias is decoded now.
// CHECK-LABEL: func @bias
// CHECK: arith.constant dense<[-2.500000e+00, -1.500000e+00, 1.500000e+00]> : tensor<3xf32>
// CHECK-NOT: qtensor
func.func @bias() -> tensor<3xf32> {
  %c = arith.constant dense<[-2, 0, 6]> : tensor<3xi8>
  %a = qtensor.assemble %c : tensor<3xi8> -> tensor<3xf32, #b>
  %d = qtensor.dequantize %a : tensor<3xf32, #b> -> tensor<3xf32>
  return %d : tensor<3xf32>
}
