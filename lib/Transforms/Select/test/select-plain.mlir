// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-select | FileCheck %s --check-prefix=DEFAULT
// RUN: quant-opt %s --qtensor-select=plain-weights=true | FileCheck %s

// DEFAULT-NOT: qtensor.contract
// CHECK: qtensor.contract <float>
// CHECK-SAME: lhs(%{{.*}} : tensor<4x16xf32>) rhs(%{{.*}} : tensor<16x8xf32>) outs
// A product of two activations has no weight.
// CHECK: linalg.matmul
func.func @main(%x: tensor<4x16xf32>, %init: tensor<4x8xf32>, %sq: tensor<16x16xf32>) -> (tensor<4x8xf32>, tensor<4x16xf32>) {
  %w = arith.constant dense<1.0> : tensor<16x8xf32>
  %zero = arith.constant dense<0.0> : tensor<4x8xf32>
  %y = linalg.matmul ins(%x, %w : tensor<4x16xf32>, tensor<16x8xf32>) outs(%zero : tensor<4x8xf32>) -> tensor<4x8xf32>
  %z = linalg.matmul ins(%x, %sq : tensor<4x16xf32>, tensor<16x16xf32>) outs(%x : tensor<4x16xf32>) -> tensor<4x16xf32>
  return %y, %z : tensor<4x8xf32>, tensor<4x16xf32>
}
