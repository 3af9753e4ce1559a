// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s | quant-opt | FileCheck %s
// RUN: quant-opt %s --mlir-print-op-generic | quant-opt | FileCheck %s

// CHECK: a = #qtile.layout<rows = 16, block = 32, codes = i4, scale = f16>
// CHECK-SAME: b = #qtile.layout<rows = 16, block = 64, codes = i8, scale = f32, zero = i8, offset = bf16>
// CHECK-SAME: c = #qtile.layout<rows = 16, block = 4096, codes = f16>
// CHECK-SAME: d = #qtile.packed<<rows = 16, block = 32, codes = i4>, [64, 3, 3, 32]>
func.func private @layouts() attributes {
  a = #qtile.layout<rows = 16, block = 32, codes = i4, scale = f16>,
  b = #qtile.layout<rows = 16, block = 64, codes = i8, scale = f32, zero = i8, offset = bf16>,
  c = #qtile.layout<rows = 16, block = 4096, codes = f16>,
  d = #qtile.packed<<rows = 16, block = 32, codes = i4>, [64, 3, 3, 32]>
}

// CHECK-LABEL: func @ops
func.func @ops(%m: memref<?xi8>, %p: vector<64xi8>, %acc: vector<16xi32>, %sums: vector<32xi16>, %i: vector<16xi32>)
    -> (vector<16xi32>, vector<16xi32>, vector<16xf32>) {
  // CHECK: %[[G:.*]]:8 = qtile.unpack [1, 4] %{{.*}} : 5 -> 8 x vector<64xi8>
  %g:8 = qtile.unpack [1, 4] %p, %p, %p, %p, %p : 5 -> 8 x vector<64xi8>
  // CHECK: qtile.unpack [2] alternate %{{.*}} : 1 -> 4 x vector<64xi8>
  %h:4 = qtile.unpack [2] alternate %p : 1 -> 4 x vector<64xi8>
  // CHECK: %[[V:.*]] = qtile.lookup %[[G]]#7 dense<[0, 1, 4, 12]> : tensor<4xi8> : vector<64xi8> -> vector<64xi8>
  %v = qtile.lookup %g#7 dense<[0, 1, 4, 12]> : tensor<4xi8> : vector<64xi8> -> vector<64xi8>
  // CHECK: qtile.lookup %{{.*}} dense<[-1.000000e+00, 1.000000e+00]> : tensor<2xf32> : vector<16xi32> -> vector<16xf32>
  %w = qtile.lookup %i dense<[-1.0, 1.0]> : tensor<2xf32> : vector<16xi32> -> vector<16xf32>
  // CHECK: qtile.dot4 %{{.*}}, %[[V]], %{{.*}} max 12 : vector<64xi8> -> vector<16xi32>
  %d = qtile.dot4 %acc, %v, %p max 12 : vector<64xi8> -> vector<16xi32>
  // CHECK: %[[S:.*]] = qtile.dot2 %{{.*}} : vector<64xi8> -> vector<32xi16>
  %s = qtile.dot2 %sums, %v, %p : vector<64xi8> -> vector<32xi16>
  // CHECK: qtile.dot2 %{{.*}}, %[[S]], %{{.*}} : vector<32xi16> -> vector<16xi32>
  %e0 = qtile.dot2 %acc, %s, %sums : vector<32xi16> -> vector<16xi32>
  // CHECK: qtile.pin %{{.*}} : vector<16xi32>
  %e = qtile.pin %e0 : vector<16xi32>
  // CHECK: qtile.core : index
  %core = qtile.core : index
  // CHECK: qtile.prefetch %{{.*}}[%{{.*}}], %{{.*}} level 2 : memref<?xi8>
  qtile.prefetch %m[%core], %core level 2 : memref<?xi8>
  return %d, %e, %w : vector<16xi32>, vector<16xi32>, vector<16xf32>
}
