// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --canonicalize --cse | FileCheck %s

#x = #qtensor.block<int8, [1, ?], scale = f32>

// A component of an assembly is the operand.
// CHECK-LABEL: func @component
// CHECK-SAME: %[[C:[a-z0-9]+]]: tensor<4x8xi8>, %[[S:[a-z0-9]+]]: tensor<4x1xf32>
// CHECK-NEXT: return %[[C]], %[[S]]
func.func @component(%c: tensor<4x8xi8>, %s: tensor<4x1xf32>) -> (tensor<4x8xi8>, tensor<4x1xf32>) {
  %w = qtensor.assemble %c, %s : tensor<4x8xi8>, tensor<4x1xf32> -> tensor<4x8xf32, #x>
  %0 = qtensor.component %w "codes" : tensor<4x8xf32, #x> -> tensor<4x8xi8>
  %1 = qtensor.component %w "scale" : tensor<4x8xf32, #x> -> tensor<4x1xf32>
  return %0, %1 : tensor<4x8xi8>, tensor<4x1xf32>
}

// Rounding is not undone by decoding, and reading a plain tensor is the tensor.
// CHECK-LABEL: func @round
// CHECK: %[[Q:.*]] = qtensor.quantize
// CHECK: %[[D:.*]] = qtensor.dequantize %[[Q]]
// CHECK: return %[[D]], %arg0
func.func @round(%x: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %q = qtensor.quantize %x : tensor<4x8xf32> -> tensor<4x8xf32, #x>
  %d = qtensor.dequantize %q : tensor<4x8xf32, #x> -> tensor<4x8xf32>
  %p = qtensor.dequantize %x : tensor<4x8xf32> -> tensor<4x8xf32>
  return %d, %p : tensor<4x8xf32>, tensor<4x8xf32>
}

// Equal roundings of one value are one; an unused one disappears.
// CHECK-LABEL: func @twice
// CHECK-COUNT-1: qtensor.quantize
// CHECK-NOT: qtensor.quantize
func.func @twice(%x: tensor<4x8xf32>) -> (tensor<4x8xf32, #x>, tensor<4x8xf32, #x>) {
  %a = qtensor.quantize %x : tensor<4x8xf32> -> tensor<4x8xf32, #x>
  %b = qtensor.quantize %x : tensor<4x8xf32> -> tensor<4x8xf32, #x>
  %c = qtensor.quantize %x encoder "mse" : tensor<4x8xf32> -> tensor<4x8xf32, #x>
  return %a, %b : tensor<4x8xf32, #x>, tensor<4x8xf32, #x>
}
