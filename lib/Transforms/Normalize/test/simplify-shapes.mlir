// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-simplify-shapes | FileCheck %s
// RUN: quant-opt %s --qtensor-simplify-shapes | qtensor-compare %s -

#id = affine_map<(b, m, n) -> (b, m, n)>
#n = affine_map<(b, m, n) -> (n)>

// Two elementwise steps and a sum behind collapsed rows; the other side of an addition is collapsed to meet them.
// CHECK-LABEL: @rows
// CHECK-SAME: %[[Y:[a-z0-9]+]]: tensor<6x4xf32>, %[[R:[a-z0-9]+]]: tensor<2x3x4xf32>
// CHECK: %[[C:.+]] = tensor.collapse_shape %[[R]] {{\[}}[0, 1], [2]]
// CHECK: linalg.generic {{.*}} ins(%[[Y]], %{{.+}}, %[[C]] : tensor<6x4xf32>, tensor<4xf32>, tensor<6x4xf32>)
// CHECK: linalg.generic {{.*}} outs(%{{.+}} : tensor<6xf32>)
// CHECK: tensor.expand_shape %{{.+}} {{\[}}[0, 1]] output_shape [2, 3]
func.func @rows(%y: tensor<6x4xf32>, %residual: tensor<2x3x4xf32>, %bias: tensor<4xf32>) -> tensor<2x3xf32> {
  %zero = arith.constant 0.0 : f32
  %e = tensor.expand_shape %y [[0, 1], [2]] output_shape [2, 3, 4] : tensor<6x4xf32> into tensor<2x3x4xf32>
  %0 = tensor.empty() : tensor<2x3x4xf32>
  %s = linalg.generic {indexing_maps = [#id, #n, #id, #id], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%e, %bias, %residual : tensor<2x3x4xf32>, tensor<4xf32>, tensor<2x3x4xf32>) outs(%0 : tensor<2x3x4xf32>) {
  ^bb0(%a: f32, %b: f32, %r: f32, %o: f32):
    %t = arith.addf %a, %b : f32
    %u = arith.addf %t, %r : f32
    linalg.yield %u : f32
  } -> tensor<2x3x4xf32>
  %1 = tensor.empty() : tensor<2x3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%1 : tensor<2x3xf32>) -> tensor<2x3xf32>
  %sum = linalg.generic {indexing_maps = [#id, affine_map<(b, m, n) -> (b, m)>],
                         iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%s : tensor<2x3x4xf32>) outs(%init : tensor<2x3xf32>) {
  ^bb0(%a: f32, %o: f32):
    %t = arith.addf %o, %a : f32
    linalg.yield %t : f32
  } -> tensor<2x3xf32>
  return %sum : tensor<2x3xf32>
}

// Only the place of ones changes.
// CHECK-LABEL: @units
// CHECK-NOT: linalg.transpose
// CHECK: tensor.collapse_shape %{{.+}} : tensor<1x1x5x?xf32> into tensor<5x?xf32>
// CHECK: tensor.expand_shape %{{.+}} : tensor<5x?xf32> into tensor<1x5x?x1xf32>
func.func @units(%x: tensor<1x1x5x?xf32>) -> tensor<1x5x?x1xf32> {
  %c3 = arith.constant 3 : index
  %n = tensor.dim %x, %c3 : tensor<1x1x5x?xf32>
  %0 = tensor.empty(%n) : tensor<1x5x?x1xf32>
  %t = linalg.transpose ins(%x : tensor<1x1x5x?xf32>) outs(%0 : tensor<1x5x?x1xf32>) permutation = [0, 2, 3, 1]
  return %t : tensor<1x5x?x1xf32>
}

// Extents come from the arguments, not from what was computed.
// CHECK-LABEL: @extents
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x4xf32>
// CHECK: %[[N:.+]] = tensor.dim %[[X]]
// CHECK: return %{{.+}}, %[[N]]
func.func @extents(%x: tensor<?x4xf32>) -> (tensor<?x4xf32>, index) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %0 = tensor.empty(%n) : tensor<?x4xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (m, n)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x4xf32>) outs(%0 : tensor<?x4xf32>) {
  ^bb0(%a: f32, %o: f32):
    %s = math.absf %a : f32
    linalg.yield %s : f32
  } -> tensor<?x4xf32>
  %flat = tensor.collapse_shape %y [[0, 1]] : tensor<?x4xf32> into tensor<?xf32>
  %m = tensor.dim %y, %c0 : tensor<?x4xf32>
  return %y, %m : tensor<?x4xf32>, index
}

// Also through rounding.
// CHECK-LABEL: @rounded
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x4xf32>
// CHECK: %[[N:.+]] = tensor.dim %[[X]]
// CHECK: return %[[N]]
func.func @rounded(%x: tensor<?x4xf32>) -> index {
  %c0 = arith.constant 0 : index
  %q = qtensor.quantize %x : tensor<?x4xf32> -> tensor<?x4xf32, #qtensor.block<int8, [?, ?], scale = 0.5>>
  %y = qtensor.dequantize %q : tensor<?x4xf32, #qtensor.block<int8, [?, ?], scale = 0.5>> -> tensor<?x4xf32>
  %n = tensor.dim %y, %c0 : tensor<?x4xf32>
  return %n : index
}
