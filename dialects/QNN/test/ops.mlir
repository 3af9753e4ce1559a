// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s | quant-opt | FileCheck %s
// Every layer in its two states, on tensors and on buffers.

// CHECK-LABEL: func.func @conv(
// CHECK: qnn.conv2d ins(%{{.*}} : tensor<1x8x8x3xi8>) weights(%{{.*}}) outs(%{{.*}} : tensor<1x4x4x16xi8>) <{{{.*}}pads = array<i64: 0, 0, 1, 1>{{.*}}}> -> tensor<1x4x4x16xi8>
func.func @conv(%x: tensor<1x8x8x3xi8>, %w: tensor<16x3x3x3xi8>, %b: tensor<16xi32>, %m: tensor<16xi32>, %s: tensor<16xi32>,
                %o: tensor<1x4x4x16xi8>) -> tensor<1x4x4x16xi8> {
  %y = qnn.conv2d ins(%x : tensor<1x8x8x3xi8>) weights(%w, %b, %m, %s : tensor<16x3x3x3xi8>, tensor<16xi32>, tensor<16xi32>, tensor<16xi32>)
    outs(%o : tensor<1x4x4x16xi8>) <{window = array<i64: 3, 3>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 1, 1>, input_zero = 4 : i64, output_zero = -128 : i64, low = -128 : i64, high = 127 : i64,
    map = #qtensor.final<fixed<double>>}> -> tensor<1x4x4x16xi8>
  return %y : tensor<1x4x4x16xi8>
}

// CHECK-LABEL: func.func @packed(
// CHECK: qnn.depthwise_conv2d ins(%{{.*}} : memref<1x8x8x4xi8>) constants(%{{.*}} : memref<128xi8>) scratch(%{{.*}} : memref<64xi8>) outs(%{{.*}} : memref<1x6x6x8xi8>) <{{{.*}}kernel = "k"
func.func @packed(%x: memref<1x8x8x4xi8>, %c: memref<128xi8>, %t: memref<64xi8>, %o: memref<1x6x6x8xi8>) {
  qnn.depthwise_conv2d ins(%x : memref<1x8x8x4xi8>) constants(%c : memref<128xi8>) scratch(%t : memref<64xi8>)
    outs(%o : memref<1x6x6x8xi8>) <{kernel = "k", window = array<i64: 3, 3>, strides = array<i64: 1, 1>,
    dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, input_zero = 0 : i64, output_zero = 0 : i64, low = -128 : i64,
    high = 127 : i64, map = #qtensor.final<fixed<single>>}>
  return
}

// CHECK-LABEL: func.func @others(
// CHECK: qnn.fully_connected
// CHECK: qnn.pool2d {{.*}}max
// CHECK: qnn.pool2d {{.*}}mean = #qnn.mean<input_zero = -128, multiple = 4, multiplier = 1073741824, shift = -2, output_zero = 3, map = <fixed<double>>>
// CHECK: qnn.add
// CHECK: qnn.softmax
func.func @others(%x: tensor<2x64xi8>, %w: tensor<10x64xi8>, %n: tensor<1xi32>, %o: tensor<2x10xi8>, %i: tensor<1x4x4x8xi8>,
                  %p: tensor<1x2x2x8xi8>, %t: tensor<256xi32>) -> (tensor<2x10xi8>, tensor<1x2x2x8xi8>, tensor<1x2x2x8xi8>) {
  %y = qnn.fully_connected ins(%x : tensor<2x64xi8>) weights(%w, %n, %n, %n : tensor<10x64xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%o : tensor<2x10xi8>) <{input_zero = 0 : i64, output_zero = 0 : i64, low = -128 : i64, high = 127 : i64,
    map = #qtensor.final<fixed<double>>}> -> tensor<2x10xi8>
  %q = qnn.pool2d ins(%i : tensor<1x4x4x8xi8>) outs(%p : tensor<1x2x2x8xi8>) <{window = array<i64: 2, 2>, strides = array<i64: 2, 2>,
    dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, max, low = -128 : i64, high = 127 : i64}> -> tensor<1x2x2x8xi8>
  %m = qnn.pool2d ins(%i : tensor<1x4x4x8xi8>) outs(%p : tensor<1x2x2x8xi8>) <{window = array<i64: 2, 2>, strides = array<i64: 2, 2>,
    dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, mean = #qnn.mean<input_zero = -128, multiple = 4,
    multiplier = 1073741824, shift = -2, output_zero = 3, map = <fixed<double>>>, low = -128 : i64, high = 127 : i64}> -> tensor<1x2x2x8xi8>
  %a = qnn.add ins(%y, %y : tensor<2x10xi8>, tensor<2x10xi8>) outs(%o : tensor<2x10xi8>) <{zeros = array<i64: 0, 3>, left_shift = 20 : i64,
    multipliers = array<i64: 1073741824, 1073741824, 1073741824>, shifts = array<i64: 0, 0, -18>, output_zero = 0 : i64,
    low = -128 : i64, high = 127 : i64, map = #qtensor.final<fixed<double>>}> -> tensor<2x10xi8>
  %s = qnn.softmax ins(%a : tensor<2x10xi8>) weights(%t : tensor<256xi32>) outs(%o : tensor<2x10xi8>)
    <{low = -128 : i64, high = 127 : i64}> -> tensor<2x10xi8>
  return %s, %q, %m : tensor<2x10xi8>, tensor<1x2x2x8xi8>, tensor<1x2x2x8xi8>
}

// CHECK-LABEL: func.func @groups(
// CHECK: qnn.conv2d {{.*}} tensor<4x3x2x2xi32>) outs({{.*}}groups = array<i64: 1, 2, 4>
// CHECK: qnn.fully_connected {{.*}} tensor<3x2xi32>) outs({{.*}}groups = array<i64: 32>
func.func @groups(%x: tensor<1x8x8x8xi8>, %w: tensor<4x3x3x8xi8>, %b: tensor<4xi64>, %m: tensor<4xi32>, %f: tensor<4x3x2x2xi32>,
                  %o: tensor<1x6x6x4xi8>, %a: tensor<1x40xi8>, %v: tensor<3x40xi8>, %c: tensor<1xi64>, %n: tensor<1xi32>,
                  %g: tensor<3x2xi32>, %r: tensor<1x3xi8>) -> (tensor<1x6x6x4xi8>, tensor<1x3xi8>) {
  %y = qnn.conv2d ins(%x : tensor<1x8x8x8xi8>) weights(%w, %b, %m, %m, %f : tensor<4x3x3x8xi8>, tensor<4xi64>, tensor<4xi32>, tensor<4xi32>, tensor<4x3x2x2xi32>)
    outs(%o : tensor<1x6x6x4xi8>) <{window = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>, input_zero = 0 : i64, output_zero = 0 : i64, low = -128 : i64, high = 127 : i64,
    groups = array<i64: 1, 2, 4>, map = #qtensor.final<fixed<x16>>}> -> tensor<1x6x6x4xi8>
  %z = qnn.fully_connected ins(%a : tensor<1x40xi8>) weights(%v, %c, %n, %n, %g : tensor<3x40xi8>, tensor<1xi64>, tensor<1xi32>, tensor<1xi32>, tensor<3x2xi32>)
    outs(%r : tensor<1x3xi8>) <{input_zero = 0 : i64, output_zero = 0 : i64, low = -128 : i64, high = 127 : i64,
    groups = array<i64: 32>, map = #qtensor.final<fixed<x16>>}> -> tensor<1x3xi8>
  return %y, %z : tensor<1x6x6x4xi8>, tensor<1x3xi8>
}
