// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What @main calls is a part of it, on whole tensors too; another public function is none.
// RUN: quant-compile %s --phase-to=C0 | FileCheck %s
// RUN: quant-compile %s -o %t

// CHECK-NOT: func.func
// CHECK: func.func @main
// CHECK-NOT: call
// CHECK: linalg.generic
// CHECK: arith.maximumf %{{.*}}, %{{.*}} : f32
// CHECK-NOT: func.func
func.func private @relu(%x: tensor<4xf32>) -> tensor<4xf32> {
  %z = arith.constant dense<0.0> : tensor<4xf32>
  %y = arith.maximumf %x, %z : tensor<4xf32>
  return %y : tensor<4xf32>
}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  %y = call @relu(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}
func.func @other(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}
