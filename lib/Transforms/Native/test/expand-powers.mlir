// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -qtensor-expand-powers | FileCheck %s
// Pairs of all magnitudes beside the C library's doubles, and what stands at borders.
// RUN: quant-opt %s -qtensor-expand-powers -convert-arith-to-llvm -convert-math-to-llvm -convert-func-to-llvm -reconcile-unrealized-casts | mlir-translate-22 -mlir-to-llvmir > %t.ll
// RUN: clang-22 -O1 -Wno-override-module %S/Inputs/powers.c %t.ll -lm -o %t.exe && %t.exe

// CHECK-LABEL: func.func @power(
// CHECK-NOT: math.
// CHECK: arith.truncf
func.func @power(%x: f32, %y: f32) -> f32 {
  %z = math.powf %x, %y : f32
  return %z : f32
}
// CHECK-LABEL: func.func @angle(
// CHECK-NOT: math.
// CHECK: arith.truncf
func.func @angle(%y: f32, %x: f32) -> f32 {
  %z = math.atan2 %y, %x : f32
  return %z : f32
}
// Others stay.
// CHECK-LABEL: func.func @others(
// CHECK: math.powf {{.*}} : f64
// CHECK: math.atan2 {{.*}} : vector<2xf32>
func.func @others(%x: f64, %v: vector<2xf32>) -> (f64, vector<2xf32>) {
  %y = math.powf %x, %x : f64
  %w = math.atan2 %v, %v : vector<2xf32>
  return %y, %w : f64, vector<2xf32>
}
