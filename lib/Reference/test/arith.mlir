// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: qtensor-interpret %s
// Integer and float arithmetic: widths wrap, signedness counts, every float op rounds to its type.

func.func @add_i8_wraps(%a: tensor<3xi8>, %b: tensor<3xi8>) -> tensor<3xi8> attributes {
    inputs = [dense<[100, -128, 7]> : tensor<3xi8>, dense<[100, -1, -9]> : tensor<3xi8>],
    expect = [dense<[-56, 127, -2]> : tensor<3xi8>]} {
  %0 = arith.addi %a, %b : tensor<3xi8>
  return %0 : tensor<3xi8>
}
func.func @multiply_i4(%a: tensor<2xi4>, %b: tensor<2xi4>) -> tensor<2xi4> attributes {
    inputs = [dense<[3, -8]> : tensor<2xi4>, dense<[5, -1]> : tensor<2xi4>],
    expect = [dense<[-1, -8]> : tensor<2xi4>]} {
  %0 = arith.muli %a, %b : tensor<2xi4>
  return %0 : tensor<2xi4>
}
func.func @divisions(%a: i32, %b: i32) -> (i32, i32, i32, i32, i32) attributes {
    inputs = [-7 : i32, 2 : i32], expect = [-3 : i32, -4 : i32, -3 : i32, -1 : i32, 2147483644 : i32]} {
  %0 = arith.divsi %a, %b : i32
  %1 = arith.floordivsi %a, %b : i32
  %2 = arith.ceildivsi %a, %b : i32
  %3 = arith.remsi %a, %b : i32
  %4 = arith.divui %a, %b : i32
  return %0, %1, %2, %3, %4 : i32, i32, i32, i32, i32
}
func.func @shifts(%a: i8, %b: i8) -> (i8, i8, i8) attributes {
    inputs = [-100 : i8, 2 : i8], expect = [112 : i8, 39 : i8, -25 : i8]} {
  %0 = arith.shli %a, %b : i8
  %1 = arith.shrui %a, %b : i8
  %2 = arith.shrsi %a, %b : i8
  return %0, %1, %2 : i8, i8, i8
}
func.func @compare_signedness(%a: i8, %b: i8) -> (i1, i1, i8, i8) attributes {
    inputs = [-1 : i8, 1 : i8], expect = [true, false, 1 : i8, -1 : i8]} {
  %0 = arith.cmpi slt, %a, %b : i8
  %1 = arith.cmpi ult, %a, %b : i8
  %2 = arith.maxsi %a, %b : i8
  %3 = arith.maxui %a, %b : i8
  return %0, %1, %2, %3 : i1, i1, i8, i8
}
func.func @extended(%a: i32, %b: i32) -> (i32, i32, i32, i32) attributes {
    inputs = [-1 : i32, -2 : i32], expect = [2 : i32, 0 : i32, 2 : i32, -3 : i32]} {
  %0, %1 = arith.mulsi_extended %a, %b : i32
  %2, %3 = arith.mului_extended %a, %b : i32
  return %0, %1, %2, %3 : i32, i32, i32, i32
}
// 1 + 2^-24 ties to even in f32; the same sum in f64 is exact.
func.func @add_rounds(%a: tensor<2xf32>, %b: tensor<2xf32>) -> tensor<2xf32> attributes {
    inputs = [dense<[1.0, 1.0]> : tensor<2xf32>, dense<[0x33800000, 0x33800001]> : tensor<2xf32>],
    expect = [dense<[1.0, 0x3F800001]> : tensor<2xf32>]} {
  %0 = arith.addf %a, %b : tensor<2xf32>
  return %0 : tensor<2xf32>
}
func.func @f16_overflow(%a: f16, %b: f16) -> (f16, f16) attributes {
    inputs = [60000.0 : f16, 6.0e-8 : f16], expect = [0x7C00 : f16, 0x0001 : f16]} {
  %0 = arith.addf %a, %a : f16
  %half = arith.constant 0.75 : f16
  %1 = arith.mulf %b, %half : f16
  return %0, %1 : f16, f16
}
func.func @truncations(%a: tensor<4xf32>) -> (tensor<4xf16>, tensor<4xbf16>, tensor<4xf8E4M3FN>) attributes {
    inputs = [dense<[0.1, 65520.0, -3.1415927, 464.0]> : tensor<4xf32>],
    expect = [dense<[0x2E66, 0x7C00, 0xC248, 0x5F40]> : tensor<4xf16>,
              dense<[0x3DCD, 0x4780, 0xC049, 0x43E8]> : tensor<4xbf16>,
              dense<[0x1D, 0x7F, 0xC5, 0x7E]> : tensor<4xf8E4M3FN>]} {
  %0 = arith.truncf %a : tensor<4xf32> to tensor<4xf16>
  %1 = arith.truncf %a : tensor<4xf32> to tensor<4xbf16>
  %2 = arith.truncf %a : tensor<4xf32> to tensor<4xf8E4M3FN>
  return %0, %1, %2 : tensor<4xf16>, tensor<4xbf16>, tensor<4xf8E4M3FN>
}
func.func @extensions(%a: tensor<2xf8E5M2>, %b: tensor<2xi4>, %c: tensor<2xi4>) -> (tensor<2xf32>, tensor<2xi8>, tensor<2xi8>)
    attributes {inputs = [dense<[0x3E, 0xC0]> : tensor<2xf8E5M2>, dense<[-3, 7]> : tensor<2xi4>, dense<[-3, 7]> : tensor<2xi4>],
    expect = [dense<[1.5, -2.0]> : tensor<2xf32>, dense<[-3, 7]> : tensor<2xi8>, dense<[13, 7]> : tensor<2xi8>]} {
  %0 = arith.extf %a : tensor<2xf8E5M2> to tensor<2xf32>
  %1 = arith.extsi %b : tensor<2xi4> to tensor<2xi8>
  %2 = arith.extui %c : tensor<2xi4> to tensor<2xi8>
  return %0, %1, %2 : tensor<2xf32>, tensor<2xi8>, tensor<2xi8>
}
// Out of range saturates and NaN gives zero; 16777217 rounds once.
func.func @conversions(%a: tensor<4xf32>, %b: tensor<2xi32>) -> (tensor<4xi8>, tensor<4xi8>, tensor<2xf32>, tensor<2xf32>)
    attributes {inputs = [dense<[300.0, -1.9, 0x7FC00000, -500.0]> : tensor<4xf32>, dense<[16777217, -1]> : tensor<2xi32>],
    expect = [dense<[127, -1, 0, -128]> : tensor<4xi8>, dense<[255, 0, 0, 0]> : tensor<4xi8>,
              dense<[16777216.0, -1.0]> : tensor<2xf32>, dense<[16777216.0, 4294967296.0]> : tensor<2xf32>]} {
  %0 = arith.fptosi %a : tensor<4xf32> to tensor<4xi8>
  %1 = arith.fptoui %a : tensor<4xf32> to tensor<4xi8>
  %2 = arith.sitofp %b : tensor<2xi32> to tensor<2xf32>
  %3 = arith.uitofp %b : tensor<2xi32> to tensor<2xf32>
  return %0, %1, %2, %3 : tensor<4xi8>, tensor<4xi8>, tensor<2xf32>, tensor<2xf32>
}
func.func @nan_order(%a: f32, %b: f32) -> (f32, f32, i1, i1) attributes {
    inputs = [0x7FC00000 : f32, 2.0 : f32], expect = [0x7FC00000 : f32, 2.0 : f32, true, false]} {
  %0 = arith.maximumf %a, %b : f32
  %1 = arith.maxnumf %a, %b : f32
  %2 = arith.cmpf ult, %a, %b : f32
  %3 = arith.cmpf olt, %a, %b : f32
  return %0, %1, %2, %3 : f32, f32, i1, i1
}
func.func @casts(%a: f32, %b: index) -> (i32, i8, f32) attributes {
    inputs = [-0.0 : f32, 259 : index], expect = [0x80000000 : i32, 3 : i8, 1.0 : f32]} {
  %0 = arith.bitcast %a : f32 to i32
  %1 = arith.index_cast %b : index to i8
  %bits = arith.constant 0x3F800000 : i32
  %2 = arith.bitcast %bits : i32 to f32
  return %0, %1, %2 : i32, i8, f32
}
func.func @select(%c: tensor<2xi1>, %s: i1) -> (tensor<2xf32>, tensor<2xf32>) attributes {
    inputs = [dense<[true, false]> : tensor<2xi1>, false],
    expect = [dense<[1.0, 4.0]> : tensor<2xf32>, dense<[3.0, 4.0]> : tensor<2xf32>]} {
  %a = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = arith.constant dense<[3.0, 4.0]> : tensor<2xf32>
  %0 = arith.select %c, %a, %b : tensor<2xi1>, tensor<2xf32>
  %1 = arith.select %s, %a, %b : tensor<2xf32>
  return %0, %1 : tensor<2xf32>, tensor<2xf32>
}
