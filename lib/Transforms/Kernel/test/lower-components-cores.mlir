// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A level with processors that have tiles of their own: which one runs is asked once, and says how high a tile of prepared
// activations is, which unit runs, and how far ahead a row asks for its weights.
// RUN: quant-opt %s --qtensor-attach-scratch \
// RUN:   --qtensor-lower-components="lanes=16 registers=32 stream-ahead=0,4096 tile-counts=2,3 tile-rows=1,12,1,2,6 tile-columns=4,1,4,4,2" | FileCheck %s
// One machine: nothing is asked.
// RUN: quant-opt %s --qtensor-attach-scratch \
// RUN:   --qtensor-lower-components="lanes=16 registers=32 tile-rows=1,12 tile-columns=4,1" | FileCheck %s --check-prefix=ALONE --implicit-check-not=qtile.core --implicit-check-not=_unit_0

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
// CHECK-DAG: qtile.prefetch {{.*}} level 2
// CHECK-DAG: func.func private @qkernel_0_asking_1x4
// CHECK-DAG: func.func private @qkernel_0_asking_range_6x2
// The first tile of a range asks for its own lines, 4096 bytes ahead, and each tile for its rows' part of the next range.
// CHECK: func.func private @qkernel_0_unit_1
// CHECK: arith.subi %arg10, %arg9
// CHECK: %[[ROWS:.*]] = arith.subi %arg10, %arg9
// CHECK: arith.subi %{{.*}}, %arg9
// CHECK: arith.divui %{{.*}}, %[[ROWS]]
// CHECK: arith.cmpi eq, %{{.*}}, %c0
// CHECK: arith.select %{{.*}}, %c4096, %c0
// CHECK: func.call @qkernel_0_asking_range_2x4
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
