// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -qtensor-approximate-math | FileCheck %s

// Functions whose approximation stays within a few units of the last place become polynomials; of the others, upstream's
// would lose half of the digits.
// CHECK-LABEL: func.func @functions(
// CHECK-NOT: math.{{exp|tanh|erf|log }}
// CHECK: math.fma
// CHECK: math.sin
// CHECK: math.atan
func.func @functions(%x: f32) -> (f32, f32, f32, f32, f32, f32) {
  %a = math.exp %x : f32
  %b = math.tanh %x : f32
  %c = math.erf %x : f32
  %d = math.log %x : f32
  %e = math.sin %x : f32
  %f = math.atan %x : f32
  return %a, %b, %c, %d, %e, %f : f32, f32, f32, f32, f32, f32
}
