// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-hoist-quantize{rounding=double}))' | FileCheck %s
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-hoist-quantize))' | FileCheck %s --check-prefix=OFF
#q = #qtensor.block<int8, [?, ?], scale = 5.000000e-01, zero = 3.000000e+00>
#q4 = #qtensor.block<int8, [?, ?, ?, ?], scale = 5.000000e-01, zero = 3.000000e+00>
#nozero = #qtensor.block<uint8, [?, ?, ?, ?], scale = 5.000000e-01, zero = 3.000000e+02>
#r4 = #qtensor.block<int8, [?, ?, ?, ?], scale = 2.500000e-01>
#in = affine_map<(n, y, x, c, ky, kx) -> (n, y * 2 + ky, x * 2 + kx, c)>
#win = affine_map<(n, y, x, c, ky, kx) -> (ky, kx)>
#out = affine_map<(n, y, x, c, ky, kx) -> (n, y, x, c)>

// Through a reshape, a largest value and a padding, up to the argument.
// CHECK-LABEL: func.func @chain(
// CHECK-SAME: %[[X:.*]]: tensor<1x4x4x8xf32>
// CHECK-NEXT: %[[Q:.*]] = qtensor.quantize %[[X]] : tensor<1x4x4x8xf32> -> tensor<1x4x4x8xf32, #
// CHECK: %[[C:.*]] = qtensor.component %[[Q]] "codes"
// CHECK: %[[LOW:.*]] = arith.constant -128 : i8
// CHECK: linalg.fill ins(%[[LOW]] : i8)
// CHECK: linalg.generic {{.*}} ins(%[[C]], %{{.*}} : tensor<1x4x4x8xi8>, tensor<2x2xi8>)
// CHECK: arith.maxsi
// CHECK: arith.constant 3 : i8
// CHECK: tensor.pad %{{.*}} low[0, 1, 1, 0] high[0, 1, 1, 0]
// CHECK: tensor.collapse_shape %{{.*}} : tensor<1x4x4x8xi8> into tensor<1x128xi8>
// CHECK: %[[R:.*]] = qtensor.assemble %{{.*}} : tensor<1x128xi8> -> tensor<1x128xf32, #
// CHECK-NOT: qtensor.quantize
// CHECK: return %[[R]]
// OFF-LABEL: func.func @chain(
// OFF: tensor.collapse_shape
// OFF: qtensor.quantize
func.func @chain(%x: tensor<1x4x4x8xf32>) -> tensor<1x128xf32, #q> {
  %zero = arith.constant 0.0 : f32
  %low = arith.constant 0xFF800000 : f32
  %w = tensor.empty() : tensor<2x2xf32>
  %e = tensor.empty() : tensor<1x2x2x8xf32>
  %f = linalg.fill ins(%low : f32) outs(%e : tensor<1x2x2x8xf32>) -> tensor<1x2x2x8xf32>
  %m = linalg.generic {indexing_maps = [#in, #win, #out],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<1x4x4x8xf32>, tensor<2x2xf32>) outs(%f : tensor<1x2x2x8xf32>) {
  ^bb0(%in: f32, %unused: f32, %acc: f32):
    %0 = arith.maximumf %acc, %in : f32
    linalg.yield %0 : f32
  } -> tensor<1x2x2x8xf32>
  %p = tensor.pad %m low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x2x2x8xf32> to tensor<1x4x4x8xf32>
  %c = tensor.collapse_shape %p [[0], [1, 2, 3]] : tensor<1x4x4x8xf32> into tensor<1x128xf32>
  %q = qtensor.quantize %c : tensor<1x128xf32> -> tensor<1x128xf32, #q>
  return %q : tensor<1x128xf32, #q>
}

// Padding whose real is no code, or is not 0, stays; so does rounding behind a sum.
// CHECK-LABEL: func.func @stays(
// CHECK: tensor.pad
// CHECK: qtensor.quantize
// CHECK: tensor.pad
// CHECK: qtensor.quantize
func.func @stays(%x: tensor<1x2x2x8xf32>) -> (tensor<1x4x4x8xf32, #nozero>, tensor<1x4x4x8xf32, #q4>) {
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x2x2x8xf32> to tensor<1x4x4x8xf32>
  %a = qtensor.quantize %p : tensor<1x4x4x8xf32> -> tensor<1x4x4x8xf32, #nozero>
  %r = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %one : f32
  } : tensor<1x2x2x8xf32> to tensor<1x4x4x8xf32>
  %b = qtensor.quantize %r : tensor<1x4x4x8xf32> -> tensor<1x4x4x8xf32, #q4>
  return %a, %b : tensor<1x4x4x8xf32, #nozero>, tensor<1x4x4x8xf32, #q4>
}

// Through a transposition; what is padded in front of it is padded behind, where a convolution takes it in.
// CHECK-LABEL: func.func @transposed(
// CHECK-SAME: %[[X:.*]]: tensor<1x3x4x5xf32>
// CHECK-NEXT: %[[Q:.*]] = qtensor.quantize %[[X]] : tensor<1x3x4x5xf32>
// CHECK: %[[C:.*]] = qtensor.component %[[Q]] "codes"
// CHECK: %[[T:.*]] = linalg.transpose ins(%[[C]] : tensor<1x3x4x5xi8>) outs(%{{.*}} : tensor<1x4x5x3xi8>) permutation = [0, 2, 3, 1]
// CHECK: tensor.pad %[[T]] low[0, 1, 2, 0] high[0, 3, 4, 0]
// CHECK: } : tensor<1x4x5x3xi8> to tensor<1x8x11x3xi8>
// CHECK-NOT: xf32>
// CHECK: return
func.func @transposed(%x: tensor<1x3x4x5xf32>) -> tensor<1x8x11x3xi8> {
  %zero = arith.constant 0.0 : f32
  %p = tensor.pad %x low[0, 0, 1, 2] high[0, 0, 3, 4] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %zero : f32
  } : tensor<1x3x4x5xf32> to tensor<1x3x8x11xf32>
  %e = tensor.empty() : tensor<1x8x11x3xf32>
  %t = linalg.transpose ins(%p : tensor<1x3x8x11xf32>) outs(%e : tensor<1x8x11x3xf32>) permutation = [0, 2, 3, 1]
  %q = qtensor.quantize %t : tensor<1x8x11x3xf32> -> tensor<1x8x11x3xf32, #q4>
  %c = qtensor.component %q "codes" : tensor<1x8x11x3xf32, #q4> -> tensor<1x8x11x3xi8>
  return %c : tensor<1x8x11x3xi8>
}

// Two readers of one value share its rounding, though padding (also with what no maximum takes) stands in front of one.
// CHECK-LABEL: func.func @shared(
// CHECK-COUNT-1: qtensor.quantize
// CHECK: arith.constant -128 : i8
// CHECK: tensor.pad
// CHECK-NOT: qtensor.quantize
// CHECK: return
func.func @shared(%x: tensor<1x2x2x8xf32>) -> (tensor<1x4x4x8xf32, #q4>, tensor<1x2x2x8xf32, #q4>) {
  %low = arith.constant 0xFF800000 : f32
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %low : f32
  } : tensor<1x2x2x8xf32> to tensor<1x4x4x8xf32>
  %a = qtensor.quantize %p : tensor<1x4x4x8xf32> -> tensor<1x4x4x8xf32, #q4>
  %b = qtensor.quantize %x : tensor<1x2x2x8xf32> -> tensor<1x2x2x8xf32, #q4>
  return %a, %b : tensor<1x4x4x8xf32, #q4>, tensor<1x2x2x8xf32, #q4>
}

// The largest of values that were read from codes is one of these codes.
// CHECK-LABEL: func.func @again(
// CHECK-SAME: %[[Q:.*]]: tensor<1x2x2x8xf32, #
// CHECK-NOT: qtensor.quantize
// CHECK: %[[C:.*]] = qtensor.component %[[Q]] "codes"
// CHECK: tensor.pad %[[C]]
// CHECK-NOT: qtensor.quantize
// CHECK: return
func.func @again(%q: tensor<1x2x2x8xf32, #q4>) -> tensor<1x4x4x8xf32, #q4> {
  %low = arith.constant 0xFF800000 : f32
  %x = qtensor.dequantize %q : tensor<1x2x2x8xf32, #q4> -> tensor<1x2x2x8xf32>
  %p = tensor.pad %x low[0, 1, 1, 0] high[0, 1, 1, 0] {
  ^bb0(%i: index, %j: index, %k: index, %l: index):
    tensor.yield %low : f32
  } : tensor<1x2x2x8xf32> to tensor<1x4x4x8xf32>
  %r = qtensor.quantize %p : tensor<1x4x4x8xf32> -> tensor<1x4x4x8xf32, #q4>
  return %r : tensor<1x4x4x8xf32, #q4>
}

#id = affine_map<(n, y, x, c) -> (n, y, x, c)>
#nchw = affine_map<(n, c, y, x) -> (n, y, x, c)>
#same = affine_map<(n, c, y, x) -> (n, c, y, x)>

// Through a concatenation: of a part that has codes of its own, of another scale, these are rounded again.
// CHECK-LABEL: func.func @concat(
// CHECK-SAME: %[[X:.*]]: tensor<1x2x2x8xf32>, %[[Y:.*]]: tensor<1x2x2x4xf32>)
// CHECK: %[[OWN:.*]] = qtensor.quantize %[[X]] : tensor<1x2x2x8xf32> -> tensor<1x2x2x8xf32, #[[R:.*]]>
// CHECK-NEXT: %[[READ:.*]] = qtensor.dequantize %[[OWN]]
// CHECK-NEXT: %[[A:.*]] = qtensor.quantize %[[READ]] : tensor<1x2x2x8xf32> -> tensor<1x2x2x8xf32, #[[Q:.*]]>
// CHECK-NEXT: %[[AC:.*]] = qtensor.component %[[A]] "codes"
// CHECK-NEXT: tensor.insert_slice %[[AC]] into %{{.*}} : tensor<1x2x2x8xi8> into tensor<1x2x2x12xi8>
// CHECK: %[[B:.*]] = qtensor.quantize %[[Y]] : tensor<1x2x2x4xf32> -> tensor<1x2x2x4xf32, #[[Q]]>
// CHECK-NEXT: %[[BC:.*]] = qtensor.component %[[B]] "codes"
// CHECK-NEXT: %[[Z:.*]] = tensor.insert_slice %[[BC]] into
// CHECK-NEXT: %[[W:.*]] = qtensor.assemble %[[Z]]
// CHECK-NEXT: return %[[W]], %[[OWN]]
func.func @concat(%x: tensor<1x2x2x8xf32>, %y: tensor<1x2x2x4xf32>) -> (tensor<1x2x2x12xf32, #q4>, tensor<1x2x2x8xf32, #r4>) {
  %e = tensor.empty() : tensor<1x2x2x12xf32>
  %a = tensor.insert_slice %x into %e[0, 0, 0, 0] [1, 2, 2, 8] [1, 1, 1, 1] : tensor<1x2x2x8xf32> into tensor<1x2x2x12xf32>
  %b = tensor.insert_slice %y into %a[0, 0, 0, 8] [1, 2, 2, 4] [1, 1, 1, 1] : tensor<1x2x2x4xf32> into tensor<1x2x2x12xf32>
  %q = qtensor.quantize %b : tensor<1x2x2x12xf32> -> tensor<1x2x2x12xf32, #q4>
  %r = qtensor.quantize %x : tensor<1x2x2x8xf32> -> tensor<1x2x2x8xf32, #r4>
  return %q, %r : tensor<1x2x2x12xf32, #q4>, tensor<1x2x2x8xf32, #r4>
}

// Two parts of one tensor, one of them through repeated edges: it is rounded once.
// CHECK-LABEL: func.func @parts(
// CHECK-SAME: %[[X:.*]]: tensor<1x4x2x8xf32>
// CHECK: %[[Q:.*]] = qtensor.quantize %[[X]]
// CHECK-NOT: qtensor.quantize
// CHECK-DAG: tensor.extract_slice %{{.*}} : tensor<1x4x2x8xi8> to tensor<1x2x2x8xi8>
// CHECK-DAG: tensor.extract_slice %{{.*}} : tensor<1x4x2x8xi8> to tensor<1x3x2x8xi8>
// CHECK-DAG: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x4x2x8xi8>)
// CHECK: tensor.extract %{{.*}} : tensor<1x3x2x8xi8>
// CHECK: return
func.func @parts(%x: tensor<1x4x2x8xf32>) -> (tensor<1x2x2x8xf32, #q4>, tensor<1x4x2x8xf32, #q4>) {
  %c2 = arith.constant 2 : index
  %a = tensor.extract_slice %x[0, 0, 0, 0] [1, 2, 2, 8] [1, 2, 1, 1] : tensor<1x4x2x8xf32> to tensor<1x2x2x8xf32>
  %b = tensor.extract_slice %x[0, 1, 0, 0] [1, 3, 2, 8] [1, 1, 1, 1] : tensor<1x4x2x8xf32> to tensor<1x3x2x8xf32>
  %e = tensor.empty() : tensor<1x4x2x8xf32>
  %p = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      outs(%e : tensor<1x4x2x8xf32>) {
  ^bb0(%o: f32):
    %n = linalg.index 0 : index
    %y = linalg.index 1 : index
    %v = linalg.index 2 : index
    %c = linalg.index 3 : index
    %edge = arith.minsi %y, %c2 : index
    %taken = tensor.extract %b[%n, %edge, %v, %c] : tensor<1x3x2x8xf32>
    linalg.yield %taken : f32
  } -> tensor<1x4x2x8xf32>
  %q = qtensor.quantize %a : tensor<1x2x2x8xf32> -> tensor<1x2x2x8xf32, #q4>
  %r = qtensor.quantize %p : tensor<1x4x2x8xf32> -> tensor<1x4x2x8xf32, #q4>
  return %q, %r : tensor<1x2x2x8xf32, #q4>, tensor<1x4x2x8xf32, #q4>
}

// Repeated pixels are repeated codes; what an elementwise op writes transposed is rounded as it is computed.
// CHECK-LABEL: func.func @repeat(
// CHECK: arith.addf
// CHECK: %[[A:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<1x2x2x8xf32>)
// CHECK: arith.maximumf
// CHECK: qtensor.quantize %[[A]] : tensor<1x2x2x8xf32> -> tensor<1x2x2x8xf32, #
// CHECK: linalg.transpose ins(%{{.*}} : tensor<1x2x2x8xi8>) outs(%{{.*}} : tensor<1x8x2x2xi8>) permutation = [0, 3, 1, 2]
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<1x8x2x2x3xi8>)
// CHECK: tensor.collapse_shape {{.*}} into tensor<1x8x2x6xi8>
// CHECK-NOT: qtensor.quantize
// CHECK: return
func.func @repeat(%x: tensor<1x2x2x8xf32>) -> tensor<1x8x2x6xf32, #q4> {
  %zero = arith.constant 0.0 : f32
  %f = tensor.empty() : tensor<1x2x2x8xf32>
  %y = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x2x2x8xf32>) outs(%f : tensor<1x2x2x8xf32>) {
  ^bb0(%in: f32, %o: f32):
    %s = arith.addf %in, %in : f32
    linalg.yield %s : f32
  } -> tensor<1x2x2x8xf32>
  %e = tensor.empty() : tensor<1x8x2x2xf32>
  %t = linalg.generic {indexing_maps = [#nchw, #same], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%y : tensor<1x2x2x8xf32>) outs(%e : tensor<1x8x2x2xf32>) {
  ^bb0(%in: f32, %o: f32):
    %m = arith.maximumf %in, %zero : f32
    linalg.yield %m : f32
  } -> tensor<1x8x2x2xf32>
  %g = tensor.empty() : tensor<1x8x2x2x3xf32>
  %w = linalg.generic {indexing_maps = [affine_map<(a, b, c, d, e) -> (a, b, c, d)>, affine_map<(a, b, c, d, e) -> (a, b, c, d, e)>],
                       iterator_types = ["parallel", "parallel", "parallel", "parallel", "parallel"]}
      ins(%t : tensor<1x8x2x2xf32>) outs(%g : tensor<1x8x2x2x3xf32>) {
  ^bb0(%in: f32, %o: f32):
    linalg.yield %in : f32
  } -> tensor<1x8x2x2x3xf32>
  %c = tensor.collapse_shape %w [[0], [1], [2], [3, 4]] : tensor<1x8x2x2x3xf32> into tensor<1x8x2x6xf32>
  %q = qtensor.quantize %c : tensor<1x8x2x6xf32> -> tensor<1x8x2x6xf32, #q4>
  return %q : tensor<1x8x2x6xf32, #q4>
}

// So is a function of codes that writes its result transposed.
// CHECK-LABEL: func.func @function(
// CHECK-SAME: %[[Q:.*]]: tensor<1x2x2x8xf32, #
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} ins(%[[X:.*]] : tensor<1x2x2x8xf32>) outs(%{{.*}} : tensor<1x2x2x8xf32>)
// CHECK: math.exp
// CHECK: qtensor.quantize %[[Y]] : tensor<1x2x2x8xf32> -> tensor<1x2x2x8xf32, #
// CHECK: linalg.transpose ins(%{{.*}} : tensor<1x2x2x8xi8>) outs(%{{.*}} : tensor<1x8x2x2xi8>) permutation = [0, 3, 1, 2]
func.func @function(%q: tensor<1x2x2x8xf32, #q4>) -> tensor<1x8x2x2xf32, #r4> {
  %x = qtensor.dequantize %q : tensor<1x2x2x8xf32, #q4> -> tensor<1x2x2x8xf32>
  %e = tensor.empty() : tensor<1x8x2x2xf32>
  %t = linalg.generic {indexing_maps = [#nchw, #same], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%x : tensor<1x2x2x8xf32>) outs(%e : tensor<1x8x2x2xf32>) {
  ^bb0(%in: f32, %o: f32):
    %m = math.exp %in : f32
    linalg.yield %m : f32
  } -> tensor<1x8x2x2xf32>
  %r = qtensor.quantize %t : tensor<1x8x2x2xf32> -> tensor<1x8x2x2xf32, #r4>
  return %r : tensor<1x8x2x2xf32, #r4>
}
