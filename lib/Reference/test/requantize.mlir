// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: qtensor-interpret %s
// Final maps. The fixed ones are hand-computed: 0x40000000 is one half, a shift of 1 doubles it.

#q = #qtensor.block<codec<8, int<signed>>, [?], scale = 0.5, zero = 1.0>

func.func @real(%a: tensor<6xi32>, %m: tensor<1xf32>) -> (tensor<6xi8>, tensor<6xi8>, tensor<6xi8>) attributes {
    inputs = [dense<[1, 3, -1, -3, 1000, 5]> : tensor<6xi32>, dense<0.5> : tensor<1xf32>],
    expect = [dense<[1, 3, 1, -1, 100, 3]> : tensor<6xi8>, dense<[2, 3, 0, -1, 100, 4]> : tensor<6xi8>,
              dense<[1, 2, 1, 0, 100, 3]> : tensor<6xi8>]} {
  %0 = qtensor.requantize %a multiplier(%m : tensor<1xf32>) <real<half_even>> clamp [-100, 100] : tensor<6xi32> -> tensor<6xf32, #q>
  %1 = qtensor.requantize %a multiplier(%m : tensor<1xf32>) <real<half_away>> clamp [-100, 100] : tensor<6xi32> -> tensor<6xf32, #q>
  %2 = qtensor.requantize %a multiplier(%m : tensor<1xf32>) <real<truncate>> clamp [-100, 100] : tensor<6xi32> -> tensor<6xf32, #q>
  %c0 = qtensor.component %0 "codes" : tensor<6xf32, #q> -> tensor<6xi8>
  %c1 = qtensor.component %1 "codes" : tensor<6xf32, #q> -> tensor<6xi8>
  %c2 = qtensor.component %2 "codes" : tensor<6xf32, #q> -> tensor<6xi8>
  return %c0, %c1, %c2 : tensor<6xi8>, tensor<6xi8>, tensor<6xi8>
}
// acc * 0.5 * 2^shift. Two roundings: 5 * 0.5 = 2.5 -> 3, then 3 / 2 -> 2 (and -2.5 -> -2 -> -1); one: 1.25 -> 1.
func.func @fixed(%a: tensor<3xi32>, %m: tensor<3xi32>, %s: tensor<3xi32>) -> (tensor<3xi8>, tensor<3xi8>, tensor<3xi8>) attributes {
    inputs = [dense<[5, -5, 20]> : tensor<3xi32>, dense<0x40000000> : tensor<3xi32>, dense<[-1, -1, 1]> : tensor<3xi32>],
    expect = [dense<[3, 0, 21]> : tensor<3xi8>, dense<[2, 0, 21]> : tensor<3xi8>, dense<[2, 0, 21]> : tensor<3xi8>]} {
  %0 = qtensor.requantize %a multiplier(%m : tensor<3xi32>) shift(%s : tensor<3xi32>) axis 0 <fixed<double>>
      clamp [-128, 127] : tensor<3xi32> -> tensor<3xf32, #q>
  %1 = qtensor.requantize %a multiplier(%m : tensor<3xi32>) shift(%s : tensor<3xi32>) axis 0 <fixed<single>>
      clamp [-128, 127] : tensor<3xi32> -> tensor<3xf32, #q>
  %2 = qtensor.requantize %a multiplier(%m : tensor<3xi32>) shift(%s : tensor<3xi32>) axis 0 <fixed<x16>>
      clamp [-128, 127] : tensor<3xi32> -> tensor<3xf32, #q>
  %c0 = qtensor.component %0 "codes" : tensor<3xf32, #q> -> tensor<3xi8>
  %c1 = qtensor.component %1 "codes" : tensor<3xf32, #q> -> tensor<3xi8>
  %c2 = qtensor.component %2 "codes" : tensor<3xf32, #q> -> tensor<3xi8>
  return %c0, %c1, %c2 : tensor<3xi8>, tensor<3xi8>, tensor<3xi8>
}
func.func @as(%x: tensor<2xf32>) -> tensor<2xf32> attributes {
    inputs = [dense<[1.0, 2.0]> : tensor<2xf32>], expect = [dense<[2.0, 4.0]> : tensor<2xf32>]} {
  %0 = qtensor.as "double" (%x) : (tensor<2xf32>) -> tensor<2xf32> {
    ^bb0(%a: tensor<2xf32>):
      %1 = arith.addf %a, %a : tensor<2xf32>
      qtensor.yield %1 : tensor<2xf32>
  }
  return %0 : tensor<2xf32>
}
