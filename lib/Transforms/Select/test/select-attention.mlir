// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --qtensor-select-attention | FileCheck %s
#kv = #qtensor.block<int8, [1, ?], scale = f32>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (m)>

// One head without a batch. The scale and the mask stand in the op; the mask is computed on a score of 0.
// CHECK-LABEL: @matrix
// CHECK-SAME: %[[Q:.*]]: tensor<3x16xf32>, %[[K:.*]]: tensor<40x16xf32, #{{.*}}>, %[[V:.*]]: tensor<40x16xf32, #{{.*}}>, %[[B:.*]]: tensor<3x40xf32>
// CHECK: %[[KC:.*]] = qtensor.component %[[K]] "codes"
// CHECK: tensor.expand_shape %[[KC]] {{\[\[}}0, 1, 2], [3]]
// CHECK: %[[M:.*]] = linalg.generic {{.*}} ins(%[[B]] : tensor<3x40xf32>)
// CHECK: arith.mulf %cst{{.*}}, %cst
// CHECK: arith.addf
// CHECK: %[[Y:.*]] = qtensor.attention query(%{{.*}} : tensor<1x1x3x16xf32>) key(%{{.*}} : tensor<1x1x40x16xi8>, tensor<1x1x40x1xf32>)
// CHECK-SAME: mask(%[[M]] : tensor<3x40xf32>) scale 2.500000e-01
// CHECK-SAME: qtensor.reason = "queries and weights are not rounded"
// CHECK: tensor.collapse_shape %[[Y]]
func.func @matrix(%q: tensor<3x16xf32>, %k: tensor<40x16xf32, #kv>, %v: tensor<40x16xf32, #kv>, %b: tensor<3x40xf32>) -> tensor<3x16xf32> {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %scale = arith.constant 0.25 : f32
  %e = tensor.empty() : tensor<3x40xf32>
  %er = tensor.empty() : tensor<3xf32>
  %ey = tensor.empty() : tensor<3x16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<3x40xf32>) -> tensor<3x40xf32>
  %fr = linalg.fill ins(%zero : f32) outs(%er : tensor<3xf32>) -> tensor<3xf32>
  %lr = linalg.fill ins(%low : f32) outs(%er : tensor<3xf32>) -> tensor<3xf32>
  %fy = linalg.fill ins(%zero : f32) outs(%ey : tensor<3x16xf32>) -> tensor<3x16xf32>
  %s = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%q, %k : tensor<3x16xf32>, tensor<40x16xf32, #kv>) outs(%f : tensor<3x40xf32>) -> tensor<3x40xf32>
  %m = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%s, %b : tensor<3x40xf32>, tensor<3x40xf32>) outs(%e : tensor<3x40xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %0 = arith.mulf %x, %scale : f32
      %1 = arith.addf %0, %y : f32
      linalg.yield %1 : f32
  } -> tensor<3x40xf32>
  %t = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%m : tensor<3x40xf32>) outs(%lr : tensor<3xf32>) {
    ^bb0(%x: f32, %o: f32):
      %0 = arith.maximumf %o, %x : f32
      linalg.yield %0 : f32
  } -> tensor<3xf32>
  %r = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%m, %t : tensor<3x40xf32>, tensor<3xf32>) outs(%e : tensor<3x40xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %0 = arith.subf %x, %y : f32
      %1 = math.exp %0 : f32
      linalg.yield %1 : f32
  } -> tensor<3x40xf32>
  %n = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%r : tensor<3x40xf32>) outs(%fr : tensor<3xf32>) {
    ^bb0(%x: f32, %o: f32):
      %0 = arith.addf %o, %x : f32
      linalg.yield %0 : f32
  } -> tensor<3xf32>
  %w = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%r, %n : tensor<3x40xf32>, tensor<3xf32>) outs(%e : tensor<3x40xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %0 = arith.divf %x, %y : f32
      linalg.yield %0 : f32
  } -> tensor<3x40xf32>
  %y = linalg.matmul indexing_maps = [#mk, #kn, #mn] ins(%w, %v : tensor<3x40xf32>, tensor<40x16xf32, #kv>) outs(%fy : tensor<3x16xf32>) -> tensor<3x16xf32>
  return %y : tensor<3x16xf32>
}

// -----

#kv = #qtensor.block<int8, [1, ?], scale = f32>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (m)>

// The weights are divided by the sum of something else: no softmax.
// CHECK-LABEL: @no_softmax
// CHECK-NOT: qtensor.attention
// CHECK: return
func.func @no_softmax(%q: tensor<3x16xf32>, %k: tensor<40x16xf32, #kv>, %v: tensor<40x16xf32, #kv>, %n: tensor<3xf32>) -> tensor<3x16xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<3x40xf32>
  %ey = tensor.empty() : tensor<3x16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<3x40xf32>) -> tensor<3x40xf32>
  %fy = linalg.fill ins(%zero : f32) outs(%ey : tensor<3x16xf32>) -> tensor<3x16xf32>
  %s = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%q, %k : tensor<3x16xf32>, tensor<40x16xf32, #kv>) outs(%f : tensor<3x40xf32>) -> tensor<3x40xf32>
  %w = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%s, %n : tensor<3x40xf32>, tensor<3xf32>) outs(%e : tensor<3x40xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %0 = arith.divf %x, %y : f32
      linalg.yield %0 : f32
  } -> tensor<3x40xf32>
  %y = linalg.matmul indexing_maps = [#mk, #kn, #mn] ins(%w, %v : tensor<3x40xf32>, tensor<40x16xf32, #kv>) outs(%fy : tensor<3x16xf32>) -> tensor<3x16xf32>
  return %y : tensor<3x16xf32>
}

// -----

#kv = #qtensor.block<int8, [1, ?], scale = f32>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (m)>

// Weights that are left out behind the softmax are no guard of rows without a visible token.
// CHECK-LABEL: @masked_weights
// CHECK-NOT: qtensor.attention
// CHECK: return
func.func @masked_weights(%q: tensor<3x16xf32>, %k: tensor<40x16xf32, #kv>, %v: tensor<40x16xf32, #kv>, %b: tensor<3x40xf32>) -> tensor<3x16xf32> {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %scale = arith.constant 0.25 : f32
  %e = tensor.empty() : tensor<3x40xf32>
  %er = tensor.empty() : tensor<3xf32>
  %ey = tensor.empty() : tensor<3x16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<3x40xf32>) -> tensor<3x40xf32>
  %fr = linalg.fill ins(%zero : f32) outs(%er : tensor<3xf32>) -> tensor<3xf32>
  %lr = linalg.fill ins(%low : f32) outs(%er : tensor<3xf32>) -> tensor<3xf32>
  %fy = linalg.fill ins(%zero : f32) outs(%ey : tensor<3x16xf32>) -> tensor<3x16xf32>
  %s = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%q, %k : tensor<3x16xf32>, tensor<40x16xf32, #kv>) outs(%f : tensor<3x40xf32>) -> tensor<3x40xf32>
  %m = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%s, %b : tensor<3x40xf32>, tensor<3x40xf32>) outs(%e : tensor<3x40xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %0 = arith.mulf %x, %scale : f32
      %1 = arith.addf %0, %y : f32
      linalg.yield %1 : f32
  } -> tensor<3x40xf32>
  %t = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%m : tensor<3x40xf32>) outs(%lr : tensor<3xf32>) {
    ^bb0(%x: f32, %o: f32):
      %0 = arith.maximumf %o, %x : f32
      linalg.yield %0 : f32
  } -> tensor<3xf32>
  %r = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%m, %t : tensor<3x40xf32>, tensor<3xf32>) outs(%e : tensor<3x40xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %0 = arith.subf %x, %y : f32
      %1 = math.exp %0 : f32
      linalg.yield %1 : f32
  } -> tensor<3x40xf32>
  %n = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%r : tensor<3x40xf32>) outs(%fr : tensor<3xf32>) {
    ^bb0(%x: f32, %o: f32):
      %0 = arith.addf %o, %x : f32
      linalg.yield %0 : f32
  } -> tensor<3xf32>
  %w = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%r, %n : tensor<3x40xf32>, tensor<3xf32>) outs(%e : tensor<3x40xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %0 = arith.divf %x, %y : f32
      %large = arith.cmpf ogt, %x, %scale : f32
      %1 = arith.select %large, %0, %zero : f32
      linalg.yield %1 : f32
  } -> tensor<3x40xf32>
  %y = linalg.matmul indexing_maps = [#mk, #kn, #mn] ins(%w, %v : tensor<3x40xf32>, tensor<40x16xf32, #kv>) outs(%fy : tensor<3x16xf32>) -> tensor<3x16xf32>
  return %y : tensor<3x16xf32>
}

// -----

#kv = #qtensor.block<int8, [1, ?], scale = f32>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
#row = affine_map<(m, n) -> (m)>

// The sum does not begin at zero.
// CHECK-LABEL: @sink
// CHECK-NOT: qtensor.attention
// CHECK: return
func.func @sink(%q: tensor<3x16xf32>, %k: tensor<40x16xf32, #kv>, %v: tensor<40x16xf32, #kv>, %b: tensor<3x40xf32>) -> tensor<3x16xf32> {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %scale = arith.constant 0.25 : f32
  %e = tensor.empty() : tensor<3x40xf32>
  %er = tensor.empty() : tensor<3xf32>
  %ey = tensor.empty() : tensor<3x16xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<3x40xf32>) -> tensor<3x40xf32>
  %fr = linalg.fill ins(%scale : f32) outs(%er : tensor<3xf32>) -> tensor<3xf32>
  %lr = linalg.fill ins(%low : f32) outs(%er : tensor<3xf32>) -> tensor<3xf32>
  %fy = linalg.fill ins(%zero : f32) outs(%ey : tensor<3x16xf32>) -> tensor<3x16xf32>
  %s = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%q, %k : tensor<3x16xf32>, tensor<40x16xf32, #kv>) outs(%f : tensor<3x40xf32>) -> tensor<3x40xf32>
  %m = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%s, %b : tensor<3x40xf32>, tensor<3x40xf32>) outs(%e : tensor<3x40xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %0 = arith.mulf %x, %scale : f32
      %1 = arith.addf %0, %y : f32
      linalg.yield %1 : f32
  } -> tensor<3x40xf32>
  %t = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%m : tensor<3x40xf32>) outs(%lr : tensor<3xf32>) {
    ^bb0(%x: f32, %o: f32):
      %0 = arith.maximumf %o, %x : f32
      linalg.yield %0 : f32
  } -> tensor<3xf32>
  %r = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%m, %t : tensor<3x40xf32>, tensor<3xf32>) outs(%e : tensor<3x40xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %0 = arith.subf %x, %y : f32
      %1 = math.exp %0 : f32
      linalg.yield %1 : f32
  } -> tensor<3x40xf32>
  %n = linalg.generic {indexing_maps = [#id, #row], iterator_types = ["parallel", "reduction"]} ins(%r : tensor<3x40xf32>) outs(%fr : tensor<3xf32>) {
    ^bb0(%x: f32, %o: f32):
      %0 = arith.addf %o, %x : f32
      linalg.yield %0 : f32
  } -> tensor<3xf32>
  %w = linalg.generic {indexing_maps = [#id, #row, #id], iterator_types = ["parallel", "parallel"]}
      ins(%r, %n : tensor<3x40xf32>, tensor<3xf32>) outs(%e : tensor<3x40xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %0 = arith.divf %x, %y : f32
      linalg.yield %0 : f32
  } -> tensor<3x40xf32>
  %y = linalg.matmul indexing_maps = [#mk, #kn, #mn] ins(%w, %v : tensor<3x40xf32>, tensor<40x16xf32, #kv>) outs(%fy : tensor<3x16xf32>) -> tensor<3x16xf32>
  return %y : tensor<3x16xf32>
}
