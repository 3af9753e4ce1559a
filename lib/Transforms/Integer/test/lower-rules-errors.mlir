// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(func.func(qtensor-lower-rules))'

#x = #qtensor.block<int16, [?], scale = 0.5>
func.func @wide(%x: tensor<4xf32, #x>) -> tensor<4xf32, #x> {
  // expected-error @+1 {{has rule "tflite.tanh": it is defined for codes of 8 bits}}
  %y = qtensor.as "tflite.tanh" (%x) : (tensor<4xf32, #x>) -> tensor<4xf32, #x> {
  ^bb0(%a: tensor<4xf32, #x>):
    qtensor.yield %a : tensor<4xf32, #x>
  }
  return %y : tensor<4xf32, #x>
}

// -----

#x = #qtensor.block<int8, [1], scale = f32>
func.func @data(%x: tensor<4xf32, #x>) -> tensor<4xf32, #x> {
  // expected-error @+1 {{has rule "tflite.tanh", which takes integer codes of a static encoding and shape, got}}
  %y = qtensor.as "tflite.tanh" (%x) : (tensor<4xf32, #x>) -> tensor<4xf32, #x> {
  ^bb0(%a: tensor<4xf32, #x>):
    qtensor.yield %a : tensor<4xf32, #x>
  }
  return %y : tensor<4xf32, #x>
}

// -----

#x = #qtensor.block<int8, [?, ?], scale = 0.5>
func.func @pool(%x: tensor<4x4xf32, #x>) -> tensor<4x4xf32, #x> {
  // expected-error @+1 {{has rule "tflite.average_pool_2d": it takes [N, H, W, C], and two numbers for each of kernel, strides and padding}}
  %y = qtensor.as "tflite.average_pool_2d" (%x) : (tensor<4x4xf32, #x>) -> tensor<4x4xf32, #x> {
  ^bb0(%a: tensor<4x4xf32, #x>):
    qtensor.yield %a : tensor<4x4xf32, #x>
  }
  return %y : tensor<4x4xf32, #x>
}
