// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtile-expand | FileCheck %s
// The values of the expansion are checked by execution in lib/Targets/X86/test/kernels.test (level baseline).

// CHECK: memref.global "private" constant @[[TABLE:.*]] : memref<4xi8> = dense<[0, 1, 4, 12]> {alignment = 64 : i64}

// CHECK-LABEL: func @unpack
// CHECK-SAME: (%[[LOW:.*]]: vector<32xi8>, %[[HIGH:.*]]: vector<32xi8>)
func.func @unpack(%low: vector<32xi8>, %high: vector<32xi8>) -> (vector<32xi8>, vector<32xi8>) {
  // The fifth bit of group 7 is bit 7 of the first piece; it moves to bit 4.
  // CHECK-DAG: %[[THREE:.*]] = arith.constant dense<3> : vector<32xi8>
  // CHECK-DAG: %[[FOUR:.*]] = arith.constant dense<4> : vector<32xi8>
  // CHECK-DAG: %[[BIT:.*]] = arith.constant dense<16> : vector<32xi8>
  // CHECK: %[[SHIFTED:.*]] = arith.shrui %[[HIGH]], %[[THREE]]
  // CHECK: arith.andi %[[SHIFTED]], %[[BIT]]
  // CHECK: %[[NIBBLE:.*]] = arith.shrui %[[LOW]], %[[FOUR]]
  %g:8 = qtile.unpack [1, 4] %high, %low, %low, %low, %low : 5 -> 8 x vector<32xi8>
  return %g#0, %g#7 : vector<32xi8>, vector<32xi8>
}

// Groups 1 and 3 of an alternating unpack stay at bit 2, and one shift serves two groups.
// CHECK-LABEL: func @alternate
// CHECK-SAME: (%[[P:.*]]: vector<32xi8>)
// CHECK-DAG: %[[FOUR:.*]] = arith.constant dense<4> : vector<32xi8>
// CHECK-DAG: %[[SECOND:.*]] = arith.constant dense<12> : vector<32xi8>
// CHECK: arith.andi %[[P]], %[[SECOND]]
// CHECK: %[[SHIFTED:.*]] = arith.shrui %[[P]], %[[FOUR]]
// CHECK: arith.andi %[[SHIFTED]], %[[SECOND]]
func.func @alternate(%p: vector<32xi8>) -> (vector<32xi8>, vector<32xi8>) {
  %g:4 = qtile.unpack [2] alternate %p : 1 -> 4 x vector<32xi8>
  return %g#1, %g#3 : vector<32xi8>, vector<32xi8>
}

// CHECK-LABEL: func @lookup
// CHECK: %[[BASE:.*]] = memref.get_global @[[TABLE]]
// CHECK: %[[WIDE:.*]] = arith.extui %{{.*}} : vector<32xi8> to vector<32xi32>
// CHECK: %[[INSIDE:.*]] = arith.andi %[[WIDE]], %{{.*}}
// CHECK: vector.gather %[[BASE]][%{{.*}}] [%[[INSIDE]]]
func.func @lookup(%c: vector<32xi8>) -> vector<32xi8> {
  %v = qtile.lookup %c dense<[0, 1, 4, 12]> : tensor<4xi8> : vector<32xi8> -> vector<32xi8>
  return %v : vector<32xi8>
}

// CHECK-LABEL: func @dot4
// CHECK-COUNT-4: arith.muli %{{.*}} : vector<8xi32>
// CHECK-NOT: qtile
func.func @dot4(%a: vector<8xi32>, %u: vector<32xi8>, %s: vector<32xi8>) -> vector<8xi32> {
  %d = qtile.dot4 %a, %u, %s max 255 : vector<32xi8> -> vector<8xi32>
  return %d : vector<8xi32>
}

// CHECK-LABEL: func @dot2
// CHECK-COUNT-2: arith.muli %{{.*}} : vector<16xi16>
// CHECK-NOT: qtile
func.func @dot2(%a: vector<16xi16>, %u: vector<32xi8>, %s: vector<32xi8>) -> vector<16xi16> {
  %d = qtile.dot2 %a, %u, %s : vector<32xi8> -> vector<16xi16>
  return %d : vector<16xi16>
}

// CHECK-LABEL: func @prefetch
// CHECK: %[[BYTES:.*]] = arith.muli %arg2, %c64
// CHECK: scf.for %[[I:.*]] = %c0 to %[[BYTES]] step %c64
// CHECK: %[[AT:.*]] = arith.addi %arg1, %[[I]]
// CHECK: memref.prefetch %arg0[%[[AT]]], read, locality<2>, data
func.func @prefetch(%m: memref<?xi8>, %at: index, %lines: index) {
  qtile.prefetch %m[%at], %lines level 2 : memref<?xi8>
  return
}

// CHECK-LABEL: func @pin
// CHECK-NOT: qtile.pin
// CHECK: return %arg0
func.func @pin(%s: vector<8xi32>) -> vector<8xi32> {
  %p = qtile.pin %s : vector<8xi32>
  return %p : vector<8xi32>
}
