// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What must not be fused: the pass has no errors, so its twin holds the refusals.
// RUN: quant-opt %s --split-input-file --qtensor-fuse-epilogues | FileCheck %s

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#t = affine_map<(m, n) -> (n, m)>
#m = affine_map<(m, n) -> (m)>

// A transposition is not elementwise.
// CHECK-LABEL: func @transposed
// CHECK: qtensor.contract
// CHECK: linalg.generic
func.func @transposed(%x: tensor<4x16xf32>, %w: tensor<8x16xf32>, %e: tensor<4x8xf32>, %f: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %y = qtensor.contract <float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
         lhs(%x : tensor<4x16xf32>) rhs(%w : tensor<8x16xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32> {
    ^bb0(%acc: f32):
      qtensor.yield %acc : f32
  }
  %z = linalg.generic {indexing_maps = [#t, #id], iterator_types = ["parallel", "parallel"]} ins(%y : tensor<4x8xf32>) outs(%f : tensor<8x4xf32>) {
    ^bb0(%a: f32, %o: f32):
      %0 = math.exp %a : f32
      linalg.yield %0 : f32
  } -> tensor<8x4xf32>
  return %z : tensor<8x4xf32>
}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>

// The body depends on where the element is.
// CHECK-LABEL: func @indexed
// CHECK: qtensor.contract
// CHECK: linalg.generic
func.func @indexed(%x: tensor<4x16xf32>, %w: tensor<8x16xf32>, %e: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %y = qtensor.contract <float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
         lhs(%x : tensor<4x16xf32>) rhs(%w : tensor<8x16xf32>) outs(%e : tensor<4x8xf32>) -> tensor<4x8xf32> {
    ^bb0(%acc: f32):
      qtensor.yield %acc : f32
  }
  %z = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%y : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
    ^bb0(%a: f32, %o: f32):
      %i = linalg.index 0 : index
      %j = arith.index_cast %i : index to i32
      %k = arith.sitofp %j : i32 to f32
      %0 = arith.addf %a, %k : f32
      linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  return %z : tensor<4x8xf32>
}
