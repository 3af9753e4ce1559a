// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-sink-transposes | FileCheck %s
// RUN: quant-opt %s --qtensor-sink-transposes | qtensor-compare %s -

#id = affine_map<(d0, d1, d2, d3) -> (d0, d1, d2, d3)>
#channel = affine_map<(d0, d1, d2, d3) -> (d1)>
#nc = affine_map<(d0, d1, d2, d3) -> (d0, d1)>

// Channels-last to channels-first, an elementwise op with a value per channel, and back.
// CHECK-DAG: #[[LAST:.+]] = affine_map<(d0, d1, d2, d3) -> (d3)>
// CHECK-LABEL: @cancel
// CHECK-SAME: %[[X:.+]]: tensor<?x6x5x4xf32>, %[[B:.+]]: tensor<4xf32>
// CHECK-NOT: linalg.transpose
// CHECK: linalg.generic {{.*}} #[[LAST]], {{.*}} ins(%[[X]], %[[B]] : tensor<?x6x5x4xf32>, tensor<4xf32>)
// CHECK-NOT: linalg.transpose
// CHECK: return
func.func @cancel(%x: tensor<?x6x5x4xf32>, %bias: tensor<4xf32>) -> tensor<?x6x5x4xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x6x5x4xf32>
  %0 = tensor.empty(%n) : tensor<?x4x6x5xf32>
  %first = linalg.transpose ins(%x : tensor<?x6x5x4xf32>) outs(%0 : tensor<?x4x6x5xf32>) permutation = [0, 3, 1, 2]
  %sum = linalg.generic {indexing_maps = [#id, #channel, #id],
                         iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%first, %bias : tensor<?x4x6x5xf32>, tensor<4xf32>) outs(%0 : tensor<?x4x6x5xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %s = arith.addf %a, %b : f32
    linalg.yield %s : f32
  } -> tensor<?x4x6x5xf32>
  %1 = tensor.empty(%n) : tensor<?x6x5x4xf32>
  %last = linalg.transpose ins(%sum : tensor<?x4x6x5xf32>) outs(%1 : tensor<?x6x5x4xf32>) permutation = [0, 2, 3, 1]
  return %last : tensor<?x6x5x4xf32>
}

// A mean over the image reads it as it lies.
// CHECK-LABEL: @mean
// CHECK-SAME: %[[X:.+]]: tensor<2x6x5x4xf32>
// CHECK-NOT: linalg.transpose
// CHECK: linalg.generic {{.*}}["parallel", "reduction", "reduction", "parallel"]{{.*}} ins(%[[X]] :
func.func @mean(%x: tensor<2x6x5x4xf32>) -> tensor<2x4xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<2x4x6x5xf32>
  %first = linalg.transpose ins(%x : tensor<2x6x5x4xf32>) outs(%0 : tensor<2x4x6x5xf32>) permutation = [0, 3, 1, 2]
  %1 = tensor.empty() : tensor<2x4xf32>
  %init = linalg.fill ins(%zero : f32) outs(%1 : tensor<2x4xf32>) -> tensor<2x4xf32>
  %sum = linalg.generic {indexing_maps = [#id, #nc],
                         iterator_types = ["parallel", "parallel", "reduction", "reduction"]}
      ins(%first : tensor<2x4x6x5xf32>) outs(%init : tensor<2x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = arith.addf %o, %a : f32
    linalg.yield %s : f32
  } -> tensor<2x4xf32>
  return %sum : tensor<2x4xf32>
}

// Padding, concatenation along the channels, a slice, splitting the channels, and back.
// CHECK-LABEL: @moves
// CHECK-NOT: linalg.transpose
// CHECK: tensor.pad %{{.+}} low[0, 1, 0, 0] high[0, 1, 2, 0]
// CHECK-NOT: linalg.transpose
// CHECK: tensor.insert_slice %{{.+}} into %{{.+}}[0, 0, 0, 4] [2, 8, 7, 4] [1, 1, 1, 1]
// CHECK-NOT: linalg.transpose
// CHECK: tensor.extract_slice %{{.+}}[0, 0, 0, 2] [2, 8, 7, 4] [1, 1, 1, 1]
// CHECK-NOT: linalg.transpose
// CHECK: return
func.func @moves(%x: tensor<2x6x5x4xf32>) -> tensor<2x8x7x2x2xf32> {
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<2x4x6x5xf32>
  %first = linalg.transpose ins(%x : tensor<2x6x5x4xf32>) outs(%0 : tensor<2x4x6x5xf32>) permutation = [0, 3, 1, 2]
  %padded = tensor.pad %first low[0, 0, 1, 0] high[0, 0, 1, 2] {
  ^bb0(%a: index, %b: index, %c: index, %d: index):
    tensor.yield %zero : f32
  } : tensor<2x4x6x5xf32> to tensor<2x4x8x7xf32>
  %1 = tensor.empty() : tensor<2x8x8x7xf32>
  %2 = tensor.insert_slice %padded into %1[0, 0, 0, 0] [2, 4, 8, 7] [1, 1, 1, 1] : tensor<2x4x8x7xf32> into tensor<2x8x8x7xf32>
  %3 = tensor.insert_slice %padded into %2[0, 4, 0, 0] [2, 4, 8, 7] [1, 1, 1, 1] : tensor<2x4x8x7xf32> into tensor<2x8x8x7xf32>
  %4 = tensor.extract_slice %3[0, 2, 0, 0] [2, 4, 8, 7] [1, 1, 1, 1] : tensor<2x8x8x7xf32> to tensor<2x4x8x7xf32>
  %5 = tensor.expand_shape %4 [[0], [1, 2], [3], [4]] output_shape [2, 2, 2, 8, 7] : tensor<2x4x8x7xf32> into tensor<2x2x2x8x7xf32>
  %6 = tensor.empty() : tensor<2x8x7x2x2xf32>
  %last = linalg.transpose ins(%5 : tensor<2x2x2x8x7xf32>) outs(%6 : tensor<2x8x7x2x2xf32>) permutation = [0, 3, 4, 1, 2]
  return %last : tensor<2x8x7x2x2xf32>
}

// Merging groups and channels, which are neighbours before and after.
// CHECK-LABEL: @merge
// CHECK-SAME: %[[X:.+]]: tensor<2x8x7x2x3xf32>
// CHECK-NEXT: %[[Y:.+]] = tensor.collapse_shape %[[X]] {{\[}}[0], [1], [2], [3, 4]] : {{.*}} into tensor<2x8x7x6xf32>
// CHECK-NEXT: return %[[Y]]
func.func @merge(%x: tensor<2x8x7x2x3xf32>) -> tensor<2x8x7x6xf32> {
  %0 = tensor.empty() : tensor<2x2x3x8x7xf32>
  %first = linalg.transpose ins(%x : tensor<2x8x7x2x3xf32>) outs(%0 : tensor<2x2x3x8x7xf32>) permutation = [0, 3, 4, 1, 2]
  %1 = tensor.collapse_shape %first [[0], [1, 2], [3], [4]] : tensor<2x2x3x8x7xf32> into tensor<2x6x8x7xf32>
  %2 = tensor.empty() : tensor<2x8x7x6xf32>
  %last = linalg.transpose ins(%1 : tensor<2x6x8x7xf32>) outs(%2 : tensor<2x8x7x6xf32>) permutation = [0, 2, 3, 1]
  return %last : tensor<2x8x7x6xf32>
}

// A classifier behind a flattened image: the weights are reordered.
// CHECK-LABEL: @flatten
// CHECK-SAME: %[[X:.+]]: tensor<3x2x1x3xf32>
// CHECK-DAG: linalg.transpose ins(%{{.+}} : tensor<3x2x1x2xf32>) {{.*}} permutation = [1, 2, 0, 3]
// CHECK-DAG: %[[F:.+]] = tensor.collapse_shape %[[X]] {{\[}}[0], [1, 2, 3]]
// CHECK: linalg.matmul ins(%[[F]]
func.func @flatten(%x: tensor<3x2x1x3xf32>) -> tensor<3x2xf32> {
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0], [9.0, 10.0], [11.0, 12.0]]> : tensor<6x2xf32>
  %zero = arith.constant 0.0 : f32
  %0 = tensor.empty() : tensor<3x3x2x1xf32>
  %first = linalg.transpose ins(%x : tensor<3x2x1x3xf32>) outs(%0 : tensor<3x3x2x1xf32>) permutation = [0, 3, 1, 2]
  %flat = tensor.collapse_shape %first [[0], [1, 2, 3]] : tensor<3x3x2x1xf32> into tensor<3x6xf32>
  %1 = tensor.empty() : tensor<3x2xf32>
  %init = linalg.fill ins(%zero : f32) outs(%1 : tensor<3x2xf32>) -> tensor<3x2xf32>
  %y = linalg.matmul ins(%flat, %w : tensor<3x6xf32>, tensor<6x2xf32>) outs(%init : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %y : tensor<3x2xf32>
}

// One input against another: the result keeps its order, and the elementwise op reads the other as it lies.
// CHECK-LABEL: @border
// CHECK-NOT: linalg.transpose
// CHECK: linalg.generic
// CHECK-NOT: linalg.transpose
// CHECK: return
func.func @border(%x: tensor<2x3x4xf32>) -> tensor<2x4x3xf32> {
  %0 = tensor.empty() : tensor<2x4x3xf32>
  %first = linalg.transpose ins(%x : tensor<2x3x4xf32>) outs(%0 : tensor<2x4x3xf32>) permutation = [0, 2, 1]
  %y = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (a, b, c)>, affine_map<(a, b, c) -> (a, b, c)>],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%first : tensor<2x4x3xf32>) outs(%0 : tensor<2x4x3xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = math.absf %a : f32
    linalg.yield %s : f32
  } -> tensor<2x4x3xf32>
  return %y : tensor<2x4x3xf32>
}

#x = #qtensor.block<int8, [1, ?, ?], scale = f32>
#s = #qtensor.block<uint8, [?, ?, ?], scale = 0.5, zero = 3.0>

// Rounding and decoding do not care about the order: the parameters move with the tensor.
// CHECK-LABEL: @rounding
// CHECK-SAME: (%[[X:.*]]: tensor<2x3x4xf32>, %[[P:.*]]: tensor<4x1x1xf32>)
// CHECK-DAG: %[[Q:.*]] = qtensor.quantize %[[X]] params(%[[M:.*]] : tensor<1x1x4xf32>) : tensor<2x3x4xf32> -> tensor<2x3x4xf32, #{{.*}}>
// CHECK: %[[D:.*]] = qtensor.dequantize %[[Q]]
// CHECK: linalg.transpose ins(%[[D]] : tensor<2x3x4xf32>)
func.func @rounding(%x: tensor<2x3x4xf32>, %p: tensor<4x1x1xf32>) -> tensor<4x2x3xf32> {
  %0 = tensor.empty() : tensor<4x2x3xf32>
  %first = linalg.transpose ins(%x : tensor<2x3x4xf32>) outs(%0 : tensor<4x2x3xf32>) permutation = [2, 0, 1]
  %q = qtensor.quantize %first params(%p : tensor<4x1x1xf32>) : tensor<4x2x3xf32> -> tensor<4x2x3xf32, #x>
  %d = qtensor.dequantize %q : tensor<4x2x3xf32, #x> -> tensor<4x2x3xf32>
  return %d : tensor<4x2x3xf32>
}

// Codes that an integer op reads, and codes that are assembled: the pair cancels across them.
// CHECK-LABEL: @codes
// CHECK-NOT: linalg.transpose
// CHECK: qtensor.quantize
// CHECK: qtensor.component
// CHECK: qtensor.assemble
// CHECK: qtensor.dequantize
// CHECK-NOT: linalg.transpose
// CHECK: return
func.func @codes(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  %0 = tensor.empty() : tensor<4x2x3xf32>
  %1 = tensor.empty() : tensor<2x3x4xf32>
  %first = linalg.transpose ins(%x : tensor<2x3x4xf32>) outs(%0 : tensor<4x2x3xf32>) permutation = [2, 0, 1]
  %q = qtensor.quantize %first : tensor<4x2x3xf32> -> tensor<4x2x3xf32, #s>
  %c = qtensor.component %q "codes" : tensor<4x2x3xf32, #s> -> tensor<4x2x3xi8>
  %i = tensor.empty() : tensor<4x2x3xi8>
  %m = linalg.generic {indexing_maps = [affine_map<(a, b, c) -> (a, b, c)>, affine_map<(a, b, c) -> (a, b, c)>],
                       iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%c : tensor<4x2x3xi8>) outs(%i : tensor<4x2x3xi8>) {
  ^bb0(%a: i8, %o: i8):
    %n = arith.addi %a, %a : i8
    linalg.yield %n : i8
  } -> tensor<4x2x3xi8>
  %w = qtensor.assemble %m : tensor<4x2x3xi8> -> tensor<4x2x3xf32, #s>
  %d = qtensor.dequantize %w : tensor<4x2x3xf32, #s> -> tensor<4x2x3xf32>
  %y = linalg.transpose ins(%d : tensor<4x2x3xf32>) outs(%1 : tensor<2x3x4xf32>) permutation = [1, 2, 0]
  return %y : tensor<2x3x4xf32>
}

// An edge that is repeated: elements are picked from the source, and the pair cancels.
// CHECK-LABEL: @pick
// CHECK-SAME: %[[X:.*]]: tensor<1x3x4x2xf32>
// CHECK-NOT: linalg.transpose
// CHECK: %[[Y:.*]] = linalg.generic {{.*}} outs(%{{.*}} : tensor<1x4x4x2xf32>)
// CHECK: tensor.extract %[[X]][
// CHECK-NOT: linalg.transpose
// CHECK: return %[[Y]]
func.func @pick(%x: tensor<1x3x4x2xf32>) -> tensor<1x4x4x2xf32> {
  %c2 = arith.constant 2 : index
  %0 = tensor.empty() : tensor<1x2x3x4xf32>
  %1 = tensor.empty() : tensor<1x2x4x4xf32>
  %2 = tensor.empty() : tensor<1x4x4x2xf32>
  %xt = linalg.transpose ins(%x : tensor<1x3x4x2xf32>) outs(%0 : tensor<1x2x3x4xf32>) permutation = [0, 3, 1, 2]
  %p = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      outs(%1 : tensor<1x2x4x4xf32>) {
  ^bb0(%o: f32):
    %a = linalg.index 0 : index
    %b = linalg.index 1 : index
    %c = linalg.index 2 : index
    %d = linalg.index 3 : index
    %e = arith.minsi %c, %c2 : index
    %v = tensor.extract %xt[%a, %b, %e, %d] : tensor<1x2x3x4xf32>
    linalg.yield %v : f32
  } -> tensor<1x2x4x4xf32>
  %y = linalg.transpose ins(%p : tensor<1x2x4x4xf32>) outs(%2 : tensor<1x4x4x2xf32>) permutation = [0, 2, 3, 1]
  return %y : tensor<1x4x4x2xf32>
}

// A part of a concatenation that reads another tensor inside its body is no constant: its transposition would come back for ever.
// CHECK-LABEL: @concat
// CHECK: tensor.insert_slice
// CHECK: return
func.func @concat(%x: tensor<1x2x3x4xf32>, %z: tensor<1x3x4x2xf32>) -> tensor<1x4x3x4xf32> {
  %c2 = arith.constant 2 : index
  %0 = tensor.empty() : tensor<1x2x3x4xf32>
  %w = tensor.empty() : tensor<1x4x3x4xf32>
  %zt = linalg.transpose ins(%z : tensor<1x3x4x2xf32>) outs(%0 : tensor<1x2x3x4xf32>) permutation = [0, 3, 1, 2]
  %p = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      outs(%0 : tensor<1x2x3x4xf32>) {
  ^bb0(%o: f32):
    %a = linalg.index 0 : index
    %b = linalg.index 1 : index
    %c = linalg.index 2 : index
    %d = linalg.index 3 : index
    %e = arith.minsi %d, %c2 : index
    %v = tensor.extract %x[%a, %b, %c, %e] : tensor<1x2x3x4xf32>
    linalg.yield %v : f32
  } -> tensor<1x2x3x4xf32>
  %i = tensor.insert_slice %p into %w[0, 0, 0, 0] [1, 2, 3, 4] [1, 1, 1, 1] : tensor<1x2x3x4xf32> into tensor<1x4x3x4xf32>
  %j = tensor.insert_slice %zt into %i[0, 2, 0, 0] [1, 2, 3, 4] [1, 1, 1, 1] : tensor<1x2x3x4xf32> into tensor<1x4x3x4xf32>
  return %j : tensor<1x4x3x4xf32>
}
