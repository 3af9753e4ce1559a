// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -qtensor-refine-results | FileCheck %s

// CHECK-LABEL: func.func @main(%{{.*}}: tensor<1x4xf32>, %{{.*}}: index) -> (tensor<1x4xf32>, tensor<?xf32>)
// CHECK: %[[Y:.*]] = math.exp
// CHECK: return %[[Y]], %{{.*}} : tensor<1x4xf32>, tensor<?xf32>
func.func @main(%x: tensor<1x4xf32>, %n: index) -> (tensor<?x4xf32>, tensor<?xf32>) {
  %y = math.exp %x : tensor<1x4xf32>
  %r = tensor.cast %y : tensor<1x4xf32> to tensor<?x4xf32>
  %z = tensor.empty(%n) : tensor<?xf32>
  return %r, %z : tensor<?x4xf32>, tensor<?xf32>
}

// -----

// A caller knows the type.
// CHECK: func.func @main(%{{.*}}: tensor<4xf32>) -> tensor<?xf32>
func.func @main(%x: tensor<4xf32>) -> tensor<?xf32> {
  %r = tensor.cast %x : tensor<4xf32> to tensor<?xf32>
  return %r : tensor<?xf32>
}
func.func private @twice(%x: tensor<4xf32>) -> tensor<?xf32> {
  %y = call @main(%x) : (tensor<4xf32>) -> tensor<?xf32>
  return %y : tensor<?xf32>
}
