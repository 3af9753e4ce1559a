// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -qtensor-resolve-expand-shapes | FileCheck %s
// What is left must be within reach of the upstream pass.
// RUN: quant-opt %s -qtensor-resolve-expand-shapes -expand-strided-metadata | FileCheck %s --check-prefix=NONE

// CHECK-LABEL: func @two_unknown
// CHECK-SAME: (%[[X:.*]]: memref<?x64xf32>, %[[B:.*]]: index, %[[S:.*]]: index)
// CHECK: %[[BASE:.*]], %{{.*}}, %{{.*}}:2, %{{.*}}:2 = memref.extract_strided_metadata %[[X]]
// CHECK: %[[ROW:.*]] = affine.apply #{{.*}}()[%[[S]]]
// CHECK: memref.reinterpret_cast %[[BASE]] to offset: [0], sizes: [%[[B]], %[[S]], 64], strides: [%[[ROW]], 64, 1]
// NONE-NOT: memref.expand_shape
func.func @two_unknown(%x: memref<?x64xf32>, %b: index, %s: index) -> memref<?x?x64xf32> {
  %y = memref.expand_shape %x [[0, 1], [2]] output_shape [%b, %s, 64] : memref<?x64xf32> into memref<?x?x64xf32>
  return %y : memref<?x?x64xf32>
}

// CHECK-LABEL: func @strided
// CHECK-SAME: (%[[X:.*]]: memref<?xi8, strided<[?], offset: ?>>, %[[B:.*]]: index, %[[S:.*]]: index)
// CHECK: %[[BASE:.*]], %[[OFFSET:.*]], %{{.*}}, %[[STRIDE:.*]] = memref.extract_strided_metadata %[[X]]
// CHECK: %[[ROW:.*]] = affine.apply #{{.*}}()[%[[STRIDE]], %[[S]]]
// CHECK: memref.reinterpret_cast %[[BASE]] to offset: [%[[OFFSET]]], sizes: [%[[B]], 1, %[[S]]]
func.func @strided(%x: memref<?xi8, strided<[?], offset: ?>>, %b: index, %s: index)
    -> memref<?x1x?xi8, strided<[?, ?, ?], offset: ?>> {
  %y = memref.expand_shape %x [[0, 1, 2]] output_shape [%b, 1, %s]
      : memref<?xi8, strided<[?], offset: ?>> into memref<?x1x?xi8, strided<[?, ?, ?], offset: ?>>
  return %y : memref<?x1x?xi8, strided<[?, ?, ?], offset: ?>>
}

// One unknown extent a group is left to the upstream pass.
// CHECK-LABEL: func @one_unknown
// CHECK: memref.expand_shape
func.func @one_unknown(%x: memref<?x64xf32>, %s: index) -> memref<1x?x64xf32> {
  %y = memref.expand_shape %x [[0, 1], [2]] output_shape [1, %s, 64] : memref<?x64xf32> into memref<1x?x64xf32>
  return %y : memref<1x?x64xf32>
}
