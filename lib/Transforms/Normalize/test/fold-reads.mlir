// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-fold-reads | FileCheck %s
// RUN: quant-opt %s --qtensor-fold-reads | qtensor-compare %s -

#id = affine_map<(i, j) -> (i, j)>


// A bias that was broadcast, a mean with its dimension kept, and a splat.
// CHECK-LABEL: @elementwise
// CHECK-SAME: %[[X:.+]]: tensor<?x4xf32>, %[[B:.+]]: tensor<4xf32>, %[[M:.+]]: tensor<?xf32>
// CHECK-NOT: linalg.broadcast
// CHECK: linalg.generic {{.*}} ins(%[[X]], %[[B]], %[[M]] : tensor<?x4xf32>, tensor<4xf32>, tensor<?xf32>)
// CHECK: arith.mulf
func.func @elementwise(%x: tensor<?x4xf32>, %bias: tensor<4xf32>, %mean: tensor<?xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %two = arith.constant dense<2.0> : tensor<4xf32>
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %0 = tensor.empty(%n) : tensor<?x4xf32>
  %b = linalg.broadcast ins(%bias : tensor<4xf32>) outs(%0 : tensor<?x4xf32>) dimensions = [0]
  %m = tensor.expand_shape %mean [[0, 1]] output_shape [%n, 1] : tensor<?xf32> into tensor<?x1xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, affine_map<(i, j) -> (i, 0)>, affine_map<(i, j) -> (j)>, #id],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x, %b, %m, %two : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x1xf32>, tensor<4xf32>)
      outs(%0 : tensor<?x4xf32>) {
  ^bb0(%a: f32, %c: f32, %d: f32, %e: f32, %o: f32):
    %s = arith.addf %a, %c : f32
    %t = arith.subf %s, %d : f32
    %u = arith.mulf %t, %e : f32
    linalg.yield %u : f32
  } -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}

// Attention scores: the keys are read as they lie, and the heads of the result go back where they came from.
// CHECK-LABEL: @attention
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<2x5x3x4xf32>, %[[K:[a-z0-9]+]]: tensor<2x7x3x4xf32>
// CHECK-NOT: linalg.transpose
// CHECK: linalg.generic {{.*}} ins(%[[Q]], %[[K]] : {{.*}} outs(%{{.+}} : tensor<2x5x3x7xf32>)
// CHECK-NOT: linalg.transpose
// CHECK: return
func.func @attention(%q: tensor<2x5x3x4xf32>, %k: tensor<2x7x3x4xf32>) -> tensor<2x5x3x7xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<2x3x5x4xf32>
  %qt = linalg.transpose ins(%q : tensor<2x5x3x4xf32>) outs(%0 : tensor<2x3x5x4xf32>) permutation = [0, 2, 1, 3]
  %1 = tensor.empty() : tensor<2x3x4x7xf32>
  %kt = linalg.transpose ins(%k : tensor<2x7x3x4xf32>) outs(%1 : tensor<2x3x4x7xf32>) permutation = [0, 2, 3, 1]
  %2 = tensor.empty() : tensor<2x3x5x7xf32>
  %init = linalg.fill ins(%zero : f32) outs(%2 : tensor<2x3x5x7xf32>) -> tensor<2x3x5x7xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(b, h, m, n, k) -> (b, h, m, k)>,
                                        affine_map<(b, h, m, n, k) -> (b, h, k, n)>,
                                        affine_map<(b, h, m, n, k) -> (b, h, m, n)>],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%qt, %kt : tensor<2x3x5x4xf32>, tensor<2x3x4x7xf32>) outs(%init : tensor<2x3x5x7xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %p = arith.mulf %a, %c : f32
    %t = arith.addf %o, %p : f32
    linalg.yield %t : f32
  } -> tensor<2x3x5x7xf32>
  %3 = tensor.empty() : tensor<2x5x3x7xf32>
  %y = linalg.transpose ins(%s : tensor<2x3x5x7xf32>) outs(%3 : tensor<2x5x3x7xf32>) permutation = [0, 2, 1, 3]
  return %y : tensor<2x5x3x7xf32>
}

// Heads that share keys: no copy of the keys per head.
// CHECK-LABEL: @shared_heads
// CHECK-SAME: %[[K:[a-z0-9]+]]: tensor<3x7x4xf32>
// CHECK: linalg.generic {{.*}} ins(%{{.+}}, %[[K]] : tensor<3x2x5x4xf32>, tensor<3x7x4xf32>)
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @shared_heads(%q: tensor<6x5x4xf32>, %k: tensor<3x7x4xf32>) -> tensor<6x5x7xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<3x2x7x4xf32>
  %kb = linalg.broadcast ins(%k : tensor<3x7x4xf32>) outs(%0 : tensor<3x2x7x4xf32>) dimensions = [1]
  %kc = tensor.collapse_shape %kb [[0, 1], [2], [3]] : tensor<3x2x7x4xf32> into tensor<6x7x4xf32>
  %1 = tensor.empty() : tensor<6x5x7xf32>
  %init = linalg.fill ins(%zero : f32) outs(%1 : tensor<6x5x7xf32>) -> tensor<6x5x7xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(h, m, n, k) -> (h, m, k)>, affine_map<(h, m, n, k) -> (h, n, k)>,
                                        affine_map<(h, m, n, k) -> (h, m, n)>],
                       iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%q, %kc : tensor<6x5x4xf32>, tensor<6x7x4xf32>) outs(%init : tensor<6x5x7xf32>) {
  ^bb0(%a: f32, %c: f32, %o: f32):
    %p = arith.mulf %a, %c : f32
    %t = arith.addf %o, %p : f32
    linalg.yield %t : f32
  } -> tensor<6x5x7xf32>
  return %s : tensor<6x5x7xf32>
}

// Batch innermost would leave nothing contiguous: stays.
// CHECK-LABEL: @batch_innermost
// CHECK: linalg.transpose
// CHECK: linalg.batch_matmul
func.func @batch_innermost(%x: tensor<5x4x3xf32>, %y: tensor<3x4x6xf32>, %init: tensor<3x5x6xf32>) -> tensor<3x5x6xf32> {
  %0 = tensor.empty() : tensor<3x5x4xf32>
  %t = linalg.transpose ins(%x : tensor<5x4x3xf32>) outs(%0 : tensor<3x5x4xf32>) permutation = [2, 0, 1]
  %z = linalg.batch_matmul ins(%t, %y : tensor<3x5x4xf32>, tensor<3x4x6xf32>) outs(%init : tensor<3x5x6xf32>)
      -> tensor<3x5x6xf32>
  return %z : tensor<3x5x6xf32>
}
