// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -qtensor-expand-rounding | FileCheck %s
// RUN: quant-opt %s -qtensor-expand-rounding -convert-arith-to-llvm -convert-math-to-llvm -convert-func-to-llvm -reconcile-unrealized-casts | mlir-translate-22 -mlir-to-llvmir > %t.ll
// RUN: clang-22 -O1 -Wno-override-module %S/Inputs/rounding.c %t.ll -lm -o %t.exe && %t.exe

// CHECK-LABEL: func.func @floor_f32(
// CHECK-NOT: math.floor
// CHECK: arith.fptosi
// CHECK: math.copysign
func.func @floor_f32(%x: f32) -> f32 {
  %y = math.floor %x : f32
  return %y : f32
}
// CHECK-NOT: math.{{ceil|trunc|round|roundeven}}
func.func @floor_f64(%x: f64) -> f64 {
  %y = math.floor %x : f64
  return %y : f64
}
func.func @ceil_f32(%x: f32) -> f32 {
  %y = math.ceil %x : f32
  return %y : f32
}
func.func @trunc_f32(%x: f32) -> f32 {
  %y = math.trunc %x : f32
  return %y : f32
}
func.func @roundeven_f32(%x: f32) -> f32 {
  %y = math.roundeven %x : f32
  return %y : f32
}
