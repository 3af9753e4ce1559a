// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --verify-diagnostics --qtensor-decompose

#x = #qtensor.block<codec<8, int<signed>>, [?, ?], scale = 0.5>
func.func @encoded_result(%x: tensor<4x8xf32, #x>) -> tensor<4x8xf32, #x> {
  // expected-error @+2 {{makes an encoded tensor, which only qtensor ops may (clause C2.2)}}
  // expected-error @+1 {{failed to legalize}}
  %0 = arith.negf %x : tensor<4x8xf32, #x>
  return %0 : tensor<4x8xf32, #x>
}

// -----

#x = #qtensor.block<codec<8, int<signed>>, [1, ?], scale = f32>
func.func @statistics(%x: tensor<4x8xf32>, %s: tensor<2xf32>) {
  // expected-error @+2 {{takes statistics, which no encoder of this compiler reads; give parameters instead}}
  // expected-error @+1 {{failed to legalize}}
  %0 = qtensor.quantize %x statistics(%s : tensor<2xf32>) : tensor<4x8xf32> -> tensor<4x8xf32, #x>
  return
}
