// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --verify-roundtrip | FileCheck %s

#x = #qtensor.block<codec<8, int<signed>>, [1, 32], scale = f32>
#w = #qtensor.block<codec<4, int<offset 8>>, [1, 32], scale = f16>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#n = affine_map<(m, n) -> (n)>

// CHECK-LABEL: func.func @contract
func.func @contract(%xc: tensor<4x64xi8>, %xs: tensor<4x2xf32>, %xt: tensor<4x2xi32>, %wc: tensor<16x64xi8>,
                    %ws: tensor<16x2xf16>, %b: tensor<16xf32>, %o: tensor<4x16xf32>) -> tensor<4x16xf32> {
  // CHECK: qtensor.contract <integer<1>>
  %y = qtensor.contract #qtensor.strategy<integer<1>> maps [#mk, #nk, #mn]
      iterators ["parallel", "parallel", "reduction"]
      lhs(%xc, %xs, %xt : tensor<4x64xi8>, tensor<4x2xf32>, tensor<4x2xi32>) as #x sums
      rhs(%wc, %ws : tensor<16x64xi8>, tensor<16x2xf16>) encoded #w
      extra(%b : tensor<16xf32>) extra_maps [#n] outs(%o : tensor<4x16xf32>) -> tensor<4x16xf32> {
   ^bb0(%a: f32, %e: f32):
     %0 = arith.addf %a, %e : f32
     qtensor.yield %0 : f32
  }
  return %y : tensor<4x16xf32>
}
