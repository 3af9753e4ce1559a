// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-split-epilogues | FileCheck %s

#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#n = affine_map<(m, n) -> (n)>

// CHECK-LABEL: func @main
// CHECK-SAME: %[[OUT:[a-z0-9]+]]: tensor<?x8xf32>)
// CHECK: %[[SUMS:.*]] = tensor.empty(%{{.*}}) : tensor<?x8xf32>
// CHECK: %[[A:.*]] = qtensor.contract <float>
// CHECK-SAME: rhs(%{{.*}} : tensor<8x16xf32>) outs(%[[SUMS]] : tensor<?x8xf32>)
// CHECK-NEXT: ^bb0(%[[ACC:.*]]: f32):
// CHECK-NEXT: qtensor.yield %[[ACC]]
// CHECK: qtensor.epilogue %[[A]] extra(%{{.*}} : tensor<8xf32>) extra_maps {{.*}} outs(%[[OUT]] : tensor<?x8xf32>)
// CHECK: arith.addf
func.func @main(%x: tensor<?x16xf32>, %w: tensor<8x16xf32>, %b: tensor<8xf32>, %out: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %y = qtensor.contract <float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
         lhs(%x : tensor<?x16xf32>) rhs(%w : tensor<8x16xf32>)
         extra(%b : tensor<8xf32>) extra_maps [#n] outs(%out : tensor<?x8xf32>) -> tensor<?x8xf32> {
    ^bb0(%acc: f32, %be: f32):
      %0 = arith.addf %acc, %be : f32
      qtensor.yield %0 : f32
  }
  return %y : tensor<?x8xf32>
}

// An empty epilogue stays.
// CHECK-LABEL: func @empty
// CHECK: qtensor.contract
// CHECK-NOT: qtensor.epilogue
func.func @empty(%x: tensor<4x16xf32>, %w: tensor<8x16xf32>, %out: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %y = qtensor.contract <float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
         lhs(%x : tensor<4x16xf32>) rhs(%w : tensor<8x16xf32>) outs(%out : tensor<4x8xf32>) -> tensor<4x8xf32> {
    ^bb0(%acc: f32):
      qtensor.yield %acc : f32
  }
  return %y : tensor<4x8xf32>
}
