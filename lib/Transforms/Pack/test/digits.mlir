// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-pack-contracts | FileCheck %s

#w = #qtensor.block<codec<2, int<offset 1>, amax = 1.0, count = 3>, [1, 40], scale = f16>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>

// Five digits a byte: a block of 40 codes has 16 * 8 bytes of them, and 32 of scales.
// CHECK-LABEL: func @digits
// CHECK: tensor<160xi8>) encoded #{{.*}} layout #qtile.packed<<rows = 16, block = 40, codes = i2, scale = f16, radix = 3>, [16, 40]>
func.func @digits(%x: tensor<?x40xf32>, %o: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %c = arith.constant dense<2> : tensor<16x40xi8>
  %s = arith.constant dense<2.0> : tensor<16x1xf16>
  %y = qtensor.contract #qtensor.strategy<float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%x : tensor<?x40xf32>) rhs(%c, %s : tensor<16x40xi8>, tensor<16x1xf16>) encoded #w
      outs(%o : tensor<?x16xf32>) -> tensor<?x16xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return %y : tensor<?x16xf32>
}

// A code that is no digit keeps its bits, and its value.
// CHECK-LABEL: func @other_code
// CHECK: layout #qtile.packed<<rows = 16, block = 40, codes = i2, scale = f16>, [16, 40]>
func.func @other_code(%x: tensor<?x40xf32>, %o: tensor<?x16xf32>) -> tensor<?x16xf32> {
  %c = arith.constant dense<3> : tensor<16x40xi8>
  %s = arith.constant dense<2.0> : tensor<16x1xf16>
  %y = qtensor.contract #qtensor.strategy<float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%x : tensor<?x40xf32>) rhs(%c, %s : tensor<16x40xi8>, tensor<16x1xf16>) encoded #w
      outs(%o : tensor<?x16xf32>) -> tensor<?x16xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return %y : tensor<?x16xf32>
}
