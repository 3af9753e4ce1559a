// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -verify-diagnostics

func.func @f(%x: tensor<?x8x8x3xi8>, %w: tensor<16x3x3x3xi8>, %b: tensor<16xi32>, %o: tensor<1x6x6x16xi8>) -> tensor<1x6x6x16xi8> {
  // expected-error @below {{shapes of layers are static}}
  %y = qnn.conv2d ins(%x : tensor<?x8x8x3xi8>) weights(%w, %b, %b, %b : tensor<16x3x3x3xi8>, tensor<16xi32>, tensor<16xi32>, tensor<16xi32>) outs(%o : tensor<1x6x6x16xi8>)
    <{window = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, input_zero = 0 : i64,
    output_zero = 0 : i64, low = -128 : i64, high = 127 : i64, map = #qtensor.final<fixed<double>>}> -> tensor<1x6x6x16xi8>
  return %y : tensor<1x6x6x16xi8>
}

// -----

func.func @f(%x: tensor<1x8x8x3xi8>, %w: tensor<16x3x3x3xi8>, %b: tensor<16xi32>, %o: tensor<1x6x7x16xi8>) -> tensor<1x6x7x16xi8> {
  // expected-error @below {{makes 7 windows along axis 1, the padded input has 6}}
  %y = qnn.conv2d ins(%x : tensor<1x8x8x3xi8>) weights(%w, %b, %b, %b : tensor<16x3x3x3xi8>, tensor<16xi32>, tensor<16xi32>, tensor<16xi32>) outs(%o : tensor<1x6x7x16xi8>)
    <{window = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, input_zero = 0 : i64,
    output_zero = 0 : i64, low = -128 : i64, high = 127 : i64, map = #qtensor.final<fixed<double>>}> -> tensor<1x6x7x16xi8>
  return %y : tensor<1x6x7x16xi8>
}

// -----

func.func @f(%x: tensor<1x8x8x3xi8>, %w: tensor<16x3x3x3xi8>, %b: tensor<16xi32>, %o: tensor<1x6x6x16xi8>) -> tensor<1x6x6x16xi8> {
  // expected-error @below {{a window, stride, dilation or padding out of range along axis 0}}
  %y = qnn.conv2d ins(%x : tensor<1x8x8x3xi8>) weights(%w, %b, %b, %b : tensor<16x3x3x3xi8>, tensor<16xi32>, tensor<16xi32>, tensor<16xi32>) outs(%o : tensor<1x6x6x16xi8>)
    <{window = array<i64: 3, 3>, strides = array<i64: 0, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, input_zero = 0 : i64,
    output_zero = 0 : i64, low = -128 : i64, high = 127 : i64, map = #qtensor.final<fixed<double>>}> -> tensor<1x6x6x16xi8>
  return %y : tensor<1x6x6x16xi8>
}

// -----

func.func @f(%x: tensor<1x8x8x3xi8>, %w: tensor<16x3x3x3xi8>, %b: tensor<16xi32>, %o: tensor<1x6x6x16xi8>) -> tensor<1x6x6x16xi8> {
  // expected-error @below {{a window, stride, dilation or padding out of range along axis 1}}
  %y = qnn.conv2d ins(%x : tensor<1x8x8x3xi8>) weights(%w, %b, %b, %b : tensor<16x3x3x3xi8>, tensor<16xi32>, tensor<16xi32>, tensor<16xi32>) outs(%o : tensor<1x6x6x16xi8>)
    <{window = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, -1, 0, 0>, input_zero = 0 : i64,
    output_zero = 0 : i64, low = -128 : i64, high = 127 : i64, map = #qtensor.final<fixed<double>>}> -> tensor<1x6x6x16xi8>
  return %y : tensor<1x6x6x16xi8>
}

// -----

func.func @f(%x: tensor<1x8x8x3xi8>, %w: tensor<16x3x3x3xi8>, %b: tensor<16xi32>, %o: tensor<1x6x6x16xi8>) -> tensor<1x6x6x16xi8> {
  // expected-error @below {{pads of 4}}
  %y = qnn.conv2d ins(%x : tensor<1x8x8x3xi8>) weights(%w, %b, %b, %b : tensor<16x3x3x3xi8>, tensor<16xi32>, tensor<16xi32>, tensor<16xi32>) outs(%o : tensor<1x6x6x16xi8>)
    <{window = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0>, input_zero = 0 : i64,
    output_zero = 0 : i64, low = -128 : i64, high = 127 : i64, map = #qtensor.final<fixed<double>>}> -> tensor<1x6x6x16xi8>
  return %y : tensor<1x6x6x16xi8>
}

// -----

func.func @f(%x: tensor<2x8x8x3xi8>, %w: tensor<16x3x3x3xi8>, %b: tensor<16xi32>, %o: tensor<1x6x6x16xi8>) -> tensor<1x6x6x16xi8> {
  // expected-error @below {{batches of 2 and 1}}
  %y = qnn.conv2d ins(%x : tensor<2x8x8x3xi8>) weights(%w, %b, %b, %b : tensor<16x3x3x3xi8>, tensor<16xi32>, tensor<16xi32>, tensor<16xi32>) outs(%o : tensor<1x6x6x16xi8>)
    <{window = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, input_zero = 0 : i64,
    output_zero = 0 : i64, low = -128 : i64, high = 127 : i64, map = #qtensor.final<fixed<double>>}> -> tensor<1x6x6x16xi8>
  return %y : tensor<1x6x6x16xi8>
}

// -----

func.func @f(%x: tensor<1x8x8x3xi8>, %w: tensor<16x3x3x4xi8>, %b: tensor<16xi32>, %o: tensor<1x6x6x16xi8>) -> tensor<1x6x6x16xi8> {
  // expected-error @below {{has weights of type}}
  %y = qnn.conv2d ins(%x : tensor<1x8x8x3xi8>) weights(%w, %b, %b, %b : tensor<16x3x3x4xi8>, tensor<16xi32>, tensor<16xi32>, tensor<16xi32>) outs(%o : tensor<1x6x6x16xi8>)
    <{window = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, input_zero = 0 : i64,
    output_zero = 0 : i64, low = -128 : i64, high = 127 : i64, map = #qtensor.final<fixed<double>>}> -> tensor<1x6x6x16xi8>
  return %y : tensor<1x6x6x16xi8>
}

// -----

func.func @f(%x: tensor<1x8x8x3xi8>, %w: tensor<16x3x3x3xi8>, %b: tensor<8xi32>, %o: tensor<1x6x6x16xi8>) -> tensor<1x6x6x16xi8> {
  // expected-error @below {{it needs 1 or 16 elements}}
  %y = qnn.conv2d ins(%x : tensor<1x8x8x3xi8>) weights(%w, %b, %b, %b : tensor<16x3x3x3xi8>, tensor<8xi32>, tensor<8xi32>, tensor<8xi32>) outs(%o : tensor<1x6x6x16xi8>)
    <{window = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, input_zero = 0 : i64,
    output_zero = 0 : i64, low = -128 : i64, high = 127 : i64, map = #qtensor.final<fixed<double>>}> -> tensor<1x6x6x16xi8>
  return %y : tensor<1x6x6x16xi8>
}

// -----

func.func @f(%x: tensor<1x8x8x3xi8>, %w: tensor<16x3x3x3xi8>, %b: tensor<16xi32>, %o: tensor<1x6x6x16xi8>) -> tensor<1x6x6x16xi8> {
  // expected-error @below {{clamps to [128, 127]}}
  %y = qnn.conv2d ins(%x : tensor<1x8x8x3xi8>) weights(%w, %b, %b, %b : tensor<16x3x3x3xi8>, tensor<16xi32>, tensor<16xi32>, tensor<16xi32>) outs(%o : tensor<1x6x6x16xi8>)
    <{window = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, input_zero = 0 : i64,
    output_zero = 0 : i64, low = 128 : i64, high = 127 : i64, map = #qtensor.final<fixed<double>>}> -> tensor<1x6x6x16xi8>
  return %y : tensor<1x6x6x16xi8>
}

// -----

func.func @f(%x: tensor<1x8x8x3xi8>, %w: tensor<3x3x16xi8>, %b: tensor<16xi32>, %o: tensor<1x6x6x16xi8>) -> tensor<1x6x6x16xi8> {
  // expected-error @below {{makes 16 channels of 3; the number must be a multiple}}
  %y = qnn.depthwise_conv2d ins(%x : tensor<1x8x8x3xi8>) weights(%w, %b, %b, %b : tensor<3x3x16xi8>, tensor<16xi32>, tensor<16xi32>, tensor<16xi32>) outs(%o : tensor<1x6x6x16xi8>)
    <{window = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, input_zero = 0 : i64,
    output_zero = 0 : i64, low = -128 : i64, high = 127 : i64, map = #qtensor.final<fixed<double>>}> -> tensor<1x6x6x16xi8>
  return %y : tensor<1x6x6x16xi8>
}

// -----

func.func @f(%x: tensor<8x8x3xi8>, %w: tensor<16x3x3x3xi8>, %b: tensor<16xi32>, %o: tensor<1x6x6x16xi8>) -> tensor<1x6x6x16xi8> {
  // expected-error @below {{takes 4}}
  %y = qnn.conv2d ins(%x : tensor<8x8x3xi8>) weights(%w, %b, %b, %b : tensor<16x3x3x3xi8>, tensor<16xi32>, tensor<16xi32>, tensor<16xi32>) outs(%o : tensor<1x6x6x16xi8>)
    <{window = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, input_zero = 0 : i64,
    output_zero = 0 : i64, low = -128 : i64, high = 127 : i64, map = #qtensor.final<fixed<double>>}> -> tensor<1x6x6x16xi8>
  return %y : tensor<1x6x6x16xi8>
}

// -----

func.func @constants(%x: tensor<2x64xi8>, %o: tensor<2x10xi8>) -> tensor<2x10xi8> {
  // expected-error @below {{has 0 constant operands; a layer without kernel has 4, one with a kernel has none}}
  %y = qnn.fully_connected ins(%x : tensor<2x64xi8>) outs(%o : tensor<2x10xi8>) <{input_zero = 0 : i64, output_zero = 0 : i64, low = -128 : i64,
    high = 127 : i64, map = #qtensor.final<fixed<double>>}> -> tensor<2x10xi8>
  return %y : tensor<2x10xi8>
}

// -----

func.func @rows(%x: tensor<3x64xi8>, %w: tensor<10x64xi8>, %b: tensor<1xi32>, %o: tensor<2x10xi8>) -> tensor<2x10xi8> {
  // expected-error @below {{has 3 rows of input, 2 of output}}
  %y = qnn.fully_connected ins(%x : tensor<3x64xi8>) weights(%w, %b, %b, %b : tensor<10x64xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%o : tensor<2x10xi8>) <{input_zero = 0 : i64, output_zero = 0 : i64, low = -128 : i64, high = 127 : i64,
    map = #qtensor.final<fixed<double>>}> -> tensor<2x10xi8>
  return %y : tensor<2x10xi8>
}

// -----

func.func @mean(%i: tensor<1x4x4x8xi8>, %p: tensor<1x2x2x8xi8>) -> tensor<1x2x2x8xi8> {
  // expected-error @below {{has a mean; it is of codes of 8 bits, of windows of less than 2^23 codes, and no maximum}}
  %q = qnn.pool2d ins(%i : tensor<1x4x4x8xi8>) outs(%p : tensor<1x2x2x8xi8>) <{window = array<i64: 2, 2>, strides = array<i64: 2, 2>,
    dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, max, mean = #qnn.mean<input_zero = 0, multiple = 0,
    multiplier = 1073741824, shift = -2, output_zero = 0, map = #qtensor.final<fixed<double>>>, low = -128 : i64, high = 127 : i64}>
    -> tensor<1x2x2x8xi8>
  return %q : tensor<1x2x2x8xi8>
}

// -----

// expected-error @below {{a mean has an input_zero in [-128, 127] and a multiple in [0, 2^23)}}
#mean = #qnn.mean<input_zero = 128, multiple = 0, multiplier = 1, shift = 0, output_zero = 0, map = #qtensor.final<fixed<double>>>

// -----

// expected-error @below {{a mean has a map of fixed<double> or fixed<single> and a multiplier in [0, 2^31)}}
#mean = #qnn.mean<input_zero = 0, multiple = 0, multiplier = 1, shift = 0, output_zero = 0, map = #qtensor.final<fixed<x16>>>

// -----

func.func @channels(%i: tensor<1x4x4x8xi8>, %p: tensor<1x2x2x4xi8>) -> tensor<1x2x2x4xi8> {
  // expected-error @below {{has 8 channels of input, 4 of output}}
  %q = qnn.pool2d ins(%i : tensor<1x4x4x8xi8>) outs(%p : tensor<1x2x2x4xi8>) <{window = array<i64: 2, 2>, strides = array<i64: 2, 2>,
    dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, low = -128 : i64, high = 127 : i64}> -> tensor<1x2x2x4xi8>
  return %q : tensor<1x2x2x4xi8>
}

// -----

func.func @numbers(%y: tensor<2x10xi8>) -> tensor<2x10xi8> {
  // expected-error @below {{has 2 zeros, 3 multipliers and 3 shifts}}
  %a = qnn.add ins(%y, %y : tensor<2x10xi8>, tensor<2x10xi8>) outs(%y : tensor<2x10xi8>) <{zeros = array<i64: 0>, left_shift = 20 : i64,
    multipliers = array<i64: 1, 1, 1>, shifts = array<i64: 0, 0, 0>, output_zero = 0 : i64, low = -128 : i64, high = 127 : i64,
    map = #qtensor.final<fixed<double>>}> -> tensor<2x10xi8>
  return %a : tensor<2x10xi8>
}

// -----

func.func @shapes(%x: tensor<2x10xi8>, %y: tensor<10xi8>) -> tensor<2x10xi8> {
  // expected-error @below {{adds shapes that differ}}
  %a = qnn.add ins(%x, %y : tensor<2x10xi8>, tensor<10xi8>) outs(%x : tensor<2x10xi8>) <{zeros = array<i64: 0, 0>, left_shift = 20 : i64,
    multipliers = array<i64: 1, 1, 1>, shifts = array<i64: 0, 0, 0>, output_zero = 0 : i64, low = -128 : i64, high = 127 : i64,
    map = #qtensor.final<fixed<double>>}> -> tensor<2x10xi8>
  return %a : tensor<2x10xi8>
}

// -----

func.func @table(%x: tensor<2x10xi8>, %t: tensor<16xi32>) -> tensor<2x10xi8> {
  // expected-error @below {{has a table of 256 terms}}
  %s = qnn.softmax ins(%x : tensor<2x10xi8>) weights(%t : tensor<16xi32>) outs(%x : tensor<2x10xi8>)
    <{low = -128 : i64, high = 127 : i64}> -> tensor<2x10xi8>
  return %s : tensor<2x10xi8>
}

// -----

func.func @f(%x: tensor<1x40xi8>, %w: tensor<3x40xi8>, %b: tensor<1xi32>, %f: tensor<3x2xi32>, %o: tensor<1x3xi8>) -> tensor<1x3xi8> {
  // expected-error @below {{has 4 constant operands; a layer without kernel has 5}}
  %y = qnn.fully_connected ins(%x : tensor<1x40xi8>) weights(%w, %b, %b, %b : tensor<3x40xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%o : tensor<1x3xi8>) <{input_zero = 0 : i64, output_zero = 0 : i64, low = -128 : i64, high = 127 : i64,
    groups = array<i64: 32>, map = #qtensor.final<fixed<x16>>}> -> tensor<1x3xi8>
  return %y : tensor<1x3xi8>
}

// -----

func.func @f(%x: tensor<1x40xi8>, %w: tensor<3x40xi8>, %b: tensor<1xi32>, %f: tensor<3x3xi32>, %o: tensor<1x3xi8>) -> tensor<1x3xi8> {
  // expected-error @below {{has factors of type 'tensor<3x3xi32>', its groups need i32 of the shape [3, 2]}}
  %y = qnn.fully_connected ins(%x : tensor<1x40xi8>) weights(%w, %b, %b, %b, %f : tensor<3x40xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>, tensor<3x3xi32>)
    outs(%o : tensor<1x3xi8>) <{input_zero = 0 : i64, output_zero = 0 : i64, low = -128 : i64, high = 127 : i64,
    groups = array<i64: 32>, map = #qtensor.final<fixed<x16>>}> -> tensor<1x3xi8>
  return %y : tensor<1x3xi8>
}

// -----

func.func @f(%x: tensor<1x40xi8>, %w: tensor<3x40xi8>, %b: tensor<1xi32>, %f: tensor<3x2xi32>, %o: tensor<1x3xi8>) -> tensor<1x3xi8> {
  // expected-error @below {{has groups of [0]; they have 1 extents of at least 1}}
  %y = qnn.fully_connected ins(%x : tensor<1x40xi8>) weights(%w, %b, %b, %b, %f : tensor<3x40xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>, tensor<3x2xi32>)
    outs(%o : tensor<1x3xi8>) <{input_zero = 0 : i64, output_zero = 0 : i64, low = -128 : i64, high = 127 : i64,
    groups = array<i64: 0>, map = #qtensor.final<fixed<x16>>}> -> tensor<1x3xi8>
  return %y : tensor<1x3xi8>
}

// -----

func.func @f(%x: tensor<1x40xi8>, %w: tensor<3x40xi8>, %b: tensor<1xi32>, %f: tensor<3x2xi32>, %o: tensor<1x3xi8>) -> tensor<1x3xi8> {
  // expected-error @below {{products with factors need fixed<x16>}}
  %y = qnn.fully_connected ins(%x : tensor<1x40xi8>) weights(%w, %b, %b, %b, %f : tensor<3x40xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>, tensor<3x2xi32>)
    outs(%o : tensor<1x3xi8>) <{input_zero = 0 : i64, output_zero = 0 : i64, low = -128 : i64, high = 127 : i64,
    groups = array<i64: 32>, map = #qtensor.final<fixed<double>>}> -> tensor<1x3xi8>
  return %y : tensor<1x3xi8>
}

// -----

func.func @f(%x: tensor<1x8x8x6xi8>, %w: tensor<16x3x3x2xi8>, %b: tensor<16xi32>, %o: tensor<1x6x6x16xi8>) -> tensor<1x6x6x16xi8> {
  // expected-error @below {{has 3 groups of channels, which must divide the 6 it reads and the 16 it makes}}
  %y = qnn.conv2d ins(%x : tensor<1x8x8x6xi8>) weights(%w, %b, %b, %b : tensor<16x3x3x2xi8>, tensor<16xi32>, tensor<16xi32>, tensor<16xi32>) outs(%o : tensor<1x6x6x16xi8>)
    <{window = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, input_zero = 0 : i64,
    channel_groups = 3 : i64, output_zero = 0 : i64, low = -128 : i64, high = 127 : i64, map = #qtensor.final<fixed<double>>}> -> tensor<1x6x6x16xi8>
  return %y : tensor<1x6x6x16xi8>
}

// -----

func.func @f(%x: tensor<1x8x8x6xi8>, %w: tensor<16x3x3x6xi8>, %b: tensor<16xi32>, %o: tensor<1x6x6x16xi8>) -> tensor<1x6x6x16xi8> {
  // expected-error @below {{has 0 groups of channels, which must divide the 6 it reads and the 16 it makes}}
  %y = qnn.conv2d ins(%x : tensor<1x8x8x6xi8>) weights(%w, %b, %b, %b : tensor<16x3x3x6xi8>, tensor<16xi32>, tensor<16xi32>, tensor<16xi32>) outs(%o : tensor<1x6x6x16xi8>)
    <{window = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, input_zero = 0 : i64,
    channel_groups = 0 : i64, output_zero = 0 : i64, low = -128 : i64, high = 127 : i64, map = #qtensor.final<fixed<double>>}> -> tensor<1x6x6x16xi8>
  return %y : tensor<1x6x6x16xi8>
}

// -----

func.func @f(%x: tensor<1x8x8x6xi8>, %w: tensor<16x3x3x6xi8>, %b: tensor<16xi32>, %o: tensor<1x6x6x16xi8>) -> tensor<1x6x6x16xi8> {
  // expected-error @below {{the layer needs the shape [16, 3, 3, 3]}}
  %y = qnn.conv2d ins(%x : tensor<1x8x8x6xi8>) weights(%w, %b, %b, %b : tensor<16x3x3x6xi8>, tensor<16xi32>, tensor<16xi32>, tensor<16xi32>) outs(%o : tensor<1x6x6x16xi8>)
    <{window = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, input_zero = 0 : i64,
    channel_groups = 2 : i64, output_zero = 0 : i64, low = -128 : i64, high = 127 : i64, map = #qtensor.final<fixed<double>>}> -> tensor<1x6x6x16xi8>
  return %y : tensor<1x6x6x16xi8>
}

// -----

func.func @f(%x: tensor<1x8x8x6xi8>, %w: tensor<16x3x3x3xi8>, %b: tensor<16xi32>, %o: tensor<1x6x6x16xi8>) -> tensor<1x6x6x16xi8> {
  // expected-error @below {{constant operands; a layer without kernel has 5}}
  %y = qnn.conv2d ins(%x : tensor<1x8x8x6xi8>) weights(%w, %b, %b, %b : tensor<16x3x3x3xi8>, tensor<16xi32>, tensor<16xi32>, tensor<16xi32>) outs(%o : tensor<1x6x6x16xi8>)
    <{window = array<i64: 3, 3>, strides = array<i64: 1, 1>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, input_zero = 0 : i64,
    channel_groups = 2 : i64, groups = array<i64: 1, 1, 3>, output_zero = 0 : i64, low = -128 : i64, high = 127 : i64, map = #qtensor.final<fixed<double>>}> -> tensor<1x6x6x16xi8>
  return %y : tensor<1x6x6x16xi8>
}

// -----

func.func @f(%x: tensor<1x4x4x8xi8>, %f: tensor<1x1x4x1xi8>) -> tensor<1x4x4x8xi8> {
  // expected-error @below {{multiplies the shapes [1, 4, 4, 8] and [1, 1, 4, 1] to [1, 4, 4, 8]; the first is the result's, the second may be 1 along neighbouring dimensions}}
  %y = qnn.mul ins(%x, %f : tensor<1x4x4x8xi8>, tensor<1x1x4x1xi8>) outs(%x : tensor<1x4x4x8xi8>) <{zeros = array<i64: 0, 0>, multiplier = 1073741824 : i64,
    shift = -7 : i64, output_zero = 0 : i64, low = -128 : i64, high = 127 : i64, map = #qtensor.final<fixed<double>>}> -> tensor<1x4x4x8xi8>
  return %y : tensor<1x4x4x8xi8>
}

// -----

func.func @f(%x: tensor<1x4x4x8xi8>) -> tensor<1x4x4x8xi8> {
  // expected-error @below {{has 2 zeros, of 16 bits at most}}
  %y = qnn.mul ins(%x, %x : tensor<1x4x4x8xi8>, tensor<1x4x4x8xi8>) outs(%x : tensor<1x4x4x8xi8>) <{zeros = array<i64: 0>, multiplier = 1073741824 : i64,
    shift = -7 : i64, output_zero = 0 : i64, low = -128 : i64, high = 127 : i64, map = #qtensor.final<fixed<double>>}> -> tensor<1x4x4x8xi8>
  return %y : tensor<1x4x4x8xi8>
}

// -----

func.func @f(%x: tensor<1x4x4x8xi8>) -> tensor<1x4x4x8xi8> {
  // expected-error @below {{has a multiplier and a shift of 32 bits}}
  %y = qnn.mul ins(%x, %x : tensor<1x4x4x8xi8>, tensor<1x4x4x8xi8>) outs(%x : tensor<1x4x4x8xi8>) <{zeros = array<i64: 0, 0>, multiplier = 2147483648 : i64,
    shift = -7 : i64, output_zero = 0 : i64, low = -128 : i64, high = 127 : i64, map = #qtensor.final<fixed<double>>}> -> tensor<1x4x4x8xi8>
  return %y : tensor<1x4x4x8xi8>
}
