// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -qtensor-scalarize-access | FileCheck %s

// CHECK-LABEL: func.func @pair(
// CHECK-SAME: %[[M:.*]]: memref<8xi8>, %[[I:.*]]: index
// CHECK: %[[A:.*]] = memref.load %[[M]][%[[I]]]
// CHECK: %[[NEXT:.*]] = arith.addi %[[I]], %
// CHECK: %[[B:.*]] = memref.load %[[M]][%[[NEXT]]]
// CHECK: memref.store
// CHECK: memref.store
// CHECK-NOT: vector.store
func.func @pair(%m: memref<8xi8>, %i: index, %o: memref<8xi8>) {
  %v = vector.load %m[%i] : memref<8xi8>, vector<2xi8>
  %w = arith.addi %v, %v : vector<2xi8>
  vector.store %w, %o[%i] : memref<8xi8>, vector<2xi8>
  return
}

// A masked access touches the lanes that the mask has, no other.
// CHECK-LABEL: func.func @masked(
// CHECK: scf.if
// CHECK: memref.load
// CHECK-NOT: vector.maskedload
func.func @masked(%m: memref<8xi8>, %i: index, %mask: vector<2xi1>, %pass: vector<2xi8>) -> vector<2xi8> {
  %v = vector.maskedload %m[%i], %mask, %pass : memref<8xi8>, vector<2xi1>, vector<2xi8> into vector<2xi8>
  return %v : vector<2xi8>
}
