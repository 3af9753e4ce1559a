// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What must not be folded: the pass has no errors, so its twin holds the refusals.
// RUN: quant-opt %s --split-input-file --qtensor-fold-decodes | FileCheck %s

#x = #qtensor.block<int8, [?, ?], scale = 0.5, zero = 200.0>

// 0 has no code of its own: padding behind the rounding is something else.
// CHECK-LABEL: func @no_zero
// CHECK: qtensor.quantize %arg0
// CHECK: qtensor.dequantize
// CHECK: tensor.pad
func.func @no_zero(%x: tensor<4x8xf32>) -> tensor<4x10xf32> {
  %zero = arith.constant 0.0 : f32
  %q = qtensor.quantize %x : tensor<4x8xf32> -> tensor<4x8xf32, #x>
  %d = qtensor.dequantize %q : tensor<4x8xf32, #x> -> tensor<4x8xf32>
  %p = tensor.pad %d low[0, 1] high[0, 1] {
    ^bb0(%a: index, %b: index):
      tensor.yield %zero : f32
  } : tensor<4x8xf32> to tensor<4x10xf32>
  return %p : tensor<4x10xf32>
}

// -----

#x = #qtensor.block<int8, [1, 4], scale = f32>

// Blocks would straddle what becomes one dimension.
// CHECK-LABEL: func @splits
// CHECK: qtensor.dequantize
// CHECK: tensor.collapse_shape
func.func @splits(%q: tensor<4x6xf32, #x>) -> tensor<24xf32> {
  %d = qtensor.dequantize %q : tensor<4x6xf32, #x> -> tensor<4x6xf32>
  %c = tensor.collapse_shape %d [[0, 1]] : tensor<4x6xf32> into tensor<24xf32>
  return %c : tensor<24xf32>
}
