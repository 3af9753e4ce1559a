// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qtensor-eliminate-channels{report}))' 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=REPORT < %t

// Channel 0 of %a has weights of 0 and the bias 9, which is mapped to 9 / 2 = 4.5, away from zero 5, and with the zero point to
// 3: its reader's bias grows by 2 * (3 + 2) and 4 * (3 + 2). Nobody reads channel 2.
// CHECK-LABEL: func.func @folds(
// CHECK-DAG: %[[W0:.*]] = arith.constant dense<{{\[\[\[\[}}3, 4]]]]> : tensor<1x1x1x2xi8>
// CHECK-DAG: %[[B0:.*]] = arith.constant dense<20> : tensor<1xi32>
// CHECK: %[[A:.*]] = qnn.conv2d ins(%{{.*}} : tensor<1x4x4x2xi8>) weights(%[[W0]], %[[B0]], {{.*}}) outs(%{{.*}} : tensor<1x4x4x1xi8>)
// CHECK-DAG: %[[W1:.*]] = arith.constant dense<{{\[\[\[\[}}7]]], {{\[\[\[}}-1]]]]> : tensor<2x1x1x1xi8>
// CHECK-DAG: %[[B1:.*]] = arith.constant dense<[11, 22]> : tensor<2xi32>
// CHECK: qnn.conv2d ins(%[[A]] : tensor<1x4x4x1xi8>) weights(%[[W1]], %[[B1]], {{.*}}) outs(%{{.*}} : tensor<1x4x4x2xi8>)
// REPORT: 2 channels removed; 64 of 192 multiplications and 4 of 12 weights are left
func.func @folds(%x: tensor<1x4x4x2xi8>) -> tensor<1x4x4x2xi8> {
  %w0 = arith.constant dense<[[[[0, 0]]], [[[3, 4]]], [[[5, 6]]]]> : tensor<3x1x1x2xi8>
  %b0 = arith.constant dense<[9, 20, 30]> : tensor<3xi32>
  %m = arith.constant dense<1073741824> : tensor<1xi32>
  %s = arith.constant dense<0> : tensor<1xi32>
  %w1 = arith.constant dense<[[[[2, 7, 0]]], [[[4, -1, 0]]]]> : tensor<2x1x1x3xi8>
  %b1 = arith.constant dense<[1, 2]> : tensor<2xi32>
  %e0 = tensor.empty() : tensor<1x4x4x3xi8>
  %a = qnn.conv2d ins(%x : tensor<1x4x4x2xi8>) weights(%w0, %b0, %m, %s : tensor<3x1x1x2xi8>, tensor<3xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%e0 : tensor<1x4x4x3xi8>) <{window = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>, input_zero = 5, output_zero = -2, low = -128, high = 127, map = #qtensor.final<fixed<double>>}> -> tensor<1x4x4x3xi8>
  %e1 = tensor.empty() : tensor<1x4x4x2xi8>
  %y = qnn.conv2d ins(%a : tensor<1x4x4x3xi8>) weights(%w1, %b1, %m, %s : tensor<2x1x1x3xi8>, tensor<2xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%e1 : tensor<1x4x4x2xi8>) <{window = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>, input_zero = -2, output_zero = -2, low = -128, high = 127, map = #qtensor.final<fixed<double>>}> -> tensor<1x4x4x2xi8>
  return %y : tensor<1x4x4x2xi8>
}

// -----

// Beside padding a constant is one only where it is the padding's: channel 0 has the code -2, channel 1 the code 3. Both are
// constant in %a, the depthwise layer loses the first alone.
// CHECK-LABEL: func.func @padding(
// CHECK-DAG: arith.constant dense<{{\[\[\[\[}}0]]], {{\[\[\[}}5]]]]> : tensor<2x1x1x1xi8>
// CHECK-DAG: arith.constant dense<[9, 30]> : tensor<2xi32>
// CHECK: qnn.conv2d {{.*}} outs(%{{.*}} : tensor<1x4x4x2xi8>)
// CHECK-DAG: arith.constant dense<1> : tensor<3x3x2xi8>
// CHECK-DAG: arith.constant dense<[5, 6]> : tensor<2xi32>
// CHECK: qnn.depthwise_conv2d {{.*}} outs(%{{.*}} : tensor<1x4x4x2xi8>)
// CHECK: qnn.pool2d {{.*}} outs(%{{.*}} : tensor<1x1x1x2xi8>)
// CHECK: tensor.collapse_shape {{.*}} : tensor<1x1x1x2xi8> into tensor<1x2xi8>
// The code of the first channel is 5 / 2, rounded, - 2 = 1: the bias grows by 2 * (1 + 2).
// CHECK-DAG: arith.constant dense<7> : tensor<1xi32>
// CHECK-DAG: arith.constant dense<{{\[\[}}3, 4]]> : tensor<1x2xi8>
// CHECK: qnn.fully_connected ins(%{{.*}} : tensor<1x2xi8>)
// REPORT: 4 channels removed
func.func @padding(%x: tensor<1x4x4x1xi8>) -> tensor<1x1xi8> {
  %w0 = arith.constant dense<[[[[0]]], [[[0]]], [[[5]]]]> : tensor<3x1x1x1xi8>
  %b0 = arith.constant dense<[0, 9, 30]> : tensor<3xi32>
  %m = arith.constant dense<1073741824> : tensor<1xi32>
  %s = arith.constant dense<0> : tensor<1xi32>
  %e0 = tensor.empty() : tensor<1x4x4x3xi8>
  %a = qnn.conv2d ins(%x : tensor<1x4x4x1xi8>) weights(%w0, %b0, %m, %s : tensor<3x1x1x1xi8>, tensor<3xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%e0 : tensor<1x4x4x3xi8>) <{window = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>, input_zero = 5, output_zero = -2, low = -128, high = 127, map = #qtensor.final<fixed<double>>}> -> tensor<1x4x4x3xi8>
  %w1 = arith.constant dense<1> : tensor<3x3x3xi8>
  %b1 = arith.constant dense<[5, 5, 6]> : tensor<3xi32>
  %d = qnn.depthwise_conv2d ins(%a : tensor<1x4x4x3xi8>) weights(%w1, %b1, %m, %s : tensor<3x3x3xi8>, tensor<3xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%e0 : tensor<1x4x4x3xi8>) <{window = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
    pads = array<i64: 1, 1, 1, 1>, input_zero = -2, output_zero = -2, low = -128, high = 127, map = #qtensor.final<fixed<double>>}> -> tensor<1x4x4x3xi8>
  %e2 = tensor.empty() : tensor<1x1x1x3xi8>
  %p = qnn.pool2d ins(%d : tensor<1x4x4x3xi8>) outs(%e2 : tensor<1x1x1x3xi8>) <{window = array<i64: 4, 4>, strides = array<i64: 4, 4>,
    dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, low = -128, high = 127}> -> tensor<1x1x1x3xi8>
  %f = tensor.collapse_shape %p [[0], [1, 2, 3]] : tensor<1x1x1x3xi8> into tensor<1x3xi8>
  %w2 = arith.constant dense<[[2, 3, 4]]> : tensor<1x3xi8>
  %b2 = arith.constant dense<[1]> : tensor<1xi32>
  %e3 = tensor.empty() : tensor<1x1xi8>
  %y = qnn.fully_connected ins(%f : tensor<1x3xi8>) weights(%w2, %b2, %m, %s : tensor<1x3xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%e3 : tensor<1x1xi8>) <{input_zero = -2, output_zero = 0, low = -128, high = 127, map = #qtensor.final<fixed<double>>}> -> tensor<1x1xi8>
  return %y : tensor<1x1xi8>
}

// -----

// Through a mean the constant 5 is another code, (5 + 3) / 2 - 1 = 3, which the bias takes in: 2 * (3 + 1). Beside padding that brings
// windows fewer codes it is none.
// CHECK-LABEL: func.func @means(
// CHECK: qnn.pool2d {{.*}} outs(%{{.*}} : tensor<1x1x1x1xi8>)
// CHECK: arith.constant dense<9> : tensor<1xi32>
// CHECK: qnn.conv2d
func.func @means(%x: tensor<1x4x4x1xi8>) -> tensor<1x1x1x1xi8> {
  %w0 = arith.constant dense<[[[[0]]], [[[4]]]]> : tensor<2x1x1x1xi8>
  %b0 = arith.constant dense<[7, 9]> : tensor<2xi32>
  %m = arith.constant dense<1073741824> : tensor<1xi32>
  %s = arith.constant dense<1> : tensor<1xi32>
  %e0 = tensor.empty() : tensor<1x4x4x2xi8>
  %a = qnn.conv2d ins(%x : tensor<1x4x4x1xi8>) weights(%w0, %b0, %m, %s : tensor<2x1x1x1xi8>, tensor<2xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%e0 : tensor<1x4x4x2xi8>) <{window = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>, input_zero = 5, output_zero = -2, low = -128, high = 127, map = #qtensor.final<fixed<double>>}> -> tensor<1x4x4x2xi8>
  %e1 = tensor.empty() : tensor<1x1x1x2xi8>
  %p = qnn.pool2d ins(%a : tensor<1x4x4x2xi8>) outs(%e1 : tensor<1x1x1x2xi8>) <{window = array<i64: 4, 4>,
    strides = array<i64: 4, 4>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>,
    mean = #qnn.mean<input_zero = -3, multiple = 0, multiplier = 1073741824, shift = -4, output_zero = -1, map = <fixed<double>>>,
    low = -128, high = 127}> -> tensor<1x1x1x2xi8>
  %w2 = arith.constant dense<[[[[2, 3]]]]> : tensor<1x1x1x2xi8>
  %b2 = arith.constant dense<[1]> : tensor<1xi32>
  %e3 = tensor.empty() : tensor<1x1x1x1xi8>
  %y = qnn.conv2d ins(%p : tensor<1x1x1x2xi8>) weights(%w2, %b2, %m, %s : tensor<1x1x1x2xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%e3 : tensor<1x1x1x1xi8>) <{window = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>, input_zero = -1, output_zero = 0, low = -128, high = 127, map = #qtensor.final<fixed<double>>}> -> tensor<1x1x1x1xi8>
  return %y : tensor<1x1x1x1xi8>
}

// CHECK-LABEL: func.func @means_at_border(
// CHECK: qnn.pool2d {{.*}} outs(%{{.*}} : tensor<1x3x3x2xi8>)
func.func @means_at_border(%x: tensor<1x4x4x1xi8>) -> tensor<1x3x3x1xi8> {
  %w0 = arith.constant dense<[[[[0]]], [[[4]]]]> : tensor<2x1x1x1xi8>
  %b0 = arith.constant dense<[7, 9]> : tensor<2xi32>
  %m = arith.constant dense<1073741824> : tensor<1xi32>
  %s = arith.constant dense<1> : tensor<1xi32>
  %e0 = tensor.empty() : tensor<1x4x4x2xi8>
  %a = qnn.conv2d ins(%x : tensor<1x4x4x1xi8>) weights(%w0, %b0, %m, %s : tensor<2x1x1x1xi8>, tensor<2xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%e0 : tensor<1x4x4x2xi8>) <{window = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>, input_zero = 5, output_zero = -2, low = -128, high = 127, map = #qtensor.final<fixed<double>>}> -> tensor<1x4x4x2xi8>
  %e1 = tensor.empty() : tensor<1x3x3x2xi8>
  %p = qnn.pool2d ins(%a : tensor<1x4x4x2xi8>) outs(%e1 : tensor<1x3x3x2xi8>) <{window = array<i64: 2, 2>,
    strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>,
    mean = #qnn.mean<input_zero = -3, multiple = 0, multiplier = 1073741824, shift = -2, output_zero = -1, map = <fixed<double>>>,
    low = -128, high = 127}> -> tensor<1x3x3x2xi8>
  %w2 = arith.constant dense<[[[[2, 3]]]]> : tensor<1x1x1x2xi8>
  %b2 = arith.constant dense<[1]> : tensor<1xi32>
  %e3 = tensor.empty() : tensor<1x3x3x1xi8>
  %y = qnn.conv2d ins(%p : tensor<1x3x3x2xi8>) weights(%w2, %b2, %m, %s : tensor<1x1x1x2xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%e3 : tensor<1x3x3x1xi8>) <{window = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>, input_zero = -1, output_zero = 0, low = -128, high = 127, map = #qtensor.final<fixed<double>>}> -> tensor<1x3x3x1xi8>
  return %y : tensor<1x3x3x1xi8>
}

// -----

// Sums of tensors lose a channel of both, or none: channel 0 is constant in %a and %b, channel 1 in %a alone. The flushed
// multiplier of channel 0 makes %b's code 7 whatever its weights.
// CHECK-LABEL: func.func @add(
// CHECK-COUNT-2: qnn.conv2d {{.*}} outs(%{{.*}} : tensor<1x2x2x2xi8>)
// CHECK: qnn.add {{.*}} outs(%{{.*}} : tensor<1x2x2x2xi8>)
// CHECK: qnn.conv2d ins(%{{.*}} : tensor<1x2x2x2xi8>) weights({{.*}} : tensor<1x1x1x2xi8>, {{.*}})
// REPORT: 3 channels removed; 40 of 60 multiplications and 10 of 15 weights are left
func.func @add(%x: tensor<1x2x2x2xi8>) -> tensor<1x2x2x1xi8> {
  %wa = arith.constant dense<[[[[0, 0]]], [[[0, 0]]], [[[5, 6]]]]> : tensor<3x1x1x2xi8>
  %wb = arith.constant dense<[[[[1, 2]]], [[[3, 4]]], [[[5, 6]]]]> : tensor<3x1x1x2xi8>
  %b = arith.constant dense<[9, 20, 30]> : tensor<3xi32>
  %m = arith.constant dense<[0, 1073741824, 1073741824]> : tensor<3xi32>
  %s = arith.constant dense<0> : tensor<3xi32>
  %e = tensor.empty() : tensor<1x2x2x3xi8>
  %p = qnn.conv2d ins(%x : tensor<1x2x2x2xi8>) weights(%wa, %b, %m, %s : tensor<3x1x1x2xi8>, tensor<3xi32>, tensor<3xi32>, tensor<3xi32>)
    outs(%e : tensor<1x2x2x3xi8>) <{window = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>, input_zero = 0, output_zero = 7, low = -128, high = 127, map = #qtensor.final<fixed<single>>}> -> tensor<1x2x2x3xi8>
  %q = qnn.conv2d ins(%x : tensor<1x2x2x2xi8>) weights(%wb, %b, %m, %s : tensor<3x1x1x2xi8>, tensor<3xi32>, tensor<3xi32>, tensor<3xi32>)
    outs(%e : tensor<1x2x2x3xi8>) <{window = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>, input_zero = 0, output_zero = 7, low = -128, high = 127, map = #qtensor.final<fixed<single>>}> -> tensor<1x2x2x3xi8>
  %t = qnn.add ins(%p, %q : tensor<1x2x2x3xi8>, tensor<1x2x2x3xi8>) outs(%e : tensor<1x2x2x3xi8>) <{zeros = array<i64: 7, 7>, left_shift = 20,
    multipliers = array<i64: 1073741824, 1073741824, 1073741824>, shifts = array<i64: 0, 0, -17>, output_zero = 7, low = -128, high = 127,
    map = #qtensor.final<fixed<single>>}> -> tensor<1x2x2x3xi8>
  %w1 = arith.constant dense<[[[[1, 2, 3]]]]> : tensor<1x1x1x3xi8>
  %b1 = arith.constant dense<[1]> : tensor<1xi32>
  %m1 = arith.constant dense<1073741824> : tensor<1xi32>
  %s1 = arith.constant dense<0> : tensor<1xi32>
  %e1 = tensor.empty() : tensor<1x2x2x1xi8>
  %y = qnn.conv2d ins(%t : tensor<1x2x2x3xi8>) weights(%w1, %b1, %m1, %s1 : tensor<1x1x1x3xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%e1 : tensor<1x2x2x1xi8>) <{window = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>, input_zero = 7, output_zero = 7, low = -128, high = 127, map = #qtensor.final<fixed<single>>}> -> tensor<1x2x2x1xi8>
  return %y : tensor<1x2x2x1xi8>
}

// -----

// What the function returns keeps its channels; a value whose channels could all go keeps one.
// CHECK-LABEL: func.func @last(
// CHECK: qnn.fully_connected {{.*}} outs(%{{.*}} : tensor<1x1xi8>)
// CHECK: qnn.fully_connected ins(%{{.*}} : tensor<1x1xi8>) {{.*}} outs(%{{.*}} : tensor<1x2xi8>)
// REPORT: 1 channels removed; 4 of 8 multiplications and 4 of 8 weights are left
func.func @last(%x: tensor<1x2xi8>) -> tensor<1x2xi8> {
  %w = arith.constant dense<0> : tensor<2x2xi8>
  %b = arith.constant dense<[1, 2]> : tensor<2xi32>
  %m = arith.constant dense<1073741824> : tensor<1xi32>
  %s = arith.constant dense<0> : tensor<1xi32>
  %e = tensor.empty() : tensor<1x2xi8>
  %a = qnn.fully_connected ins(%x : tensor<1x2xi8>) weights(%w, %b, %m, %s : tensor<2x2xi8>, tensor<2xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%e : tensor<1x2xi8>) <{input_zero = -2, output_zero = 0, low = -128, high = 127, map = #qtensor.final<fixed<double>>}> -> tensor<1x2xi8>
  %y = qnn.fully_connected ins(%a : tensor<1x2xi8>) weights(%w, %b, %m, %s : tensor<2x2xi8>, tensor<2xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%e : tensor<1x2xi8>) <{input_zero = -2, output_zero = 0, low = -128, high = 127, map = #qtensor.final<fixed<double>>}> -> tensor<1x2xi8>
  return %y : tensor<1x2xi8>
}

// -----

// Nothing is constant, and a layer with a kernel says nothing about its weights: all stays.
// CHECK-LABEL: func.func @stays(
// CHECK: qnn.fully_connected {{.*}} outs(%{{.*}} : tensor<1x3xi8>)
// CHECK: qnn.fully_connected {{.*}} outs(%{{.*}} : tensor<1x1xi8>) <{{.*}}kernel = "k"
// REPORT-NOT: channels
func.func @stays(%x: tensor<1x1xi8>) -> tensor<1x1xi8> {
  %w = arith.constant dense<[[0], [1], [2]]> : tensor<3x1xi8>
  %b = arith.constant dense<[1, 2, 3]> : tensor<3xi32>
  %m = arith.constant dense<1073741824> : tensor<1xi32>
  %s = arith.constant dense<0> : tensor<1xi32>
  %e = tensor.empty() : tensor<1x3xi8>
  %a = qnn.fully_connected ins(%x : tensor<1x1xi8>) weights(%w, %b, %m, %s : tensor<3x1xi8>, tensor<3xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%e : tensor<1x3xi8>) <{input_zero = -2, output_zero = 0, low = -128, high = 127, map = #qtensor.final<fixed<double>>}> -> tensor<1x3xi8>
  %c = arith.constant dense<0> : tensor<16xi8>
  %e1 = tensor.empty() : tensor<1x1xi8>
  %y = qnn.fully_connected ins(%a : tensor<1x3xi8>) constants(%c : tensor<16xi8>)
    outs(%e1 : tensor<1x1xi8>) <{input_zero = -2, output_zero = 0, low = -128, high = 127, map = #qtensor.final<fixed<double>>, kernel = "k"}> -> tensor<1x1xi8>
  return %y : tensor<1x1xi8>
}

// -----

// Of a layer with groups outputs may go, with their factors. Its inputs stay: channel 1 of %a is a constant, but without it
// channel 2 would be in the first group.
// CHECK-LABEL: func.func @groups(
// CHECK: qnn.conv2d {{.*}} outs(%{{.*}} : tensor<1x4x4x3xi8>)
// CHECK-DAG: %[[W1:.*]] = arith.constant dense<{{\[\[\[\[}}4, 5, 6]]]]> : tensor<1x1x1x3xi8>
// CHECK-DAG: %[[F1:.*]] = arith.constant dense<{{\[\[\[\[}}12, 13]]]]> : tensor<1x1x1x2xi32>
// CHECK: qnn.conv2d ins(%{{.*}} : tensor<1x4x4x3xi8>) weights(%[[W1]], %{{.*}}, %{{.*}}, %{{.*}}, %[[F1]] : {{.*}}) outs(%{{.*}} : tensor<1x4x4x1xi8>)
// CHECK: qnn.conv2d ins(%{{.*}} : tensor<1x4x4x1xi8>)
// REPORT: 1 channels removed; 112 of 176
func.func @groups(%x: tensor<1x4x4x1xi8>) -> tensor<1x4x4x1xi8> {
  %w0 = arith.constant dense<[[[[1]]], [[[0]]], [[[3]]]]> : tensor<3x1x1x1xi8>
  %b0 = arith.constant dense<[9, 20, 30]> : tensor<3xi32>
  %m = arith.constant dense<1073741824> : tensor<1xi32>
  %s = arith.constant dense<0> : tensor<1xi32>
  %w1 = arith.constant dense<[[[[1, 2, 3]]], [[[4, 5, 6]]]]> : tensor<2x1x1x3xi8>
  %b1 = arith.constant dense<[1, 2]> : tensor<2xi64>
  %f1 = arith.constant dense<[[[[10, 11]]], [[[12, 13]]]]> : tensor<2x1x1x2xi32>
  %w2 = arith.constant dense<[[[[0, 2]]]]> : tensor<1x1x1x2xi8>
  %b2 = arith.constant dense<[1]> : tensor<1xi32>
  %e0 = tensor.empty() : tensor<1x4x4x3xi8>
  %a = qnn.conv2d ins(%x : tensor<1x4x4x1xi8>) weights(%w0, %b0, %m, %s : tensor<3x1x1x1xi8>, tensor<3xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%e0 : tensor<1x4x4x3xi8>) <{window = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>, input_zero = 5, output_zero = -2, low = -128, high = 127, map = #qtensor.final<fixed<double>>}> -> tensor<1x4x4x3xi8>
  %e1 = tensor.empty() : tensor<1x4x4x2xi8>
  %y = qnn.conv2d ins(%a : tensor<1x4x4x3xi8>) weights(%w1, %b1, %m, %s, %f1 : tensor<2x1x1x3xi8>, tensor<2xi64>, tensor<1xi32>, tensor<1xi32>, tensor<2x1x1x2xi32>)
    outs(%e1 : tensor<1x4x4x2xi8>) <{window = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>, input_zero = -2, output_zero = -2, low = -128, high = 127, groups = array<i64: 1, 1, 2>,
    map = #qtensor.final<fixed<x16>>}> -> tensor<1x4x4x2xi8>
  %e2 = tensor.empty() : tensor<1x4x4x1xi8>
  %z = qnn.conv2d ins(%y : tensor<1x4x4x2xi8>) weights(%w2, %b2, %m, %s : tensor<1x1x1x2xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%e2 : tensor<1x4x4x1xi8>) <{window = array<i64: 1, 1>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>, input_zero = -2, output_zero = -2, low = -128, high = 127, map = #qtensor.final<fixed<double>>}> -> tensor<1x4x4x1xi8>
  return %z : tensor<1x4x4x1xi8>
}

// -----

// Buffers keep what they have.
// CHECK-LABEL: func.func @buffers(
// CHECK: qnn.pool2d ins(%{{.*}} : memref<1x4x4x8xi8>) outs(%{{.*}} : memref<1x2x2x8xi8>)
func.func @buffers(%a: memref<1x4x4x8xi8>, %b: memref<1x2x2x8xi8>) {
  qnn.pool2d ins(%a : memref<1x4x4x8xi8>) outs(%b : memref<1x2x2x8xi8>) <{window = array<i64: 2, 2>,
    strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, max, low = -128 : i64, high = 127 : i64}>
  return
}
