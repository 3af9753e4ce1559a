// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -qtensor-expand-small-floats | FileCheck %s
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

// -----

// Also bf16, which is bits from its memory to its memory; the description of the artifact has it still.
// CHECK: module attributes {test.type = tensor<8xbf16>}
// CHECK: memref.global constant @table : memref<2xi16> = dense<[16256, -16384]>
// CHECK-LABEL: @brain
// CHECK-NOT: bf16
// CHECK: vector.load %{{.*}} : memref<8xi16>, vector<8xi16>
// CHECK: %[[WORD:.*]] = arith.extui %{{.*}} : vector<8xi16> to vector<8xi32>
// CHECK: arith.shli %[[WORD]], %{{.*}} : vector<8xi32>
// CHECK: arith.addf %{{.*}} : vector<8xf32>
// CHECK: %[[ROUNDED:.*]] = arith.trunci %{{.*}} : vector<8xi32> to vector<8xi16>
// CHECK: arith.select %{{.*}}, %{{.*}}, %[[ROUNDED]] : vector<8xi1>, vector<8xi16>
// CHECK: vector.store %{{.*}} : memref<8xi16>, vector<8xi16>
module attributes {test.type = tensor<8xbf16>} {
  memref.global constant @table : memref<2xbf16> = dense<[1.0, -2.0]>
  func.func @brain(%m: memref<8xbf16>) {
    %i = arith.constant 0 : index
    %c = arith.constant dense<1.5> : vector<8xbf16>
    %x = vector.load %m[%i] : memref<8xbf16>, vector<8xbf16>
    %y = arith.addf %x, %c : vector<8xbf16>
    vector.store %y, %m[%i] : memref<8xbf16>, vector<8xbf16>
    return
  }
}
