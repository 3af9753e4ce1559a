// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --verify-diagnostics --qtensor-lower-requantize

#q = #qtensor.block<codec<8, int<signed>>, [?], scale = 0.5>
func.func @accumulators(%a: tensor<6xi64>, %m: tensor<1xf32>) -> tensor<6xi8> {
  // expected-error @+1 {{has accumulators that are not i32, whose products with a multiplier of 32 bits do not fit 64; use fixed<x16>}}
  %0 = qtensor.requantize %a multiplier(%m : tensor<1xf32>) <real<half_even>> clamp [-100, 100] : tensor<6xi64> -> tensor<6xf32, #q>
  %c = qtensor.component %0 "codes" : tensor<6xf32, #q> -> tensor<6xi8>
  return %c : tensor<6xi8>
}

// -----

#q = #qtensor.block<codec<8, int<signed>>, [?], scale = f32>
func.func @parameters(%a: tensor<6xi32>, %m: tensor<1xf32>) -> tensor<6xi8> {
  // expected-error @+1 {{needs a result whose parameters are numbers, and codes of at most 16 bits}}
  %0 = qtensor.requantize %a multiplier(%m : tensor<1xf32>) <real<half_even>> clamp [-100, 100] : tensor<6xi32> -> tensor<6xf32, #q>
  %c = qtensor.component %0 "codes" : tensor<6xf32, #q> -> tensor<6xi8>
  return %c : tensor<6xi8>
}
