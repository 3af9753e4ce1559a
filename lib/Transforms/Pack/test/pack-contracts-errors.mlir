// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-pack-contracts --verify-diagnostics

#w = #qtensor.block<codec<4, int<signed>>, [1, 32], scale = f16>

// A constant whose file was not read has a name and no bytes.
func.func @missing_bytes(%x: tensor<4x32xf32>, %o: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %c = arith.constant dense_resource<not_there> : tensor<16x32xi8>
  %s = arith.constant dense<2.0> : tensor<16x1xf16>
  // expected-error@+1 {{a component of the weight has 0 bytes, its type 'tensor<16x32xi8>' needs 512}}
  %y = qtensor.contract #qtensor.strategy<float>
      maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      iterators ["parallel", "parallel", "reduction"]
      lhs(%x : tensor<4x32xf32>) rhs(%c, %s : tensor<16x32xi8>, tensor<16x1xf16>) encoded #w
      outs(%o : tensor<4x16xf32>) -> tensor<4x16xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return %y : tensor<4x16xf32>
}
