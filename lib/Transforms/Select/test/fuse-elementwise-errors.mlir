// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What must not be fused: the pass has no errors, so its twin holds the refusals.
// RUN: quant-opt %s --qtensor-fuse-elementwise | FileCheck %s

#id = affine_map<(m, n) -> (m, n)>
#m = affine_map<(m, n) -> (m)>
#i = affine_map<(m) -> (m)>

// Fused, the square root would be taken 8 times a row.
// CHECK-LABEL: func @broadcast
// CHECK-COUNT-2: linalg.generic
func.func @broadcast(%x: tensor<4x8xf32>, %s: tensor<4xf32>) -> tensor<4x8xf32> {
  %e = tensor.empty() : tensor<4x8xf32>
  %f = tensor.empty() : tensor<4xf32>
  %a = linalg.generic {indexing_maps = [#i, #i], iterator_types = ["parallel"]} ins(%s : tensor<4xf32>) outs(%f : tensor<4xf32>) {
    ^bb0(%k: f32, %o: f32):
      %0 = math.rsqrt %k : f32
      linalg.yield %0 : f32
  } -> tensor<4xf32>
  %b = linalg.generic {indexing_maps = [#id, #m, #id], iterator_types = ["parallel", "parallel"]} ins(%x, %a : tensor<4x8xf32>, tensor<4xf32>) outs(%e : tensor<4x8xf32>) {
    ^bb0(%k: f32, %j: f32, %o: f32):
      %0 = arith.mulf %k, %j : f32
      linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  return %b : tensor<4x8xf32>
}

// A reduction reads every element many times.
// CHECK-LABEL: func @reduction
// CHECK-COUNT-2: linalg.generic
func.func @reduction(%x: tensor<4x8xf32>, %i: tensor<4xf32>) -> tensor<4xf32> {
  %e = tensor.empty() : tensor<4x8xf32>
  %a = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>) {
    ^bb0(%k: f32, %o: f32):
      %0 = math.exp %k : f32
      linalg.yield %0 : f32
  } -> tensor<4x8xf32>
  %b = linalg.generic {indexing_maps = [#id, #m], iterator_types = ["parallel", "reduction"]} ins(%a : tensor<4x8xf32>) outs(%i : tensor<4xf32>) {
    ^bb0(%k: f32, %o: f32):
      %0 = arith.addf %o, %k : f32
      linalg.yield %0 : f32
  } -> tensor<4xf32>
  return %b : tensor<4xf32>
}
