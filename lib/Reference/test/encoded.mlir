// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: qtensor-interpret %s
// Encoded tensors: what quantize, assemble, component and reads mean.

#i8 = #qtensor.block<codec<8, int<signed>>, [1, 2], scale = f32>
#static = #qtensor.block<codec<8, int<signed>>, [?, ?], scale = 0.5, zero = 3.0>
#asym = #qtensor.block<codec<4, int<unsigned>>, [1, 4], scale = f16, zero = codec<4, int<unsigned>>, offset = f32[?, ?]>
#double = #qtensor.block<codec<4, int<offset 8>>, [1, 2], scale = block<codec<8, int<signed>>, [1, 2], scale = f32>>
#e2m1 = #qtensor.block<codec<4, fp<2, 1, bias 1, finite, sign>>, [?]>
#table = #qtensor.block<codec<2, table<[-1.0, -0.25, 0.5, 1.0]>, tie = low>, [?]>
#e4m3 = #qtensor.block<codec<8, fp<4, 3, bias 7, fn, sign>>, [?]>
#e8m0 = #qtensor.block<codec<8, fp<8, 0, bias 127, finite>, nan = 255>, [?]>
#narrow = #qtensor.block<codec<4, int<signed>, narrow, tie = away>, [?]>

// Two blocks: largest magnitudes 127 and 254; ties go to even; the second row is all zero.
func.func @absmax(%x: tensor<2x3xf32>) -> (tensor<2x3xi8>, tensor<2x2xf32>, tensor<2x3xf32>) attributes {
    inputs = [dense<[[127.0, 0.5, -254.0], [0.0, 0.0, 0.0]]> : tensor<2x3xf32>],
    expect = [dense<[[127, 0, -127], [0, 0, 0]]> : tensor<2x3xi8>, dense<[[1.0, 2.0], [0.0, 0.0]]> : tensor<2x2xf32>,
              dense<[[127.0, 0.0, -254.0], [0.0, 0.0, 0.0]]> : tensor<2x3xf32>]} {
  %q = qtensor.quantize %x : tensor<2x3xf32> -> tensor<2x3xf32, #i8>
  %c = qtensor.component %q "codes" : tensor<2x3xf32, #i8> -> tensor<2x3xi8>
  %s = qtensor.component %q "scale" : tensor<2x3xf32, #i8> -> tensor<2x2xf32>
  %d = qtensor.dequantize %q : tensor<2x3xf32, #i8> -> tensor<2x3xf32>
  return %c, %s, %d : tensor<2x3xi8>, tensor<2x2xf32>, tensor<2x3xf32>
}
// 0.25/0.5 is a tie; infinities and large values saturate; NaN takes the code of zero.
func.func @static(%x: tensor<1x6xf32>) -> (tensor<1x6xi8>, tensor<1x6xf32>) attributes {
    inputs = [dense<[[0.25, 0.75, 1000.0, 0xFF800000, 0x7FC00000, -1.0]]> : tensor<1x6xf32>],
    expect = [dense<[[3, 5, 127, -128, 3, 1]]> : tensor<1x6xi8>,
              dense<[[0.0, 1.0, 62.0, -65.5, 0.0, -1.0]]> : tensor<1x6xf32>]} {
  %q = qtensor.quantize %x : tensor<1x6xf32> -> tensor<1x6xf32, #static>
  %c = qtensor.component %q "codes" : tensor<1x6xf32, #static> -> tensor<1x6xi8>
  %d = qtensor.dequantize %q : tensor<1x6xf32, #static> -> tensor<1x6xf32>
  return %c, %d : tensor<1x6xi8>, tensor<1x6xf32>
}
// A read inside of a linalg op sees the values: 0.5 * (code - zero) + 100.
func.func @read(%c: tensor<1x5xi8>, %s: tensor<1x2xf16>, %z: tensor<1x2xi8>, %o: tensor<1x1xf32>) -> tensor<1x5xf32> attributes {
    inputs = [dense<[[0, 1, 15, 9, 9]]> : tensor<1x5xi8>, dense<[[0.5, 2.0]]> : tensor<1x2xf16>,
              dense<[[1, 8]]> : tensor<1x2xi8>, dense<100.0> : tensor<1x1xf32>],
    expect = [dense<[[199.0, 200.0, 214.0, 208.0, 204.0]]> : tensor<1x5xf32>]} {
  %w = qtensor.assemble %c, %s, %z, %o : tensor<1x5xi8>, tensor<1x2xf16>, tensor<1x2xi8>, tensor<1x1xf32> -> tensor<1x5xf32, #asym>
  %e = tensor.empty() : tensor<1x5xf32>
  %0 = linalg.add ins(%w, %w : tensor<1x5xf32, #asym>, tensor<1x5xf32, #asym>) outs(%e : tensor<1x5xf32>) -> tensor<1x5xf32>
  return %0 : tensor<1x5xf32>
}
// Scales that are encoded themselves: 8-bit codes times a scale.
func.func @double(%c: tensor<1x5xi8>, %sc: tensor<1x3xi8>, %ss: tensor<1x2xf32>) -> tensor<1x5xf32> attributes {
    inputs = [dense<[[9, 10, 7, 0, 15]]> : tensor<1x5xi8>, dense<[[2, -4, 100]]> : tensor<1x3xi8>,
              dense<[[0.5, 0.25]]> : tensor<1x2xf32>],
    expect = [dense<[[1.0, 2.0, 2.0, 16.0, 175.0]]> : tensor<1x5xf32>]} {
  %w = qtensor.assemble %c, %sc, %ss : tensor<1x5xi8>, tensor<1x3xi8>, tensor<1x2xf32> -> tensor<1x5xf32, #double>
  %d = qtensor.dequantize %w : tensor<1x5xf32, #double> -> tensor<1x5xf32>
  return %d : tensor<1x5xf32>
}
// 2.5 lies between 2 (code 4) and 3 (code 5): even code. 0.25 between 0 and 0.5. The sign of zero is kept.
func.func @small_float(%x: tensor<8xf32>) -> tensor<8xi8> attributes {
    inputs = [dense<[2.5, -2.5, 0.25, 7.0, -100.0, 0x7FC00000, -0.0, 5.0]> : tensor<8xf32>],
    expect = [dense<[4, 12, 0, 7, 15, 0, 8, 6]> : tensor<8xi8>]} {
  %q = qtensor.quantize %x : tensor<8xf32> -> tensor<8xf32, #e2m1>
  %c = qtensor.component %q "codes" : tensor<8xf32, #e2m1> -> tensor<8xi8>
  return %c : tensor<8xi8>
}
func.func @table(%x: tensor<4xf32>) -> (tensor<4xi8>, tensor<4xf32>) attributes {
    inputs = [dense<[-0.625, 0.125, 0.75, 9.0]> : tensor<4xf32>],
    expect = [dense<[0, 1, 2, 3]> : tensor<4xi8>, dense<[-1.0, -0.25, 0.5, 1.0]> : tensor<4xf32>]} {
  %q = qtensor.quantize %x : tensor<4xf32> -> tensor<4xf32, #table>
  %c = qtensor.component %q "codes" : tensor<4xf32, #table> -> tensor<4xi8>
  %d = qtensor.dequantize %q : tensor<4xf32, #table> -> tensor<4xf32>
  return %c, %d : tensor<4xi8>, tensor<4xf32>
}
func.func @fp8(%x: tensor<5xf32>) -> tensor<5xi8> attributes {
    inputs = [dense<[448.0, 464.0, 1.0e9, 0x7FC00000, -0.001953125]> : tensor<5xf32>],
    expect = [dense<[0x7E, 0x7E, 0x7E, 0x7F, -127]> : tensor<5xi8>]} {
  %q = qtensor.quantize %x : tensor<5xf32> -> tensor<5xf32, #e4m3>
  %c = qtensor.component %q "codes" : tensor<5xf32, #e4m3> -> tensor<5xi8>
  return %c : tensor<5xi8>
}
func.func @exponents(%c: tensor<4xi8>) -> tensor<4xf32> attributes {
    inputs = [dense<[127, 128, 0, -1]> : tensor<4xi8>],
    expect = [dense<[1.0, 2.0, 0x00400000, 0x7FC00000]> : tensor<4xf32>]} {
  %q = qtensor.assemble %c : tensor<4xi8> -> tensor<4xf32, #e8m0>
  %d = qtensor.dequantize %q : tensor<4xf32, #e8m0> -> tensor<4xf32>
  return %d : tensor<4xf32>
}
func.func @narrow(%x: tensor<4xf32>) -> tensor<4xi8> attributes {
    inputs = [dense<[-8.0, 0.5, -0.5, 7.5]> : tensor<4xf32>], expect = [dense<[-7, 1, -1, 7]> : tensor<4xi8>]} {
  %q = qtensor.quantize %x : tensor<4xf32> -> tensor<4xf32, #narrow>
  %c = qtensor.component %q "codes" : tensor<4xf32, #narrow> -> tensor<4xi8>
  return %c : tensor<4xi8>
}
func.func @given(%x: tensor<1x4xf32>, %s: tensor<1x2xf32>) -> tensor<1x4xi8> attributes {
    inputs = [dense<[[1.0, 2.0, 3.0, 4.0]]> : tensor<1x4xf32>, dense<[[0.5, 0.0]]> : tensor<1x2xf32>],
    expect = [dense<[[2, 4, 0, 0]]> : tensor<1x4xi8>]} {
  %q = qtensor.quantize %x params(%s : tensor<1x2xf32>) : tensor<1x4xf32> -> tensor<1x4xf32, #i8>
  %c = qtensor.component %q "codes" : tensor<1x4xf32, #i8> -> tensor<1x4xi8>
  return %c : tensor<1x4xi8>
}
// A cache write encodes its own blocks; slices and reshapes move components.
func.func @cache(%x: tensor<1x4xf32>, %t: index) -> (tensor<3x4xi8>, tensor<1x2xf32>, tensor<3x4x1xf32>) attributes {
    inputs = [dense<[[127.0, -127.0, 254.0, 2.0]]> : tensor<1x4xf32>, 1 : index],
    expect = [dense<[[0, 0, 0, 0], [127, -127, 127, 1], [0, 0, 0, 0]]> : tensor<3x4xi8>, dense<[[254.0, 2.0]]> : tensor<1x2xf32>,
              dense<[[[0.0], [0.0], [0.0], [0.0]], [[127.0], [-127.0], [254.0], [2.0]], [[0.0], [0.0], [0.0], [0.0]]]> : tensor<3x4x1xf32>]} {
  %empty = tensor.empty() : tensor<3x4xf32, #i8>
  %0 = qtensor.insert %x into %empty[%t, 0] [1, 4] [1, 1] : tensor<1x4xf32> into tensor<3x4xf32, #i8>
  %c = qtensor.component %0 "codes" : tensor<3x4xf32, #i8> -> tensor<3x4xi8>
  %slice = tensor.extract_slice %0[1, 2] [1, 2] [1, 1] : tensor<3x4xf32, #i8> to tensor<1x2xf32, #i8>
  %1 = qtensor.dequantize %slice : tensor<1x2xf32, #i8> -> tensor<1x2xf32>
  %expanded = tensor.expand_shape %0 [[0], [1, 2]] output_shape [3, 4, 1] : tensor<3x4xf32, #i8>
      into tensor<3x4x1xf32, #qtensor.block<codec<8, int<signed>>, [1, 2, 1], scale = f32>>
  %2 = qtensor.dequantize %expanded : tensor<3x4x1xf32, #qtensor.block<codec<8, int<signed>>, [1, 2, 1], scale = f32>> -> tensor<3x4x1xf32>
  return %c, %1, %2 : tensor<3x4xi8>, tensor<1x2xf32>, tensor<3x4x1xf32>
}
// On components: the same codes and scales, and sums of every block.
func.func @encode(%x: tensor<1x4xf32>) -> (tensor<1x4xi8>, tensor<1x2xf32>, tensor<1x2xi32>, tensor<1x4xf32>) attributes {
    inputs = [dense<[[127.0, 3.0, 254.0, -100.0]]> : tensor<1x4xf32>],
    expect = [dense<[[127, 3, 127, -50]]> : tensor<1x4xi8>, dense<[[1.0, 2.0]]> : tensor<1x2xf32>,
              dense<[[130, 77]]> : tensor<1x2xi32>, dense<[[127.0, 3.0, 254.0, -100.0]]> : tensor<1x4xf32>]} {
  %c0 = tensor.empty() : tensor<1x4xi8>
  %s0 = tensor.empty() : tensor<1x2xf32>
  %t0 = tensor.empty() : tensor<1x2xi32>
  %c, %s, %t = qtensor.encode %x as <codec<8, int<signed>>, [1, 2], scale = f32> sums
      outs(%c0, %s0, %t0 : tensor<1x4xi8>, tensor<1x2xf32>, tensor<1x2xi32>) : tensor<1x4xf32>
      -> tensor<1x4xi8>, tensor<1x2xf32>, tensor<1x2xi32>
  %d0 = tensor.empty() : tensor<1x4xf32>
  %d = qtensor.decode %c, %s as <codec<8, int<signed>>, [1, 2], scale = f32> outs(%d0 : tensor<1x4xf32>)
      : tensor<1x4xi8>, tensor<1x2xf32> -> tensor<1x4xf32>
  return %c, %s, %t, %d : tensor<1x4xi8>, tensor<1x2xf32>, tensor<1x2xi32>, tensor<1x4xf32>
}
