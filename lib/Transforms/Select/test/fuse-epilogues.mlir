// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --qtensor-fuse-epilogues | FileCheck %s

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#n = affine_map<(m, n) -> (n)>
#sc = affine_map<(m, n) -> ()>

// Bias, activation, residual: one region, in order.
// CHECK-LABEL: func @chain
// CHECK-SAME: %{{[a-z0-9]+}}: tensor<4x16xf32>, %{{[a-z0-9]+}}: tensor<8x16xf32>, %[[B:[a-z0-9]+]]: tensor<8xf32>, %[[R:[a-z0-9]+]]: tensor<4x8xf32>
// CHECK: %[[C:.*]] = arith.constant 0.0
// CHECK: qtensor.contract
// CHECK-SAME: extra(%[[B]], %[[R]] : tensor<8xf32>, tensor<4x8xf32>) extra_maps [#[[N:.*]], #[[ID:.*]]]
// CHECK: ^bb0(%[[ACC:.*]]: f32, %[[BE:.*]]: f32, %[[RE:.*]]: f32):
// CHECK: %[[A:.*]] = arith.addf %[[ACC]], %[[BE]]
// CHECK: %[[M:.*]] = arith.maximumf %[[A]], %[[C]]
// CHECK: %[[S:.*]] = arith.addf %[[M]], %[[RE]]
// CHECK: qtensor.yield %[[S]]
// CHECK-NOT: linalg
func.func @chain(%x: tensor<4x16xf32>, %w: tensor<8x16xf32>, %b: tensor<8xf32>, %r: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<4x8xf32>
  %y = qtensor.contract <float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
         lhs(%x : tensor<4x16xf32>) rhs(%w : tensor<8x16xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32> {
    ^bb0(%acc: f32):
      qtensor.yield %acc : f32
  }
  %z = linalg.generic {indexing_maps = [#id, #n, #id], iterator_types = ["parallel", "parallel"]}
         ins(%y, %b : tensor<4x8xf32>, tensor<8xf32>) outs(%e : tensor<4x8xf32>) {
    ^bb0(%a: f32, %bb: f32, %o: f32):
      %1 = arith.addf %a, %bb : f32
      %2 = arith.maximumf %1, %zero : f32
      linalg.yield %2 : f32
  } -> tensor<4x8xf32>
  %s = linalg.add ins(%z, %r : tensor<4x8xf32>, tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %s : tensor<4x8xf32>
}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>

// A second reader needs the sums themselves; nothing is computed twice.
// CHECK-LABEL: func @two_readers
// CHECK: qtensor.contract
// CHECK: linalg.exp
func.func @two_readers(%x: tensor<4x16xf32>, %w: tensor<8x16xf32>, %e: tensor<4x8xf32>) -> (tensor<4x8xf32>, tensor<4x8xf32>) {
  %y = qtensor.contract <float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
         lhs(%x : tensor<4x16xf32>) rhs(%w : tensor<8x16xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32> {
    ^bb0(%acc: f32):
      qtensor.yield %acc : f32
  }
  %z = linalg.exp ins(%y : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %y, %z : tensor<4x8xf32>, tensor<4x8xf32>
}
