// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A level with processors that have tiles of their own: which one runs is asked once, and says how high a tile of prepared
// activations is, which unit runs, and how far ahead a row asks for its weights.
// RUN: quant-opt %s --qtensor-attach-scratch \
// RUN:   --qtensor-lower-components="lanes=16 registers=32 stream-ahead=0,4096 tile-counts=2,3 tile-rows=1,12,1,2,6 tile-columns=4,1,4,4,2" | FileCheck %s
// RUN: quant-opt %s --qtensor-attach-scratch \
// RUN:   --qtensor-lower-components="lanes=16 registers=32 stream-ahead=0,4096 tile-counts=2,3 tile-rows=1,12,1,2,6 tile-columns=4,1,4,4,2" | FileCheck %s --check-prefix=TILE
// One machine: nothing is asked.
// RUN: quant-opt %s --qtensor-attach-scratch \
// RUN:   --qtensor-lower-components="lanes=16 registers=32 tile-rows=1,12 tile-columns=4,1" | FileCheck %s --check-prefix=ALONE --implicit-check-not=qtile.core --implicit-check-not=_unit_0

// At each block a half of a panel's tile asks for the lines that begin in its part, of 2^22 to a line: what all blocks and both halves
// ask for is what the turn, from %arg15 to %arg16, has of the bytes behind the range.
// TILE-LABEL: func.func private @qkernel_0_asking_range_6x2
// TILE: %[[DONE:.*]] = arith.subi %[[BLOCK:.*]], %arg17
// TILE-NEXT: %[[ALL:.*]] = arith.subi %arg18, %arg17
// TILE: %[[HALF:.*]] = arith.divui %{{.*}}, %c32
// TILE-NEXT: %[[NEXT:.*]] = arith.muli %arg18, %c1152
// TILE-NEXT: %[[START:.*]] = arith.muli %arg17, %c1152
// TILE-NEXT: %[[SIZE:.*]] = arith.subi %[[NEXT]], %[[START]]
// TILE: %[[FURTHER:.*]] = arith.addi %[[NEXT]], %c4096
// TILE-NEXT: %[[BEGIN:.*]] = arith.addi %{{.*}}, %[[FURTHER]]
// TILE-NEXT: %[[TURN:.*]] = arith.subi %arg16, %arg15
// TILE-NEXT: %[[BYTES:.*]] = arith.muli %[[TURN]], %[[SIZE]]
// TILE: %[[PLACES:.*]] = arith.muli %[[ALL]], %c2
// TILE-NEXT: %[[SHARE:.*]] = arith.divui %[[BYTES]], %[[PLACES]]
// TILE-NEXT: %[[BLOCKS:.*]] = arith.muli %[[HALF]], %[[ALL]]
// TILE-NEXT: %[[PLACE:.*]] = arith.addi %[[BLOCKS]], %[[DONE]]
// TILE-NEXT: %[[PASSED:.*]] = arith.muli %[[PLACE]], %[[SHARE]]
// TILE: %[[SCALED:.*]] = arith.muli %[[BEGIN]], %c65536
// TILE-NEXT: %[[OWN:.*]] = arith.muli %arg15, %[[SIZE]]
// TILE-NEXT: %[[SUM:.*]] = arith.addi %[[SCALED]], %[[OWN]]
// TILE-NEXT: %[[FROM:.*]] = arith.addi %[[SUM]], %[[PASSED]]
// TILE: %[[LINE:.*]] = arith.divui %[[FROM]], %c4194304
// TILE-NEXT: %[[TO:.*]] = arith.addi %[[FROM]], %[[SHARE]]
// TILE-NEXT: %[[LAST:.*]] = arith.divui %[[TO]], %c4194304
// TILE: %[[AT:.*]] = arith.muli %[[LINE]], %c64
// TILE-NEXT: %[[COUNT:.*]] = arith.subi %[[LAST]], %[[LINE]]
// TILE-NEXT: qtile.prefetch %arg3[%[[AT]]], %[[COUNT]] level 2

#x = #qtensor.block<codec<8, int<signed>>, [1, 32], scale = f32>
#w = #qtensor.block<codec<4, int<signed>>, [1, 32], scale = f16>

// CHECK-LABEL: func.func @main
// CHECK: %[[CORE:.*]] = qtile.core : index
// CHECK: %[[RUNS:.*]] = arith.cmpi eq, %[[CORE]], %c1
// CHECK: arith.select %[[RUNS]], %c6{{.*}}, %c12
// CHECK: func.call @qkernel_0_unit({{.*}}, %[[CORE]])
// CHECK-DAG: func.func private @qkernel_0_tile_1x4
// CHECK-DAG: func.func private @qkernel_0_range_12x1
// CHECK-DAG: qtile.prefetch {{.*}} level 1
// CHECK-DAG: func.func private @qkernel_0_asking_1x4
// CHECK-DAG: func.func private @qkernel_0_asking_range_6x2
// The first tile of a range asks for its own lines, 4096 bytes ahead, and each tile for its rows' part of the next range.
// CHECK: func.func private @qkernel_0_unit_1
// CHECK: arith.subi %arg10, %arg9
// CHECK: %[[ROWS:.*]] = arith.subi %arg10, %arg9
// CHECK: %c65536 = arith.constant 65536
// CHECK-NEXT: %[[DONE:.*]] = arith.subi %{{.*}}, %arg9 : index
// CHECK-NEXT: %[[BEFORE:.*]] = arith.muli %[[DONE]], %c65536
// CHECK-NEXT: %[[TURN:.*]] = arith.divui %[[BEFORE]], %[[ROWS]]
// CHECK-NEXT: %[[BEHIND:.*]] = arith.addi %[[DONE]], %c1_{{[0-9]+}}
// CHECK-NEXT: %[[LAST:.*]] = arith.minui %[[BEHIND]], %[[ROWS]]
// CHECK-NEXT: %[[UNTIL:.*]] = arith.muli %[[LAST]], %c65536
// CHECK-NEXT: %[[END:.*]] = arith.divui %[[UNTIL]], %[[ROWS]]
// CHECK-NEXT: %[[FIRST:.*]] = arith.cmpi eq, %[[DONE]], %c0
// CHECK: %[[AHEAD:.*]] = arith.select %[[FIRST]], %c4096, %c0
// CHECK: %[[SINGLE:.*]] = arith.cmpi ule, %[[ROWS]], %c1_
// CHECK: %[[FROM:.*]] = arith.select %[[SINGLE]], %[[END]], %[[TURN]]
// CHECK: func.call @qkernel_0_asking_range_1x4({{.*}}, %[[AHEAD]], %[[FROM]], %[[END]],
// CHECK: func.func private @qkernel_0_unit({{.*}}, %{{.*}}: index, %[[ARGUMENT:[a-z0-9]+]]: index) {
// CHECK: scf.index_switch %[[ARGUMENT]]
// CHECK-NEXT: case 1 {
// CHECK-NEXT: func.call @qkernel_0_unit_1
// CHECK: default {
// CHECK-NEXT: func.call @qkernel_0_unit_0
// ALONE: func.call @qkernel_0_unit
func.func @main(%xc: memref<?x64xi8>, %xs: memref<?x2xf32>, %w: memref<2304xi8>, %y: memref<?x64xf32>) {
  qtensor.contract #qtensor.strategy<integer<1>> maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      iterators ["parallel", "parallel", "reduction"]
      lhs(%xc, %xs : memref<?x64xi8>, memref<?x2xf32>) as #x
      rhs(%w : memref<2304xi8>) encoded #w layout #qtile.packed<<rows = 64, block = 32, codes = i4, scale = f16>, [64, 64]>
      outs(%y : memref<?x64xf32>) {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return
}
