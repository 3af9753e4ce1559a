// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-normalize-matmul | FileCheck %s
// RUN: quant-opt %s --qtensor-normalize-matmul | qtensor-compare %s -

// CHECK-DAG: #[[MK:.+]] = affine_map<(d0, d1, d2) -> (d0, d2)>
// CHECK-DAG: #[[NK:.+]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-DAG: #[[MN:.+]] = affine_map<(d0, d1, d2) -> (d0, d1)>

// CHECK-LABEL: @matmul
// CHECK: %[[W:.+]] = linalg.transpose ins(%{{.+}} : tensor<3x2xf32>) {{.*}} permutation = [1, 0]
// CHECK: linalg.matmul indexing_maps = [#[[MK]], #[[NK]], #[[MN]]]
// CHECK-SAME: ins(%{{.+}}, %[[W]] : tensor<?x3xf32>, tensor<2x3xf32>) outs(%{{.+}} : tensor<?x2xf32>)
func.func @matmul(%x: tensor<?x3xf32>) -> tensor<?x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %m = tensor.dim %x, %c0 : tensor<?x3xf32>
  %empty = tensor.empty(%m) : tensor<?x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x3xf32>, tensor<3x2xf32>) outs(%init : tensor<?x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// Rows of any rank, with dynamic extents, become one dimension.
// CHECK-LABEL: @rows
// CHECK: %[[X:.+]] = tensor.collapse_shape %{{.+}} {{\[}}[0, 1], [2]] : tensor<?x?x3xf32> into tensor<?x3xf32>
// CHECK: %[[Y:.+]] = linalg.matmul indexing_maps = [#[[MK]], #[[NK]], #[[MN]]] ins(%[[X]],
// CHECK: tensor.expand_shape %[[Y]] {{\[}}[0, 1], [2]] {{.*}} : tensor<?x2xf32> into tensor<?x?x2xf32>
func.func @rows(%x: tensor<?x?x3xf32>) -> tensor<?x?x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %b = tensor.dim %x, %c0 : tensor<?x?x3xf32>
  %m = tensor.dim %x, %c1 : tensor<?x?x3xf32>
  %empty = tensor.empty(%b, %m) : tensor<?x?x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x?x2xf32>) -> tensor<?x?x2xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (k, n)>,
                                        affine_map<(b, m, n, k) -> (b, m, n)>],
                       iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<?x?x3xf32>, tensor<3x2xf32>) outs(%init : tensor<?x?x2xf32>) {
  ^bb0(%a: f32, %c: f32, %acc: f32):
    %p = arith.mulf %a, %c : f32
    %s = arith.addf %acc, %p : f32
    linalg.yield %s : f32
  } -> tensor<?x?x2xf32>
  return %y : tensor<?x?x2xf32>
}

// CHECK-LABEL: @vector
// CHECK: linalg.matmul {{.*}} ins(%{{.+}}, %{{.+}} : tensor<1x3xf32>, tensor<2x3xf32>) outs(%{{.+}} : tensor<1x2xf32>)
// CHECK: tensor.collapse_shape %{{.+}} : tensor<1x2xf32> into tensor<2xf32>
func.func @vector(%x: tensor<3xf32>) -> tensor<2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<2xf32>) -> tensor<2xf32>
  %y = linalg.vecmat ins(%x, %w : tensor<3xf32>, tensor<3x2xf32>) outs(%init : tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// Weights on the left keep their side.
// CHECK-LABEL: @left
// CHECK: %[[W:.+]] = linalg.transpose ins(%{{.+}} : tensor<3x2xf32>)
// CHECK: linalg.matmul ins(%[[W]], %{{.+}} : tensor<2x3xf32>, tensor<3x4xf32>)
func.func @left(%x: tensor<3x4xf32>) -> tensor<2x4xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<2x4xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<2x4xf32>) -> tensor<2x4xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (k, m)>, affine_map<(m, n, k) -> (k, n)>,
                                      affine_map<(m, n, k) -> (m, n)>]
      ins(%w, %x : tensor<3x2xf32>, tensor<3x4xf32>) outs(%init : tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// A stack of weights keeps its batch first.
// CHECK-LABEL: @stack
// CHECK: %[[W:.+]] = linalg.transpose ins(%{{.+}} : tensor<2x3x4xf32>) {{.*}} permutation = [0, 2, 1]
// CHECK: linalg.generic {{.*}} ins(%{{.+}}, %[[W]] : tensor<2x5x3xf32>, tensor<2x4x3xf32>)
func.func @stack(%x: tensor<2x5x3xf32>) -> tensor<2x5x4xf32> {
  %w = arith.constant dense<0.25> : tensor<2x3x4xf32>
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<2x5x4xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<2x5x4xf32>) -> tensor<2x5x4xf32>
  %y = linalg.batch_matmul ins(%x, %w : tensor<2x5x3xf32>, tensor<2x3x4xf32>) outs(%init : tensor<2x5x4xf32>)
      -> tensor<2x5x4xf32>
  return %y : tensor<2x5x4xf32>
}

// Products of two activations stay as they are.
// CHECK-LABEL: @activations
// CHECK-NEXT: linalg.matmul ins
// CHECK-NEXT: return
func.func @activations(%x: tensor<4x3xf32>, %y: tensor<3x2xf32>, %init: tensor<4x2xf32>) -> tensor<4x2xf32> {
  %z = linalg.matmul ins(%x, %y : tensor<4x3xf32>, tensor<3x2xf32>) outs(%init : tensor<4x2xf32>) -> tensor<4x2xf32>
  return %z : tensor<4x2xf32>
}
