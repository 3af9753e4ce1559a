// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --verify-diagnostics --verify-contract-c3

#x = #qtensor.block<codec<8, int<signed>>, [?, ?], scale = 0.5>
// expected-error @+1 {{contract clause C3.1: there is no encoded type, got 'tensor<4x8xf32, }}
func.func private @c3_1(%x: tensor<4x8xf32, #x>)

// -----

func.func @c3_2(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-error @+1 {{contract clause C3.2: 'qtensor.as' belongs to C2; run qtensor-decompose}}
  %0 = qtensor.as "identity"(%x) : (tensor<4x8xf32>) -> tensor<4x8xf32> {
    ^bb0(%a: tensor<4x8xf32>):
      qtensor.yield %a : tensor<4x8xf32>
  }
  return %0 : tensor<4x8xf32>
}

// -----

#x = #qtensor.block<codec<8, int<signed>>, [?, ?], scale = 0.5>
func.func @c3_3(%c: tensor<4x8xi8>, %e: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-error @+1 {{contract clause C3.3: a decode says in 'qtensor.reason' why its reader could not take the codes}}
  %0 = qtensor.decode %c as #x outs(%e : tensor<4x8xf32>) : tensor<4x8xi8> -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// -----

#w = #qtensor.block<codec<8, int<signed>>, [?, ?], scale = 0.5>
func.func @c3_4(%x: tensor<4x16xf32>, %w: tensor<8x16xi8>, %e: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-error @+1 {{contract clause C3.4: a float contraction of encoded operands says in 'qtensor.reason' why}}
  %0 = qtensor.contract <float> maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
         iterators ["parallel", "parallel", "reduction"] lhs(%x : tensor<4x16xf32>) rhs(%w : tensor<8x16xi8>) encoded #w outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32> {
    ^bb0(%acc: f32):
      qtensor.yield %acc : f32
  }
  return %0 : tensor<4x8xf32>
}

// -----

// Also clause M5 of the dialect.
#w = #qtensor.block<codec<2, table<[-1.0, -0.3, 0.1, 1.0]>>, [?, ?], scale = 0.5>
#x = #qtensor.block<codec<8, int<signed>>, [?, ?], scale = 0.5>
func.func @c3_5(%x: tensor<4x16xi8>, %w: tensor<8x16xi8>, %e: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-error @+1 {{contract clause C3.5: the weight's codec needs 2 limb(s), the strategy is #qtensor.strategy<integer<1>>}}
  %0 = qtensor.contract <integer<1>> maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
         iterators ["parallel", "parallel", "reduction"] lhs(%x : tensor<4x16xi8>) as #x rhs(%w : tensor<8x16xi8>) encoded #w outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32> {
    ^bb0(%acc: f32):
      qtensor.yield %acc : f32
  }
  return %0 : tensor<4x8xf32>
}
