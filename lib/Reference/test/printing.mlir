// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: qtensor-interpret %s | FileCheck %s

// CHECK: @print: 2x2xf32 [1, 2.5, -0.100000001, inf]
// CHECK: @print: i8 [-1]
func.func @print() -> (tensor<2x2xf32>, i8) {
  %0 = arith.constant dense<[[1.0, 2.5], [-0.1, 0x7F800000]]> : tensor<2x2xf32>
  %1 = arith.constant -1 : i8
  return %0, %1 : tensor<2x2xf32>, i8
}
