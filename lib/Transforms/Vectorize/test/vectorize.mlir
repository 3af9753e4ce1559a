// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file "-qtensor-vectorize=rows=2 vectors=2" -cse | FileCheck %s

// Elementwise: lanes along the last loop; 40 columns are one pair of vectors and a masked tail of 8.
// CHECK-LABEL: func.func @elementwise
// CHECK: scf.for
// CHECK: vector.load %{{.*}} : memref<3x40xf32>, vector<16xf32>
// CHECK: vector.load %{{.*}} : memref<3x40xf32>, vector<16xf32>
// CHECK: vector.maskedload
// CHECK: vector.maskedstore
#id = affine_map<(i, j) -> (i, j)>
#row = affine_map<(i, j) -> (j)>
func.func @elementwise(%a: memref<3x40xf32>, %b: memref<40xf32>, %c: memref<3x40xf32>) {
  linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
    ins(%a, %b : memref<3x40xf32>, memref<40xf32>) outs(%c : memref<3x40xf32>) {
  ^bb0(%x: f32, %y: f32, %o: f32):
    %s = arith.addf %x, %y : f32
    linalg.yield %s : f32
  }
  return
}

// -----

// A tail of one code is stored as an element: as a masked vector of narrowed integers LLVM would write four bytes.
// CHECK-LABEL: func.func @one_lane
// CHECK: vector.store %{{.*}} : memref<3x17xi8>, vector<16xi8>
// CHECK: %[[CODE:.*]] = vector.extract %{{.*}}[0] : i8 from vector<16xi8>
// CHECK: memref.store %[[CODE]], %{{.*}} : memref<3x17xi8>
#id1 = affine_map<(i, j) -> (i, j)>
func.func @one_lane(%a: memref<3x17xi32>, %c: memref<3x17xi8>) {
  linalg.generic {indexing_maps = [#id1, #id1], iterator_types = ["parallel", "parallel"]}
    ins(%a : memref<3x17xi32>) outs(%c : memref<3x17xi8>) {
  ^bb0(%x: i32, %o: i8):
    %s = arith.trunci %x : i32 to i8
    linalg.yield %s : i8
  }
  return
}

// -----

// A product: two rows by two vectors of accumulators, one fused multiply-add each, columns shared by the rows.
// CHECK-LABEL: func.func @matmul
// CHECK: %[[ACC:.*]]:4 = scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK: %[[B0:.*]] = vector.load
// CHECK: math.fma %{{.*}}, %[[B0]]
// CHECK: %[[B1:.*]] = vector.load
// CHECK: math.fma %{{.*}}, %[[B1]]
// CHECK: math.fma %{{.*}}, %[[B0]]
// CHECK: math.fma %{{.*}}, %[[B1]]
// CHECK-NEXT: scf.yield
func.func @matmul(%a: memref<4x64xf32>, %b: memref<64x32xf32>, %c: memref<4x32xf32>) {
  linalg.matmul ins(%a, %b : memref<4x64xf32>, memref<64x32xf32>) outs(%c : memref<4x32xf32>)
  return
}

// -----

// Both factors contiguous along the sum: lanes are partial sums, added by halves after the loop.
// CHECK-LABEL: func.func @transposed
// CHECK: scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>, vector<16xf32>, vector<16xf32>)
// CHECK-COUNT-4: math.fma
// CHECK: vector.shuffle %{{.*}}, %{{.*}} [0, 1, 2, 3, 4, 5, 6, 7]
// CHECK: vector.shuffle %{{.*}}, %{{.*}} [8, 9, 10, 11, 12, 13, 14, 15]
func.func @transposed(%a: memref<4x64xf32>, %b: memref<32x64xf32>, %c: memref<4x32xf32>) {
  linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
    ins(%a, %b : memref<4x64xf32>, memref<32x64xf32>) outs(%c : memref<4x32xf32>)
  return
}

// -----

// A maximum along a row of unknown length: lanes beyond the end keep what they had.
// CHECK-LABEL: func.func @rowMaximum
// CHECK: arith.maximumf %{{.*}} : vector<16xf32>
// CHECK: vector.create_mask
// CHECK: arith.select %{{.*}} : vector<16xi1>, vector<16xf32>
// CHECK-NOT: linalg
func.func @rowMaximum(%a: memref<8x?xf32>, %c: memref<8xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
    ins(%a : memref<8x?xf32>) outs(%c : memref<8xf32>) {
  ^bb0(%x: f32, %o: f32):
    %s = arith.maximumf %x, %o : f32
    linalg.yield %s : f32
  }
  return
}

// -----

// A lookup of rows: the row number is loaded once, the row is read as vectors.
// CHECK-LABEL: func.func @lookup
// CHECK: memref.load %{{.*}} : memref<5xi64>
// CHECK: vector.load %{{.*}} : memref<100x32xf32>, vector<16xf32>
func.func @lookup(%ids: memref<5xi64>, %table: memref<100x32xf32>, %c: memref<5x32xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%ids : memref<5xi64>) outs(%c : memref<5x32xf32>) {
  ^bb0(%id: i64, %o: f32):
    %i = arith.index_cast %id : i64 to index
    %j = linalg.index 1 : index
    %v = memref.load %table[%i, %j] : memref<100x32xf32>
    linalg.yield %v : f32
  }
  return
}

// -----

// Truth values are bytes in memory and bits in a vector: plain loops. Nothing of linalg is left, and a copy is a loop too.
// CHECK-LABEL: func.func @bits
// CHECK-NOT: vector.load
// CHECK: memref.store %{{.*}} : memref<64xi1>
// CHECK: vector.store %{{.*}} : memref<64xf32>, vector<16xf32>
// CHECK-NOT: memref.copy
func.func @bits(%a: memref<64xf32>, %c: memref<64xi1>, %d: memref<64xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
    ins(%a : memref<64xf32>) outs(%c : memref<64xi1>) {
  ^bb0(%x: f32, %o: i1):
    %s = arith.cmpf ogt, %x, %x : f32
    linalg.yield %s : i1
  }
  memref.copy %a, %d : memref<64xf32> to memref<64xf32>
  return
}

// -----

// Large ops run their outermost loop in parallel, small ones do not.
// CHECK-LABEL: func.func @large
// CHECK: scf.parallel
func.func @large(%a: memref<64x1024xf32>, %c: memref<64x1024xf32>) {
  linalg.copy ins(%a : memref<64x1024xf32>) outs(%c : memref<64x1024xf32>)
  return
}

// -----

// A factor from outside of the payload is read where it is.
// CHECK-LABEL: func.func @scaled_sum
// CHECK-SAME: %[[SCALE:[a-z0-9]+]]: f32
// CHECK: vector.broadcast %[[SCALE]] : f32 to vector<16xf32>
// CHECK: math.fma
func.func @scaled_sum(%a: memref<8x64xf32>, %c: memref<64xf32>, %scale: f32) {
  linalg.generic {indexing_maps = [affine_map<(j, k) -> (k, j)>, affine_map<(j, k) -> (j)>], iterator_types = ["parallel", "reduction"]}
    ins(%a : memref<8x64xf32>) outs(%c : memref<64xf32>) {
  ^bb0(%x: f32, %o: f32):
    %p = arith.mulf %x, %scale : f32
    %s = arith.addf %o, %p : f32
    linalg.yield %s : f32
  }
  return
}
