// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: qtensor-interpret %s

func.func @functions(%x: tensor<1xf64>) -> (tensor<1xf64>, tensor<1xf64>, tensor<1xf64>, tensor<1xf64>, tensor<1xf64>, tensor<1xf64>)
    attributes {inputs = [dense<0.5> : tensor<1xf64>], tolerance = 1.0e-15,
    expect = [dense<1.6487212707001282> : tensor<1xf64>, dense<0.52049987781304654> : tensor<1xf64>,
              dense<0.46211715726000976> : tensor<1xf64>, dense<1.4142135623730951> : tensor<1xf64>,
              dense<-0.69314718055994531> : tensor<1xf64>, dense<0.47942553860420301> : tensor<1xf64>]} {
  %0 = math.exp %x : tensor<1xf64>
  %1 = math.erf %x : tensor<1xf64>
  %2 = math.tanh %x : tensor<1xf64>
  %3 = math.rsqrt %x : tensor<1xf64>
  %4 = math.log %x : tensor<1xf64>
  %5 = math.sin %x : tensor<1xf64>
  return %0, %1, %2, %3, %4, %5 : tensor<1xf64>, tensor<1xf64>, tensor<1xf64>, tensor<1xf64>, tensor<1xf64>, tensor<1xf64>
}
func.func @rounding(%x: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) attributes {
    inputs = [dense<[0.5, 1.5, -2.5, -0.3]> : tensor<4xf32>],
    expect = [dense<[1.0, 2.0, -3.0, -0.0]> : tensor<4xf32>, dense<[0.0, 2.0, -2.0, -0.0]> : tensor<4xf32>,
              dense<[0.0, 1.0, -3.0, -1.0]> : tensor<4xf32>, dense<[1.0, 2.0, -2.0, -0.0]> : tensor<4xf32>]} {
  %0 = math.round %x : tensor<4xf32>
  %1 = math.roundeven %x : tensor<4xf32>
  %2 = math.floor %x : tensor<4xf32>
  %3 = math.ceil %x : tensor<4xf32>
  return %0, %1, %2, %3 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
// (1 + 2^-12)^2 - 1 - 2^-11 is 2^-24: one rounding keeps it, two lose it.
func.func @fused(%x: f32, %c: f32) -> (f32, f32) attributes {
    inputs = [0x3F800800 : f32, 0xBF801000 : f32], expect = [0x33800000 : f32, 0.0 : f32]} {
  %0 = math.fma %x, %x, %c : f32
  %p = arith.mulf %x, %x : f32
  %1 = arith.addf %p, %c : f32
  return %0, %1 : f32, f32
}
// 2048 * 1 + 1.0000001...: the f16 sum is rounded once, from the exact value just above the tie.
func.func @fused_f16(%x: f16, %y: f16, %c: f16) -> f16 attributes {
    inputs = [0x3C01 : f16, 0x3C01 : f16, 2048.0 : f16], expect = [2050.0 : f16]} {
  %0 = math.fma %x, %y, %c : f16
  return %0 : f16
}
func.func @powers(%x: tensor<2xf32>, %n: tensor<2xi32>, %b: tensor<2xi32>) -> (tensor<2xf32>, tensor<2xi32>) attributes {
    inputs = [dense<[2.0, 3.0]> : tensor<2xf32>, dense<[-1, 3]> : tensor<2xi32>, dense<[7, -2]> : tensor<2xi32>],
    expect = [dense<[0.5, 27.0]> : tensor<2xf32>, dense<[0, -8]> : tensor<2xi32>]} {
  %0 = math.fpowi %x, %n : tensor<2xf32>, tensor<2xi32>
  %1 = math.ipowi %b, %n : tensor<2xi32>
  return %0, %1 : tensor<2xf32>, tensor<2xi32>
}
func.func @bits(%x: tensor<3xi8>) -> (tensor<3xi8>, tensor<3xi8>, tensor<3xi8>, tensor<3xi8>) attributes {
    inputs = [dense<[1, -128, 0]> : tensor<3xi8>],
    expect = [dense<[7, 0, 8]> : tensor<3xi8>, dense<[0, 7, 8]> : tensor<3xi8>, dense<[1, 1, 0]> : tensor<3xi8>,
              dense<[1, -128, 0]> : tensor<3xi8>]} {
  %0 = math.ctlz %x : tensor<3xi8>
  %1 = math.cttz %x : tensor<3xi8>
  %2 = math.ctpop %x : tensor<3xi8>
  %3 = math.absi %x : tensor<3xi8>
  return %0, %1, %2, %3 : tensor<3xi8>, tensor<3xi8>, tensor<3xi8>, tensor<3xi8>
}
func.func @classes(%x: tensor<3xf16>) -> (tensor<3xi1>, tensor<3xi1>, tensor<3xi1>) attributes {
    inputs = [dense<[0x7E00, 0xFC00, 0x0001]> : tensor<3xf16>],
    expect = [dense<[true, false, false]> : tensor<3xi1>, dense<[false, true, false]> : tensor<3xi1>,
              dense<[false, false, true]> : tensor<3xi1>]} {
  %0 = math.isnan %x : tensor<3xf16>
  %1 = math.isinf %x : tensor<3xf16>
  %2 = math.isfinite %x : tensor<3xf16>
  return %0, %1, %2 : tensor<3xi1>, tensor<3xi1>, tensor<3xi1>
}
