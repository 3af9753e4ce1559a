// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-pack-contracts=wide-rows=64 | FileCheck %s

#w = #qtensor.block<codec<4, int<signed>>, [1, 32], scale = f16>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>

// 1008 outputs take 63 narrow panels; 16 wide ones pad one sixty-third more. A panel has a block of 128 + 1024 bytes.
// CHECK-LABEL: func @wide
// CHECK: tensor<18432xi8>) encoded #{{.*}} layout #qtile.packed<<rows = 64, block = 32, codes = i4, scale = f16>, [1008, 32]>
func.func @wide(%x: tensor<?x32xf32>, %o: tensor<?x1008xf32>) -> tensor<?x1008xf32> {
  %c = arith.constant dense<1> : tensor<1008x32xi8>
  %s = arith.constant dense<2.0> : tensor<1008x1xf16>
  %y = qtensor.contract #qtensor.strategy<float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%x : tensor<?x32xf32>) rhs(%c, %s : tensor<1008x32xi8>, tensor<1008x1xf16>) encoded #w
      outs(%o : tensor<?x1008xf32>) -> tensor<?x1008xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return %y : tensor<?x1008xf32>
}

// 64 would pad 96 outputs to 128, a third more.
// CHECK-LABEL: func @between
// CHECK: layout #qtile.packed<<rows = 32, block = 32, codes = i4, scale = f16>, [96, 32]>
func.func @between(%x: tensor<?x32xf32>, %o: tensor<?x96xf32>) -> tensor<?x96xf32> {
  %c = arith.constant dense<1> : tensor<96x32xi8>
  %s = arith.constant dense<2.0> : tensor<96x1xf16>
  %y = qtensor.contract #qtensor.strategy<float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%x : tensor<?x32xf32>) rhs(%c, %s : tensor<96x32xi8>, tensor<96x1xf16>) encoded #w
      outs(%o : tensor<?x96xf32>) -> tensor<?x96xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return %y : tensor<?x96xf32>
}
