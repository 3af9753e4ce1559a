// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -qtensor-expand-small-floats | FileCheck %s
// The values are proved by the ONNX backend tests of Cast, compiled: test/onnx/compiled.test.

// Exponent and mantissa go to the places of f32's; the factor 2^(127 - 7) corrects the bias, of subnormal numbers too.
// CHECK-LABEL: @widen
// CHECK-NOT: arith.extf
// CHECK: %[[C:.*]] = arith.bitcast %{{.*}} : vector<16xf8E4M3FN> to vector<16xi8>
// CHECK: arith.shli %{{.*}}, %{{.*}} : vector<16xi32>
// CHECK: arith.mulf %{{.*}} : vector<16xf32>
// CHECK: return %{{.*}} : vector<16xf32>
func.func @widen(%x: vector<16xf8E4M3FN>) -> vector<16xf32> {
  %y = arith.extf %x : vector<16xf8E4M3FN> to vector<16xf32>
  return %y : vector<16xf32>
}

// CHECK-LABEL: @narrow
// CHECK: arith.extf %{{.*}} : f16 to f32
// CHECK-NOT: arith.truncf
// CHECK: math.roundeven
// CHECK: arith.bitcast %{{.*}} : i8 to f8E5M2
func.func @narrow(%x: f16) -> f8E5M2 {
  %y = arith.truncf %x : f16 to f8E5M2
  return %y : f8E5M2
}

// Wider floats stay.
// CHECK-LABEL: @other
// CHECK: arith.truncf %{{.*}} : f32 to f16
func.func @other(%x: f32) -> f16 {
  %y = arith.truncf %x : f32 to f16
  return %y : f16
}
