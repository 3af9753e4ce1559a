// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-expand-fma | FileCheck %s

// The exact product, the sum, what the sum lost, and one step to an odd last bit.
// CHECK-LABEL: func @vectors
// CHECK: %[[P:.*]] = arith.mulf %{{.*}}, %{{.*}} : vector<8xf64>
// CHECK: %[[C:.*]] = arith.extf %{{.*}} : vector<8xf32> to vector<8xf64>
// CHECK: %[[S:.*]] = arith.addf %[[P]], %[[C]] : vector<8xf64>
// CHECK: arith.cmpf one
// CHECK: %[[B:.*]] = arith.bitcast %[[S]] : vector<8xf64> to vector<8xi64>
// CHECK: %[[N:.*]] = arith.addi %[[B]], %{{.*}} : vector<8xi64>
// CHECK: %[[O:.*]] = arith.bitcast %[[N]] : vector<8xi64> to vector<8xf64>
// CHECK: arith.truncf %[[O]] : vector<8xf64> to vector<8xf32>
// CHECK-NOT: math.fma
func.func @vectors(%a: vector<8xf32>, %b: vector<8xf32>, %c: vector<8xf32>) -> vector<8xf32> {
  %0 = math.fma %a, %b, %c : vector<8xf32>
  return %0 : vector<8xf32>
}

// CHECK-LABEL: func @scalars
// CHECK: arith.truncf %{{.*}} : f64 to f32
func.func @scalars(%a: f32, %b: f32, %c: f32) -> f32 {
  %0 = math.fma %a, %b, %c : f32
  return %0 : f32
}
