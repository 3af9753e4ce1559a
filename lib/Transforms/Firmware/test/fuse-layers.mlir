// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-fuse-layers{target=cortex-m4}))' | FileCheck %s
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-fuse-layers{target=cortex-m55}))' | FileCheck %s

// The convolution is the sum's second operand: its parameters come first.
// CHECK-LABEL: func.func @fused(
// CHECK: %[[Y:.*]] = qnn.conv2d ins(%{{.*}}, %arg1 : tensor<1x2x2x4xi8>, tensor<1x2x2x4xi8>)
// CHECK-SAME: sum = #qnn.sum<zeros = [5, 4], left_shift = 20, multipliers = [1200000000, 1073741824, 1500000000], shifts = [-1, 0, -18], subtract = false, output_zero = -3, low = -128, high = 127, map = <fixed<double>>>
// CHECK-NEXT: return %[[Y]]
func.func @fused(%x: tensor<1x2x2x4xi8>, %r: tensor<1x2x2x4xi8>) -> tensor<1x2x2x4xi8> {
  %w = arith.constant dense<3> : tensor<4x1x1x4xi8>
  %b = arith.constant dense<5> : tensor<4xi32>
  %m = arith.constant dense<1500000000> : tensor<4xi32>
  %s = arith.constant dense<-9> : tensor<4xi32>
  %e = tensor.empty() : tensor<1x2x2x4xi8>
  %c = qnn.conv2d ins(%x : tensor<1x2x2x4xi8>) weights(%w, %b, %m, %s : tensor<4x1x1x4xi8>, tensor<4xi32>, tensor<4xi32>, tensor<4xi32>)
    outs(%e : tensor<1x2x2x4xi8>) <{window = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
    input_zero = 7, output_zero = 5, low = -128, high = 127, map = #qtensor.final<fixed<double>>}> -> tensor<1x2x2x4xi8>
  %y = qnn.add ins(%r, %c : tensor<1x2x2x4xi8>, tensor<1x2x2x4xi8>) outs(%e : tensor<1x2x2x4xi8>) <{zeros = array<i64: 4, 5>, left_shift = 20 : i64,
    multipliers = array<i64: 1073741824, 1200000000, 1500000000>, shifts = array<i64: 0, -1, -18>, output_zero = -3, low = -128, high = 127,
    map = #qtensor.final<fixed<double>>}> -> tensor<1x2x2x4xi8>
  return %y : tensor<1x2x2x4xi8>
}

// The codes are read once more; of a difference the convolution would be what is taken away.
// CHECK-LABEL: func.func @apart(
// CHECK-COUNT-2: qnn.add
func.func @apart(%x: tensor<1x2x2x4xi8>, %r: tensor<1x2x2x4xi8>) -> (tensor<1x2x2x4xi8>, tensor<1x2x2x4xi8>, tensor<1x2x2x4xi8>) {
  %w = arith.constant dense<3> : tensor<4x1x1x4xi8>
  %b = arith.constant dense<5> : tensor<4xi32>
  %m = arith.constant dense<1500000000> : tensor<4xi32>
  %s = arith.constant dense<-9> : tensor<4xi32>
  %e = tensor.empty() : tensor<1x2x2x4xi8>
  %c = qnn.conv2d ins(%x : tensor<1x2x2x4xi8>) weights(%w, %b, %m, %s : tensor<4x1x1x4xi8>, tensor<4xi32>, tensor<4xi32>, tensor<4xi32>)
    outs(%e : tensor<1x2x2x4xi8>) <{window = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
    input_zero = 7, output_zero = 5, low = -128, high = 127, map = #qtensor.final<fixed<double>>}> -> tensor<1x2x2x4xi8>
  %y = qnn.add ins(%r, %c : tensor<1x2x2x4xi8>, tensor<1x2x2x4xi8>) outs(%e : tensor<1x2x2x4xi8>) <{zeros = array<i64: 4, 5>, left_shift = 20 : i64,
    multipliers = array<i64: 1073741824, 1200000000, 1500000000>, shifts = array<i64: 0, -1, -18>, output_zero = -3, low = -128, high = 127,
    map = #qtensor.final<fixed<double>>}> -> tensor<1x2x2x4xi8>
  %d = qnn.conv2d ins(%x : tensor<1x2x2x4xi8>) weights(%w, %b, %m, %s : tensor<4x1x1x4xi8>, tensor<4xi32>, tensor<4xi32>, tensor<4xi32>)
    outs(%e : tensor<1x2x2x4xi8>) <{window = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
    input_zero = 7, output_zero = 5, low = -128, high = 127, map = #qtensor.final<fixed<double>>}> -> tensor<1x2x2x4xi8>
  %z = qnn.add ins(%r, %d : tensor<1x2x2x4xi8>, tensor<1x2x2x4xi8>) outs(%e : tensor<1x2x2x4xi8>) <{zeros = array<i64: 4, 5>, left_shift = 20 : i64,
    multipliers = array<i64: 1073741824, 1200000000, 1500000000>, shifts = array<i64: 0, -1, -18>, output_zero = -3, low = -128, high = 127,
    subtract, map = #qtensor.final<fixed<double>>}> -> tensor<1x2x2x4xi8>
  return %y, %c, %z : tensor<1x2x2x4xi8>, tensor<1x2x2x4xi8>, tensor<1x2x2x4xi8>
}
