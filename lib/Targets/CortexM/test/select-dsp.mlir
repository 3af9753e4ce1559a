// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --pass-pipeline="builtin.module(func.func(qtensor-pack-layers{target=cortex-m4}))" | FileCheck %s
// RUN: quant-opt %s --pass-pipeline="builtin.module(func.func(qtensor-pack-layers{target=cortex-m4 prefer=speed}))" | FileCheck %s --check-prefix=SPEED

// CHECK-LABEL: func.func @pairs(
// CHECK: kernel = "dsp.conv.pairs"
func.func @pairs(%x: tensor<1x4x4x8xi8>) -> tensor<1x4x4x6xi8> {
  %w = arith.constant dense<3> : tensor<6x3x3x8xi8>
  %b = arith.constant dense<5> : tensor<6xi32>
  %m = arith.constant dense<1500000000> : tensor<6xi32>
  %s = arith.constant dense<-9> : tensor<6xi32>
  %0 = tensor.empty() : tensor<1x4x4x6xi8>
  %y = qnn.conv2d ins(%x : tensor<1x4x4x8xi8>) weights(%w, %b, %m, %s : tensor<6x3x3x8xi8>, tensor<6xi32>, tensor<6xi32>, tensor<6xi32>)
       outs(%0 : tensor<1x4x4x6xi8>) <{window = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, input_zero = -7, output_zero = -3, low = -128, high = 127,
       map = #qtensor.final<fixed<double>>}> -> tensor<1x4x4x6xi8>
  return %y : tensor<1x4x4x6xi8>
}

// CHECK-LABEL: func.func @product(
// CHECK: kernel = "dsp.row.pairs.uniform"
func.func @product(%x: tensor<1x32xi8>) -> tensor<1x8xi8> {
  %w = arith.constant dense<3> : tensor<8x32xi8>
  %b = arith.constant dense<5> : tensor<8xi32>
  %m = arith.constant dense<1500000000> : tensor<8xi32>
  %s = arith.constant dense<-9> : tensor<8xi32>
  %0 = tensor.empty() : tensor<1x8xi8>
  %y = qnn.fully_connected ins(%x : tensor<1x32xi8>) weights(%w, %b, %m, %s : tensor<8x32xi8>, tensor<8xi32>, tensor<8xi32>, tensor<8xi32>)
       outs(%0 : tensor<1x8xi8>) <{input_zero = -7, output_zero = -3, low = -128, high = 127,
       map = #qtensor.final<fixed<double>>}> -> tensor<1x8xi8>
  return %y : tensor<1x8xi8>
}

// CHECK-LABEL: func.func @maps_of_channels(
// CHECK: kernel = "dsp.row.pairs"
func.func @maps_of_channels(%x: tensor<1x32xi8>) -> tensor<1x8xi8> {
  %w = arith.constant dense<3> : tensor<8x32xi8>
  %b = arith.constant dense<5> : tensor<8xi32>
  %m = arith.constant dense<1500000000> : tensor<8xi32>
  %s = arith.constant dense<[-9, -8, -9, -9, -9, -9, -9, -9]> : tensor<8xi32>
  %0 = tensor.empty() : tensor<1x8xi8>
  %y = qnn.fully_connected ins(%x : tensor<1x32xi8>) weights(%w, %b, %m, %s : tensor<8x32xi8>, tensor<8xi32>, tensor<8xi32>, tensor<8xi32>)
       outs(%0 : tensor<1x8xi8>) <{input_zero = -7, output_zero = -3, low = -128, high = 127,
       map = #qtensor.final<fixed<double>>}> -> tensor<1x8xi8>
  return %y : tensor<1x8xi8>
}

// CHECK-LABEL: func.func @rows_of_products(
// CHECK: kernel = "dsp.conv.pairs"
func.func @rows_of_products(%x: tensor<3x32xi8>) -> tensor<3x8xi8> {
  %w = arith.constant dense<3> : tensor<8x32xi8>
  %b = arith.constant dense<5> : tensor<8xi32>
  %m = arith.constant dense<1500000000> : tensor<8xi32>
  %s = arith.constant dense<-9> : tensor<8xi32>
  %0 = tensor.empty() : tensor<3x8xi8>
  %y = qnn.fully_connected ins(%x : tensor<3x32xi8>) weights(%w, %b, %m, %s : tensor<8x32xi8>, tensor<8xi32>, tensor<8xi32>, tensor<8xi32>)
       outs(%0 : tensor<3x8xi8>) <{input_zero = -7, output_zero = -3, low = -128, high = 127,
       map = #qtensor.final<fixed<double>>}> -> tensor<3x8xi8>
  return %y : tensor<3x8xi8>
}

// CHECK-LABEL: func.func @nibbles(
// CHECK: kernel = "dsp.row.triples4.uniform"
func.func @nibbles(%x: tensor<1x96xi8>) -> tensor<1x32xi8> {
  %w = arith.constant dense<3> : tensor<32x96xi8>
  %b = arith.constant dense<5> : tensor<32xi32>
  %m = arith.constant dense<1500000000> : tensor<32xi32>
  %s = arith.constant dense<-9> : tensor<32xi32>
  %0 = tensor.empty() : tensor<1x32xi8>
  %y = qnn.fully_connected ins(%x : tensor<1x96xi8>) weights(%w, %b, %m, %s : tensor<32x96xi8>, tensor<32xi32>, tensor<32xi32>, tensor<32xi32>)
       outs(%0 : tensor<1x32xi8>) <{weight_bits = 4 : i64, input_zero = -7, output_zero = -3, low = -128, high = 127,
       map = #qtensor.final<fixed<double>>}> -> tensor<1x32xi8>
  return %y : tensor<1x32xi8>
}

// CHECK-LABEL: func.func @nibbles_of_many_channels(
// CHECK: kernel = "dsp.row.digits4.uniform"
// SPEED-LABEL: func.func @nibbles_of_many_channels(
// SPEED: kernel = "dsp.row.triples4.uniform"
func.func @nibbles_of_many_channels(%x: tensor<1x96xi8>) -> tensor<1x256xi8> {
  %w = arith.constant dense<3> : tensor<256x96xi8>
  %b = arith.constant dense<5> : tensor<256xi32>
  %m = arith.constant dense<1500000000> : tensor<256xi32>
  %s = arith.constant dense<-9> : tensor<256xi32>
  %0 = tensor.empty() : tensor<1x256xi8>
  %y = qnn.fully_connected ins(%x : tensor<1x96xi8>) weights(%w, %b, %m, %s : tensor<256x96xi8>, tensor<256xi32>, tensor<256xi32>, tensor<256xi32>)
       outs(%0 : tensor<1x256xi8>) <{weight_bits = 4 : i64, input_zero = -7, output_zero = -3, low = -128, high = 127,
       map = #qtensor.final<fixed<double>>}> -> tensor<1x256xi8>
  return %y : tensor<1x256xi8>
}

// CHECK-LABEL: func.func @short_windows(
// CHECK: kernel = "dsp.row.pairs.uniform"
func.func @short_windows(%x: tensor<1x32xi8>) -> tensor<1x8xi8> {
  %w = arith.constant dense<3> : tensor<8x32xi8>
  %b = arith.constant dense<5> : tensor<8xi32>
  %m = arith.constant dense<1500000000> : tensor<8xi32>
  %s = arith.constant dense<-9> : tensor<8xi32>
  %0 = tensor.empty() : tensor<1x8xi8>
  %y = qnn.fully_connected ins(%x : tensor<1x32xi8>) weights(%w, %b, %m, %s : tensor<8x32xi8>, tensor<8xi32>, tensor<8xi32>, tensor<8xi32>)
       outs(%0 : tensor<1x8xi8>) <{weight_bits = 4 : i64, input_zero = -7, output_zero = -3, low = -128, high = 127,
       map = #qtensor.final<fixed<double>>}> -> tensor<1x8xi8>
  return %y : tensor<1x8xi8>
}

// CHECK-LABEL: func.func @two_bits(
// CHECK: kernel = "dsp.row.triples2.uniform"
func.func @two_bits(%x: tensor<1x96xi8>) -> tensor<1x32xi8> {
  %w = arith.constant dense<1> : tensor<32x96xi8>
  %b = arith.constant dense<5> : tensor<32xi32>
  %m = arith.constant dense<1500000000> : tensor<32xi32>
  %s = arith.constant dense<-9> : tensor<32xi32>
  %0 = tensor.empty() : tensor<1x32xi8>
  %y = qnn.fully_connected ins(%x : tensor<1x96xi8>) weights(%w, %b, %m, %s : tensor<32x96xi8>, tensor<32xi32>, tensor<32xi32>, tensor<32xi32>)
       outs(%0 : tensor<1x32xi8>) <{weight_bits = 2 : i64, input_zero = -7, output_zero = -3, low = -128, high = 127,
       map = #qtensor.final<fixed<double>>}> -> tensor<1x32xi8>
  return %y : tensor<1x32xi8>
}

// CHECK-LABEL: func.func @lowest_weight(
// CHECK: kernel = "dsp.conv.wide"
func.func @lowest_weight(%x: tensor<1x32xi8>) -> tensor<1x8xi8> {
  %w = arith.constant dense<-128> : tensor<8x32xi8>
  %b = arith.constant dense<5> : tensor<8xi32>
  %m = arith.constant dense<1500000000> : tensor<8xi32>
  %s = arith.constant dense<-9> : tensor<8xi32>
  %0 = tensor.empty() : tensor<1x8xi8>
  %y = qnn.fully_connected ins(%x : tensor<1x32xi8>) weights(%w, %b, %m, %s : tensor<8x32xi8>, tensor<8xi32>, tensor<8xi32>, tensor<8xi32>)
       outs(%0 : tensor<1x8xi8>) <{input_zero = -7, output_zero = -3, low = -128, high = 127,
       map = #qtensor.final<fixed<double>>}> -> tensor<1x8xi8>
  return %y : tensor<1x8xi8>
}

// CHECK-LABEL: func.func @long_sums(
// CHECK: kernel = "dsp.conv.wide"
func.func @long_sums(%x: tensor<1x640xi8>) -> tensor<1x8xi8> {
  %w = arith.constant dense<127> : tensor<8x640xi8>
  %b = arith.constant dense<5> : tensor<8xi32>
  %m = arith.constant dense<1500000000> : tensor<8xi32>
  %s = arith.constant dense<-9> : tensor<8xi32>
  %0 = tensor.empty() : tensor<1x8xi8>
  %y = qnn.fully_connected ins(%x : tensor<1x640xi8>) weights(%w, %b, %m, %s : tensor<8x640xi8>, tensor<8xi32>, tensor<8xi32>, tensor<8xi32>)
       outs(%0 : tensor<1x8xi8>) <{input_zero = -7, output_zero = -3, low = -128, high = 127,
       map = #qtensor.final<fixed<double>>}> -> tensor<1x8xi8>
  return %y : tensor<1x8xi8>
}

// CHECK-LABEL: func.func @planes(
// CHECK: kernel = "dsp.depthwise"
func.func @planes(%x: tensor<1x4x4x8xi8>) -> tensor<1x4x4x8xi8> {
  %w = arith.constant dense<3> : tensor<3x3x8xi8>
  %b = arith.constant dense<5> : tensor<8xi32>
  %m = arith.constant dense<1500000000> : tensor<8xi32>
  %s = arith.constant dense<-9> : tensor<8xi32>
  %0 = tensor.empty() : tensor<1x4x4x8xi8>
  %y = qnn.depthwise_conv2d ins(%x : tensor<1x4x4x8xi8>) weights(%w, %b, %m, %s : tensor<3x3x8xi8>, tensor<8xi32>, tensor<8xi32>, tensor<8xi32>)
       outs(%0 : tensor<1x4x4x8xi8>) <{window = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, input_zero = -7, output_zero = -3, low = -128, high = 127,
       map = #qtensor.final<fixed<double>>}> -> tensor<1x4x4x8xi8>
  return %y : tensor<1x4x4x8xi8>
}

// CHECK-LABEL: func.func @odd_channels(
// CHECK: kernel = "scalar.depthwise"
func.func @odd_channels(%x: tensor<1x4x4x6xi8>) -> tensor<1x4x4x6xi8> {
  %w = arith.constant dense<3> : tensor<3x3x6xi8>
  %b = arith.constant dense<5> : tensor<6xi32>
  %m = arith.constant dense<1500000000> : tensor<6xi32>
  %s = arith.constant dense<-9> : tensor<6xi32>
  %0 = tensor.empty() : tensor<1x4x4x6xi8>
  %y = qnn.depthwise_conv2d ins(%x : tensor<1x4x4x6xi8>) weights(%w, %b, %m, %s : tensor<3x3x6xi8>, tensor<6xi32>, tensor<6xi32>, tensor<6xi32>)
       outs(%0 : tensor<1x4x4x6xi8>) <{window = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, input_zero = -7, output_zero = -3, low = -128, high = 127,
       map = #qtensor.final<fixed<double>>}> -> tensor<1x4x4x6xi8>
  return %y : tensor<1x4x4x6xi8>
}
