// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Every form of the codec, parameter, encoding, layout and format attributes prints as it was written, in bytecode too.
// RUN: quant-opt %s | FileCheck %s
// RUN: quant-opt %s | quant-opt | FileCheck %s
// RUN: quant-opt %s --emit-bytecode | quant-opt | FileCheck %s

// Encodings have aliases, so that a nested type prints in one short line.
// CHECK: #block = #qtensor.block<int8, [?, ?], scale = 5.000000e-02, zero = 3.000000e+00>
// CHECK: #block1 = #qtensor.block<int4, [1, 32], scale = f16>
// CHECK: #block2 = #qtensor.block<uint4, [1, 32], scale = bf16, zero = uint4>
// CHECK: #block3 = #qtensor.block<nf4, [1, 64], scale = block<dynamic8, [4, 64], scale = f32, offset = f32[?, ?]>>
// CHECK: #block4 = #qtensor.block<uint4, [1, 32], scale = block<uint6, [1, 8], scale = f16>, offset = neg block<uint6, [1, 8], scale = f16>>
// CHECK: #block5 = #qtensor.block<int4, [8], scale = e8m0>

// Codecs: a name is a spelling, and what has one prints under it inside other attributes.
// CHECK-LABEL: @codecs
func.func private @codecs() attributes {
  // CHECK-SAME: t00 = #qtensor.codec<4, int<signed>>
  t00 = #qtensor.codec<4, int<signed>>,
  // CHECK-SAME: t01 = #qtensor.codec<4, int<signed>, narrow>
  t01 = #qtensor.codec<4, int<signed>, narrow>,
  // CHECK-SAME: t02 = #qtensor.codec<5, int<offset 16>, tie = up, amax = 7.000000e+00>
  t02 = #qtensor.codec<5, int<offset 16>, tie = up, amax = 7.0>,
  // CHECK-SAME: t03 = #qtensor.codec<4, fp<2, 1, bias 1, finite, sign>>
  t03 = #qtensor.codec<4, fp<2, 1, bias 1, finite, sign>>,
  // CHECK-SAME: t04 = #qtensor.codec<8, fp<8, 0, bias 127, finite>, nan = 255>
  t04 = #qtensor.codec<8, fp<8, 0, bias 127, finite>, nan = 255>,
  // A free codebook; entries are rounded to f32.
  // CHECK-SAME: t05 = #qtensor.codec<2, table<[-1.000000e+00, -2.500000e-01, 0.3333333432674408, 2.000000e+00]>, tie = low>
  t05 = #qtensor.codec<2, table<[-1, -0.25, 0.3333333333333333, 2]>, tie = low>}

// CHECK-LABEL: @blocks
// CHECK-SAME: %arg3: tensor<8x64xf32, #block3>
func.func @blocks(
    %per_tensor: tensor<4x64xf32, #qtensor.block<int8, [?, ?], scale = 0.05, zero = 3.0>>,
    %blocked: tensor<4x64xf32, #qtensor.block<int4, [1, 32], scale = f16>>,
    %affine: tensor<4x64xf32, #qtensor.block<uint4, [1, 32], scale = bf16, zero = uint4>>,
    %two: tensor<8x64xf32, #qtensor.block<nf4, [1, 64], scale = block<dynamic8, [4, 64], scale = f32, offset = f32[?, ?]>>>,
    %super: tensor<8x256xf32, #qtensor.block<uint4, [1, 32], scale = block<uint6, [1, 8], scale = f16>,
                                             offset = neg block<uint6, [1, 8], scale = f16>>>,
    %named: tensor<8xf32, #qtensor.block<codec<4, int<signed>>, [8], scale = e8m0>>) {
  return
}

// Layouts and formats.
// CHECK-LABEL: @formats
func.func private @formats() attributes {
  // CHECK-SAME: a = #qtensor.layout<[1, 32] in 18, scale = [16 : (d0) -> (0)], codes = [4 : (d0) -> ((d0 mod 16) * 8 + (d0 floordiv 16) * 4 + 16)]>
  a = #qtensor.layout<[1, 32] in 18, scale = [16 : (i) -> (0)],
                      codes = [4 : (i) -> ((i mod 16) * 8 + (i floordiv 16) * 4 + 16)]>,
  // CHECK-SAME: b = #qtensor.layout<whole word 32, codes in "q" plus -1 xor 8 = [3 : (d0, d1)[s0, s1] -> (d0 * s1 + d1), 1 : (d0) -> (d0)]>
  b = #qtensor.layout<whole word 32, codes in "q" plus -1 xor 8 = [3 : (k, n)[K, N] -> (k * N + n), 1 : (i) -> (i)]>,
  // CHECK-SAME: c = #qtensor.layout<[1, 5] in 1, codes = [digit 3 of 5 : (d0) -> (0, d0) for 0 to 5]>
  c = #qtensor.layout<[1, 5] in 1, codes = [digit 3 of 5 : (i) -> (0, i) for 0 to 5]>,
  // CHECK-SAME: d = #qtensor.format<block<int4, [1, 32], scale = f16>, encoder = "absmax", sized, flat, aliases = {other = "INT4"}, summary = "four bits">
  d = #qtensor.format<block<int4, [1, 32], scale = f16>, encoder = "absmax", sized, flat, aliases = {other = "INT4"},
                      summary = "four bits">}
