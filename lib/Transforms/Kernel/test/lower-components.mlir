// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --qtensor-attach-scratch \
// RUN:   --qtensor-lower-components="lanes=16 registers=32 tile-rows=1,12 tile-columns=4,1" | FileCheck %s

#x = #qtensor.block<codec<8, int<signed>>, [1, 32], scale = f32>
#w = #qtensor.block<codec<4, int<signed>>, [1, 32], scale = f16>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#n = affine_map<(m, n) -> (n)>

// Two contractions of one format and epilogue share a kernel, whatever their sizes.
// CHECK-LABEL: func.func @shared
// CHECK: memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<?xi8>
// CHECK: scf.parallel
// CHECK: scf.parallel
// CHECK: func.call @qkernel_0_unit
// CHECK: func.call @qkernel_0_unit
// CHECK-NOT: qtensor.contract
// CHECK-LABEL: func.func private @qkernel_0_tile_1x4
// CHECK: qtile.unpack [4]
// CHECK: qtile.dot4 {{.*}} max 15 : vector<64xi8> -> vector<16xi32>
// CHECK: math.fma
// CHECK: arith.addf
// CHECK-LABEL: func.func private @qkernel_0_range_12x1
// CHECK: math.fma
// CHECK-NOT: arith.addf
// CHECK: return
// CHECK-LABEL: func.func private @qkernel_0_unit
// CHECK: arith.addf {{.*}} : vector<16xf32>
// CHECK-NOT: qkernel_1
func.func @shared(%xc: memref<?x64xi8>, %xs: memref<?x2xf32>, %w: memref<1152xi8>, %b: memref<32xf32>, %y: memref<?x32xf32>,
                  %xc2: memref<?x96xi8>, %xs2: memref<?x3xf32>, %w2: memref<3456xi8>, %b2: memref<64xf32>, %y2: memref<?x64xf32>) {
  qtensor.contract #qtensor.strategy<integer<1>> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%xc, %xs : memref<?x64xi8>, memref<?x2xf32>) as #x
      rhs(%w : memref<1152xi8>) encoded #w layout #qtile.packed<<rows = 16, block = 32, codes = i4, scale = f16>, [32, 64]>
      extra(%b : memref<32xf32>) extra_maps [#n] outs(%y : memref<?x32xf32>) {
   ^bb0(%a: f32, %e: f32):
     %0 = arith.addf %a, %e : f32
     qtensor.yield %0 : f32
  }
  qtensor.contract #qtensor.strategy<integer<1>> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%xc2, %xs2 : memref<?x96xi8>, memref<?x3xf32>) as #x
      rhs(%w2 : memref<3456xi8>) encoded #w layout #qtile.packed<<rows = 16, block = 32, codes = i4, scale = f16>, [64, 96]>
      extra(%b2 : memref<64xf32>) extra_maps [#n] outs(%y2 : memref<?x64xf32>) {
   ^bb0(%a: f32, %e: f32):
     %0 = arith.addf %a, %e : f32
     qtensor.yield %0 : f32
  }
  return
}

// -----

#x = #qtensor.block<codec<8, int<signed>>, [1, ?], scale = f32>
#w = #qtensor.block<codec<6, int<signed>>, [1, 32], scale = f16>
#v = #qtensor.block<codec<6, int<signed>>, [1, 24], scale = f16>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>

// Blocks of 24 and 32 both take 32 codes, but in other places.
// CHECK-LABEL: func.func @not_shared
// CHECK: func.call @qkernel_0_unit
// CHECK: func.call @qkernel_1_unit
func.func @not_shared(%xc: memref<?x96xi8>, %xs: memref<?x1xf32>, %w: memref<1248xi8>, %v: memref<1664xi8>, %y: memref<?x16xf32>) {
  qtensor.contract #qtensor.strategy<integer<1>> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%xc, %xs : memref<?x96xi8>, memref<?x1xf32>) as #x
      rhs(%w : memref<1248xi8>) encoded #w layout #qtile.packed<<rows = 16, block = 32, codes = i6, scale = f16>, [16, 96]>
      outs(%y : memref<?x16xf32>) {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  qtensor.contract #qtensor.strategy<integer<1>> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%xc, %xs : memref<?x96xi8>, memref<?x1xf32>) as #x
      rhs(%v : memref<1664xi8>) encoded #v layout #qtile.packed<<rows = 16, block = 24, codes = i6, scale = f16>, [16, 96]>
      outs(%y : memref<?x16xf32>) {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return
}

// -----

#x = #qtensor.block<codec<8, int<signed>>, [1, 32], scale = f32>

// The scale that is stored divides: a later read sees the same one.
// CHECK-LABEL: func.func @encode
// CHECK: scf.parallel
// CHECK: math.absf
// CHECK: %[[MAX:.*]] = vector.reduction <maxui>
// CHECK: %[[F:.*]] = arith.bitcast %[[MAX]] : i32 to f32
// CHECK: %[[S:.*]] = arith.divf %[[F]], %{{.*}} : f32
// CHECK: memref.store %[[S]]
// CHECK: arith.divf %{{.*}} : vector<16xf32>
// CHECK: math.roundeven
// CHECK: arith.fptosi
// CHECK-NOT: qtensor.encode
func.func @encode(%x: memref<?x64xf32>, %c: memref<?x64xi8>, %s: memref<?x2xf32>) {
  qtensor.encode %x as #x outs(%c, %s : memref<?x64xi8>, memref<?x2xf32>) : memref<?x64xf32>
  return
}

// -----

#w = #qtensor.block<codec<4, int<signed>>, [1, 32], scale = f16>

// CHECK-LABEL: func.func @decode
// CHECK: arith.sitofp
// CHECK: arith.extf
// CHECK: arith.mulf
// CHECK: memref.store
func.func @decode(%c: memref<4x64xi8>, %s: memref<4x2xf16>, %y: memref<4x64xf32>) {
  qtensor.decode %c, %s as #w outs(%y : memref<4x64xf32>) : memref<4x64xi8>, memref<4x2xf16>
  return
}

// -----

// A depthwise window has no matrix in it: channels lie in lanes, over a weight that is decoded once.
// CHECK-LABEL: func.func @depthwise
// CHECK: memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<?xi8>
// CHECK: scf.parallel
// CHECK: memref.store %{{.*}}, %[[W:.*]][%{{.*}}] : memref<?xf32>
// CHECK: scf.parallel
// CHECK: vector.load %[[W]][%{{.*}}] : memref<?xf32>, vector<4xf32>
// CHECK: vector.load %{{.*}} : memref<1x8x8x4xf32>, vector<4xf32>
// CHECK: math.fma %{{.*}} : vector<4xf32>
// CHECK-NOT: qkernel
func.func @depthwise(%x: memref<1x8x8x4xf32>, %w: memref<3x3x4xf32>, %y: memref<1x6x6x4xf32>) {
  qtensor.contract #qtensor.strategy<float>
      maps [affine_map<(b, h, w, c, p, q) -> (b, h + p, w + q, c)>, affine_map<(b, h, w, c, p, q) -> (p, q, c)>,
            affine_map<(b, h, w, c, p, q) -> (b, h, w, c)>]
      iterators ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]
      lhs(%x : memref<1x8x8x4xf32>) rhs(%w : memref<3x3x4xf32>) outs(%y : memref<1x6x6x4xf32>) {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return
}

// -----

#x = #qtensor.block<codec<8, int<signed>>, [1, 1, ?], scale = f32>
#w = #qtensor.block<codec<8, int<signed>>, [1, ?, ?], scale = f32>

// A run-time weight of a batched product: exact sums of a vector of columns, then their scales. 20 columns are two vectors.
// CHECK-LABEL: func.func @run_time_weight
// CHECK: scf.parallel
// CHECK: memref.store %{{.*}} : memref<?xi32>
// CHECK: scf.parallel
// CHECK: memref.store %{{.*}} : memref<?xf32>
// CHECK: scf.parallel
// CHECK: arith.muli %{{.*}} : vector<16xi32>
// CHECK: arith.sitofp %{{.*}} : vector<16xi32> to vector<16xf32>
// CHECK: math.fma %{{.*}} : vector<16xf32>
func.func @run_time_weight(%x: memref<2x?x8xi8>, %xs: memref<2x?x1xf32>, %w: memref<2x20x8xi8>, %ws: memref<2x1x1xf32>,
                           %y: memref<2x?x20xf32>) {
  qtensor.contract #qtensor.strategy<integer<1>>
      maps [affine_map<(b, m, n, k) -> (b, m, k)>, affine_map<(b, m, n, k) -> (b, n, k)>,
            affine_map<(b, m, n, k) -> (b, m, n)>]
      iterators ["parallel", "parallel", "parallel", "reduction"]
      lhs(%x, %xs : memref<2x?x8xi8>, memref<2x?x1xf32>) as #x rhs(%w, %ws : memref<2x20x8xi8>, memref<2x1x1xf32>)
      encoded #w outs(%y : memref<2x?x20xf32>) {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return
}

// -----

#x = #qtensor.block<codec<8, int<signed>>, [1, ?], scale = f32>
#w = #qtensor.block<codec<8, int<signed>>, [1, 4], scale = f32>

// A run-time weight of several blocks: the generic row.
// CHECK-LABEL: func.func @generic
// CHECK-NOT: memref.alloc
// CHECK: scf.parallel
// CHECK: arith.muli %{{.*}} : i32
// CHECK: math.fma %{{.*}} : f32
// CHECK-NOT: vector
func.func @generic(%x: memref<3x8xi8>, %xs: memref<3x1xf32>, %w: memref<5x8xi8>, %ws: memref<5x2xf32>, %y: memref<3x5xf32>) {
  qtensor.contract #qtensor.strategy<integer<1>>
      maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      iterators ["parallel", "parallel", "reduction"]
      lhs(%x, %xs : memref<3x8xi8>, memref<3x1xf32>) as #x rhs(%w, %ws : memref<5x8xi8>, memref<5x2xf32>) encoded #w
      outs(%y : memref<3x5xf32>) {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return
}

// -----

#x = #qtensor.block<codec<8, int<unsigned>>, [?, ?, ?, ?], scale = 0.5, zero = 3>
#w = #qtensor.block<codec<4, int<signed>>, [1, 1, ?, ?], scale = f16>

// A window of few channels with blocks of a row of it: gathered into a buffer, unsigned codes made signed, padding at
// the zero point, and a row of ones for the sums of the weight's codes.
// CHECK-LABEL: func.func @window
// CHECK: scf.parallel
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<82xi8>
// CHECK: vector.store %{{.*}} : memref<82xi8>, vector<4xi8>
// CHECK: arith.xori
// CHECK: arith.select
// CHECK: scf.parallel
// CHECK-LABEL: func.func private @qkernel_0_tile_1x4
// CHECK-DAG: %[[ONES:.*]] = arith.constant dense<1> : vector<64xi8>
// CHECK: qtile.dot4 %{{.*}}, %{{.*}}, %[[ONES]] max 15
func.func @window(%x: memref<1x8x8x3xi8>, %w: memref<864xi8>, %y: memref<1x6x7x16xf32>) {
  qtensor.contract #qtensor.strategy<integer<1>>
      maps [affine_map<(b, h, w, f, p, q, c) -> (b, h + p, w + q, c)>, affine_map<(b, h, w, f, p, q, c) -> (f, p, q, c)>,
            affine_map<(b, h, w, f, p, q, c) -> (b, h, w, f)>]
      iterators ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]
      lhs(%x : memref<1x8x8x3xi8>) as #x rhs(%w : memref<864xi8>) encoded #w
      layout #qtile.packed<<rows = 16, block = 6, codes = i4, scale = f16>, [16, 3, 2, 3]> outs(%y : memref<1x6x7x16xf32>) {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return
}
