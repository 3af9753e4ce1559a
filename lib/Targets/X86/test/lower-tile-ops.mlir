// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --x86-lower-tile-ops=level=avx512 | FileCheck %s --check-prefixes=CHECK,ZMM
// RUN: quant-opt %s --x86-lower-tile-ops=level=avx2 | FileCheck %s --check-prefixes=CHECK,YMM
// RUN: quant-opt %s --x86-lower-tile-ops=level=avx2vnni | FileCheck %s --check-prefixes=CHECK,VNNI
// RUN: quant-opt %s --x86-lower-tile-ops=level=baseline | FileCheck %s --check-prefixes=CHECK,BASE

// CHECK-LABEL: func @dot_512
// ZMM: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// YMM: qtile.dot4
func.func @dot_512(%a: vector<16xi32>, %u: vector<64xi8>, %s: vector<64xi8>) -> vector<16xi32> {
  %d = qtile.dot4 %a, %u, %s max 255 : vector<64xi8> -> vector<16xi32>
  return %d : vector<16xi32>
}

// CHECK-LABEL: func @dot_256_small
// YMM: %[[P:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
// YMM: %[[Q:.*]] = llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"(%[[P]], %{{.*}})
// YMM: arith.addi %{{.*}}, %[[Q]]
// VNNI: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.256"
// BASE: qtile.dot4
func.func @dot_256_small(%a: vector<8xi32>, %u: vector<32xi8>, %s: vector<32xi8>) -> vector<8xi32> {
  %d = qtile.dot4 %a, %u, %s max 127 : vector<32xi8> -> vector<8xi32>
  return %d : vector<8xi32>
}

// 2 * 128 * 128 does not fit in i16: no saturating instruction may appear.
// CHECK-LABEL: func @dot_256_large
// YMM-NOT: pmadd.ub.sw
// YMM-COUNT-2: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
func.func @dot_256_large(%a: vector<8xi32>, %u: vector<32xi8>, %s: vector<32xi8>) -> vector<8xi32> {
  %d = qtile.dot4 %a, %u, %s max 128 : vector<32xi8> -> vector<8xi32>
  return %d : vector<8xi32>
}

// CHECK-LABEL: func @bytes_16
// ZMM: llvm.call_intrinsic "llvm.x86.avx512.pshuf.b.512"
func.func @bytes_16(%c: vector<64xi8>) -> vector<64xi8> {
  %v = qtile.lookup %c dense<[0, 1, 2, 3, 4, 6, 8, 12, 0, 1, 2, 3, 4, 6, 8, 12]> : tensor<16xi8> : vector<64xi8> -> vector<64xi8>
  return %v : vector<64xi8>
}

// Sixteen entries repeat in a table of 64, whose instruction reads six bits: codes of a piece need no mask.
// CHECK-LABEL: func @bytes_of_piece
// CHECK-SAME: (%[[P:.*]]: vector<64xi8>)
// ZMM: %[[FOUR:.*]] = arith.constant dense<4> : vector<32xi16>
// ZMM: %[[MOVED:.*]] = arith.shrui %{{.*}}, %[[FOUR]]
// ZMM: %[[CODES:.*]] = vector.bitcast %[[MOVED]] : vector<32xi16> to vector<64xi8>
// ZMM: llvm.call_intrinsic "llvm.x86.avx512.permvar.qi.512"(%{{.*}}, %[[CODES]])
// ZMM-NOT: qtile.unpack
// YMM: qtile.unpack
func.func @bytes_of_piece(%p: vector<64xi8>) -> vector<64xi8> {
  %g:2 = qtile.unpack [4] %p : 1 -> 2 x vector<64xi8>
  %v = qtile.lookup %g#1 dense<[0, 1, 2, 3, 4, 6, 8, 12, 0, 1, 2, 3, 4, 6, 8, 12]> : tensor<16xi8> : vector<64xi8> -> vector<64xi8>
  return %v : vector<64xi8>
}

// CHECK-LABEL: func @bytes_32
// ZMM: llvm.call_intrinsic "llvm.x86.avx512.permvar.qi.512"
func.func @bytes_32(%c: vector<64xi8>) -> vector<64xi8> {
  %v = qtile.lookup %c dense<5> : tensor<32xi8> : vector<64xi8> -> vector<64xi8>
  return %v : vector<64xi8>
}

// Sixteen entries are two registers of a 256-bit level, chosen by the code's high bit.
// CHECK-LABEL: func @floats_16
// YMM-COUNT-2: llvm.call_intrinsic "llvm.x86.avx2.permps"
// YMM: arith.select
func.func @floats_16(%c: vector<8xi32>) -> vector<8xf32> {
  %v = qtile.lookup %c dense<[-1.0, -0.5, 0.0, 0.5, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0]> : tensor<16xf32> : vector<8xi32> -> vector<8xf32>
  return %v : vector<8xf32>
}

// CHECK-LABEL: func @half
// BASE-NOT: arith.extf
// ZMM: arith.extf
func.func @half(%h: vector<8xf16>) -> vector<8xf32> {
  %f = arith.extf %h : vector<8xf16> to vector<8xf32>
  return %f : vector<8xf32>
}

// A loop in one piece, between two addresses; the generic row does it where the memory's begin is not known.
// CHECK-LABEL: func @prefetch
// CHECK: %[[MEMORY:.*]] = memref.extract_aligned_pointer_as_index %arg0
// CHECK: %[[FROM:.*]] = arith.addi %[[MEMORY]], %arg2
// CHECK: %[[BYTES:.*]] = arith.muli %arg3, %c64
// CHECK: %[[TO:.*]] = arith.addi %[[FROM]], %[[BYTES]]
// CHECK-DAG: %[[END:.*]] = arith.index_cast %[[TO]] : index to i64
// CHECK-DAG: %[[BEGIN:.*]] = arith.index_cast %[[FROM]] : index to i64
// CHECK: llvm.inline_asm has_side_effects "cmpq $1, $0\0A\09jae 2f\0A1:\0A\09prefetcht1 ($0)\0A\09addq $$64, $0\0A\09cmpq $1, $0\0A\09jb 1b\0A2:", "=&r,r,0,~{flags}" %[[END]], %[[BEGIN]]
// CHECK: qtile.prefetch %arg1
func.func @prefetch(%m: memref<?xi8>, %view: memref<?xi8, strided<[1], offset: ?>>, %at: index, %lines: index) {
  qtile.prefetch %m[%at], %lines level 2 : memref<?xi8>
  qtile.prefetch %view[%at], %lines level 1 : memref<?xi8, strided<[1], offset: ?>>
  return
}

// Whole registers only: the others are split, and the generic row drops the wish.
// CHECK-LABEL: func @pin
// BASE: qtile.pin
// YMM: llvm.inline_asm has_side_effects "", "=v,0" %{{.*}} : (vector<8xi32>) -> vector<8xi32>
// ZMM: qtile.pin
func.func @pin(%s: vector<8xi32>) -> vector<8xi32> {
  %p = qtile.pin %s : vector<8xi32>
  return %p : vector<8xi32>
}
