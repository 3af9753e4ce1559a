// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-expand-fma | FileCheck %s

// The pass has no errors. What no wider type holds exactly stays as it is.
// CHECK-LABEL: func @doubles
// CHECK: math.fma %{{.*}}, %{{.*}}, %{{.*}} : f64
func.func @doubles(%a: f64, %b: f64, %c: f64) -> f64 {
  %0 = math.fma %a, %b, %c : f64
  return %0 : f64
}
