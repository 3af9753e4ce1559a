// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -verify-diagnostics --pass-pipeline='builtin.module(func.func(qtensor-form-layers))'

#x = #qtensor.block<int8, [?, ?], scale = 1.000000e-01, zero = 3.000000e+00>
#s = #qtensor.block<int8, [?, ?], scale = 1.000000e+00, zero = -1.280000e+02>
func.func @shape(%x: tensor<2x8xf32, #x>) -> tensor<2x9xf32, #s> {
  // expected-error @below {{has rule "tflite.softmax": }}
  %s = qtensor.as "tflite.softmax"(%x) {beta = 1.000000e+00 : f64, rounding = "double"} : (tensor<2x8xf32, #x>) -> tensor<2x9xf32, #s> {
  ^bb0(%p: tensor<2x8xf32, #x>):
    %e = arith.constant dense<0.0> : tensor<2x9xf32>
    %q = qtensor.quantize %e : tensor<2x9xf32> -> tensor<2x9xf32, #s>
    qtensor.yield %q : tensor<2x9xf32, #s>
  }
  return %s : tensor<2x9xf32, #s>
}

// -----

#x = #qtensor.block<int8, [1, ?], scale = f32>
func.func @dynamic(%x: tensor<2x8xf32, #x>) -> tensor<2x8xf32, #x> {
  // expected-error @below {{takes integer codes of a static encoding and shape}}
  %s = qtensor.as "tflite.add"(%x, %x) {rounding = "double"} : (tensor<2x8xf32, #x>, tensor<2x8xf32, #x>) -> tensor<2x8xf32, #x> {
  ^bb0(%p: tensor<2x8xf32, #x>, %q: tensor<2x8xf32, #x>):
    qtensor.yield %p : tensor<2x8xf32, #x>
  }
  return %s : tensor<2x8xf32, #x>
}
