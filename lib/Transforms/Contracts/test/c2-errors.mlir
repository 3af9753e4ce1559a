// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --verify-diagnostics --verify-contract-c2

#x = #qtensor.block<codec<8, int<signed>>, [?, ?], scale = 0.5>
func.func @c2_2(%x: tensor<4x8xf32, #x>) {
  // expected-error @+1 {{contract clause C2.2: 'arith.negf' makes an encoded tensor, which only qtensor ops may}}
  %0 = arith.negf %x : tensor<4x8xf32, #x>
  return
}

// -----

#x = #qtensor.block<codec<8, int<signed>>, [?, ?], scale = 0.5>
func.func @c2_3(%x: tensor<4x8xf32>) {
  %e = tensor.empty() : tensor<4x8xf32, #x>
  // expected-error @+1 {{contract clause C2.3: 'linalg.exp' has an encoded destination; compute plain values and quantize them}}
  %0 = linalg.exp ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32, #x>) -> tensor<4x8xf32, #x>
  return
}

// -----

#x = #qtensor.block<codec<8, int<signed>>, [?, ?], scale = 0.5>
#y = #qtensor.block<codec<8, int<signed>>, [?, ?], scale = 0.25>
func.func @c2_4(%x: tensor<4x8xf32, #x>) {
  // expected-error @+1 {{contract clause C2.4: a slice keeps the encoding}}
  %0 = tensor.extract_slice %x[0, 0] [4, 8] [1, 1] : tensor<4x8xf32, #x> to tensor<4x8xf32, #y>
  return
}

// -----

#x = #qtensor.block<codec<8, int<signed>>, [1, 4], scale = f32>
#y = #qtensor.block<codec<8, int<signed>>, [1, 1, 2], scale = f32>
func.func @c2_4_reshape(%x: tensor<4x8xf32, #x>) {
  // expected-error @+1 {{contract clause C2.4: a reshape keeps the encoding: expected}}
  %0 = tensor.expand_shape %x [[0, 1], [2]] output_shape [2, 2, 8] : tensor<4x8xf32, #x> into tensor<2x2x8xf32, #y>
  return
}

// -----

#x = #qtensor.block<codec<8, int<signed>>, [?, ?], scale = 0.5>
func.func @c2_5() {
  // expected-error @+1 {{contract clause C2.5: there is no constant of encoded type; assemble it of constant components}}
  %0 = arith.constant dense<1.0> : tensor<4x8xf32, #x>
  return
}

// -----

#x = #qtensor.block<codec<8, int<signed>>, [1, 4], scale = f32>
func.func @c2_6_stride(%x: tensor<4x8xf32, #x>) {
  // expected-error @+1 {{contract clause C2.6: slices of encoded tensors have unit strides, dimension 0 has not}}
  %0 = tensor.extract_slice %x[0, 0] [2, 8] [2, 1] : tensor<4x8xf32, #x> to tensor<2x8xf32, #x>
  return
}

// -----

#x = #qtensor.block<codec<8, int<signed>>, [1, 4], scale = f32>
func.func @c2_6_offset(%x: tensor<4x8xf32, #x>, %i: index) {
  // expected-error @+1 {{contract clause C2.6: the offset in dimension 1 is not provably a multiple of the block}}
  %0 = tensor.extract_slice %x[0, %i] [4, 4] [1, 1] : tensor<4x8xf32, #x> to tensor<4x4xf32, #x>
  return
}

// -----

#x = #qtensor.block<codec<8, int<signed>>, [1, 4], scale = f32>
func.func @c2_6_size(%x: tensor<4x8xf32, #x>) {
  // expected-error @+1 {{contract clause C2.6: the size in dimension 1 is not provably a multiple of the block and does not reach the end}}
  %0 = tensor.extract_slice %x[0, 4] [4, 2] [1, 1] : tensor<4x8xf32, #x> to tensor<4x2xf32, #x>
  return
}

// -----

// Four rows share a scale of scales.
#s = #qtensor.block<codec<8, int<unsigned>>, [4, 2], scale = f32, offset = f32[?, ?]>
#x = #qtensor.block<codec<8, int<signed>>, [1, 4], scale = #s>
func.func @c2_6_nested_offset(%x: tensor<8x8xf32, #x>) {
  // expected-error @+1 {{contract clause C2.6: the offset in dimension 0 is not provably a multiple of the block of its parameters' parameters}}
  %0 = tensor.extract_slice %x[2, 0] [4, 8] [1, 1] : tensor<8x8xf32, #x> to tensor<4x8xf32, #x>
  return
}

// -----

#x = #qtensor.block<codec<8, int<signed>>, [1, 4], scale = f32[4, 1]>
func.func @c2_6_own_size(%x: tensor<8x8xf32, #x>) {
  // expected-error @+1 {{contract clause C2.6: the size in dimension 0 is not provably a multiple of the block of its parameters' parameters and does not reach the end}}
  %0 = tensor.extract_slice %x[0, 0] [2, 8] [1, 1] : tensor<8x8xf32, #x> to tensor<2x8xf32, #x>
  return
}

// -----

#x = #qtensor.block<codec<8, int<signed>>, [2, 4], scale = f32>
#y = #qtensor.block<codec<8, int<signed>>, [8], scale = f32>
func.func @c2_7(%x: tensor<4x8xf32, #x>) {
  // expected-error @+1 {{contract clause C2.7: reshapes do not split blocks}}
  %0 = tensor.collapse_shape %x [[0, 1]] : tensor<4x8xf32, #x> into tensor<32xf32, #y>
  return
}

// -----

// What a pass that erased a rounding leaves behind.
// expected-error @+1 {{contract clause C2.8: there were 1 roundings when the phase began, now there are 0}}
module attributes {qtensor.roundings = 1 : i64} {
  func.func @c2_8(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
    return %x : tensor<4x8xf32>
  }
}

// -----

#x = #qtensor.block<codec<8, int<signed>>, [?, ?], scale = 0.5>
func.func @c2_9(%x: tensor<4x8xf32, #x>) {
  // expected-error @+1 {{contract clause C2.9: an encoded tensor becomes a buffer, which has no encoding; run qtensor-decompose before bufferization}}
  %0 = bufferization.to_buffer %x : tensor<4x8xf32, #x> to memref<4x8xf32>
  return
}
