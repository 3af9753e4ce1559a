// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -qtensor-find-entry | FileCheck %s
// RUN: quant-opt %s -split-input-file -qtensor-normalize | FileCheck %s --check-prefix=SCALE

// The only public function is the model; who calls it goes on doing so.
// CHECK: func.func @main(
// CHECK: call @helper
// CHECK: func.func private @helper
// CHECK: call @main
func.func @forward(%x: tensor<2xf32>) -> tensor<2xf32> {
  %y = call @helper(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}
func.func private @helper(%x: tensor<2xf32>) -> tensor<2xf32> { return %x : tensor<2xf32> }
func.func private @twice(%x: tensor<2xf32>) -> tensor<2xf32> {
  %y = call @forward(%x) : (tensor<2xf32>) -> tensor<2xf32>
  return %y : tensor<2xf32>
}

// -----

// A function @main stays the model, whatever else is public. TOSA's scaling becomes integer arithmetic.
// CHECK: func.func private @other
// CHECK: func.func @main
// SCALE: func.func @main
// SCALE-NOT: tosa.
// SCALE: arith.shrsi
func.func @other(%x: i32) -> i32 { return %x : i32 }
func.func @main(%x: i32) -> i32 {
  %multiplier = arith.constant 1638001719 : i32
  %shift = arith.constant 39 : i8
  %y = tosa.apply_scale %x, %multiplier, %shift {rounding_mode = DOUBLE_ROUND} : (i32, i32, i8) -> i32
  return %y : i32
}
