// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --verify-diagnostics --verify-contract-c4

// Clause C4.1: all of C3.
#x = #qtensor.block<codec<8, int<signed>>, [?, ?], scale = 0.5>
// expected-error @+1 {{contract clause C3.1: there is no encoded type, got 'tensor<4x8xf32, }}
func.func private @c4_1(%x: tensor<4x8xf32, #x>)

// -----

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
func.func @c4_2(%x: tensor<4x32xf32>, %w: tensor<320xi8>, %e: tensor<4x16xf32>) -> tensor<4x16xf32> {
  // expected-error @+1 {{contract clause C4.2: weights are packed when the model is compiled: a packed operand is a constant}}
  %0 = qtensor.contract <float> maps #maps iterators ["parallel", "parallel", "reduction"] lhs(%x : tensor<4x32xf32>)
         rhs(%w : tensor<320xi8>) encoded <int4, [1, 32], scale = f16>
         layout #qtile.packed<<rows = 16, block = 32, codes = i4, scale = f16>, [16, 32]> outs(%e : tensor<4x16xf32>) -> tensor<4x16xf32> {
    ^bb0(%acc: f32):
      qtensor.yield %acc : f32
  } {qtensor.reason = "the activation is not encoded"}
  return %0 : tensor<4x16xf32>
}

// -----

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
func.func @c4_3(%x: tensor<4x32xf32>, %e: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %codes = arith.constant dense<3> : tensor<16x32xi8>
  %scale = arith.constant dense<0.5> : tensor<16x1xf16>
  // expected-error @+1 {{contract clause C4.3: a contraction of an encoded constant weight is packed, or says in 'qtensor.unpacked' why it is not}}
  %0 = qtensor.contract <float> maps #maps iterators ["parallel", "parallel", "reduction"] lhs(%x : tensor<4x32xf32>)
         rhs(%codes, %scale : tensor<16x32xi8>, tensor<16x1xf16>) encoded <int4, [1, 32], scale = f16> outs(%e : tensor<4x16xf32>) -> tensor<4x16xf32> {
    ^bb0(%acc: f32):
      qtensor.yield %acc : f32
  } {qtensor.reason = "the activation is not encoded"}
  return %0 : tensor<4x16xf32>
}

// -----

#maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
func.func @c4_4(%x: tensor<4x32xf32>, %w: tensor<16x32xf32>, %e: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %c32 = arith.constant 32 : index
  %r = scf.for %k = %c0 to %c32 step %c8 iter_args(%y = %e) -> tensor<4x16xf32> {
    %xk = tensor.extract_slice %x[0, %k] [4, 8] [1, 1] : tensor<4x32xf32> to tensor<4x8xf32>
    %wk = tensor.extract_slice %w[0, %k] [16, 8] [1, 1] : tensor<16x32xf32> to tensor<16x8xf32>
    // expected-error @+1 {{contract clause C4.4: a contraction whose reduction is cut has no epilogue, which belongs to finished sums}}
    %0 = qtensor.contract <float> maps #maps iterators ["parallel", "parallel", "reduction"] lhs(%xk : tensor<4x8xf32>)
           rhs(%wk : tensor<16x8xf32>) outs(%y : tensor<4x16xf32>) -> tensor<4x16xf32> {
      ^bb0(%acc: f32):
        %p = math.tanh %acc : f32
        qtensor.yield %p : f32
    }
    scf.yield %0 : tensor<4x16xf32>
  }
  return %r : tensor<4x16xf32>
}
