// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -qtensor-make-entry -eliminate-empty-tensors -one-shot-bufferize -canonicalize | FileCheck %s

// A row is written in place; an output that is the state as it was is stored before.
// CHECK-LABEL: module attributes {qtensor.inputs = [{name = "x", type = tensor<1x8xf32>}]
// CHECK-SAME: qtensor.outputs = [{name = "output0", type = tensor<1x8xf32>}], qtensor.states = [{name = "cache", type = tensor<4x8xf32>}]
// CHECK: func.func @main(%{{.*}}: !llvm.ptr, %{{.*}}: memref<?xi8>, %{{.*}}: memref<?xi8>, %[[X:.*]]: memref<1x8xf32>, %[[C:.*]]: memref<4x8xf32>, %[[Y:.*]]: memref<1x8xf32>)
// CHECK-NOT: alloc
// CHECK: %[[ROW:.*]] = memref.subview %[[C]][2, 0]
// CHECK: memref.copy %[[X]], %[[ROW]]
// CHECK: %[[OLD:.*]] = memref.subview %[[C]][1, 0]
// CHECK: memref.copy %[[OLD]], %[[Y]]
// CHECK-NOT: memref.copy
// CHECK: func.func private @shapes(%{{.*}}: index, %{{.*}}: index) -> (index, index)
func.func @main(%cache: tensor<4x8xf32> {qtensor.name = "cache", qtensor.state = "cache"}, %x: tensor<1x8xf32> {qtensor.name = "x"})
    -> (tensor<4x8xf32> {qtensor.state = "cache"}, tensor<1x8xf32>) {
  %new = tensor.insert_slice %x into %cache[2, 0] [1, 8] [1, 1] : tensor<1x8xf32> into tensor<4x8xf32>
  %old = tensor.extract_slice %new[1, 0] [1, 8] [1, 1] : tensor<4x8xf32> to tensor<1x8xf32>
  return %new, %old : tensor<4x8xf32>, tensor<1x8xf32>
}

// -----

// Two states change places, and the output is what one of them was: copies before the first is overwritten.
// CHECK: func.func @main(%{{.*}}: !llvm.ptr, %{{.*}}: memref<?xi8>, %{{.*}}: memref<?xi8>, %[[A:.*]]: memref<4xf32>, %[[B:.*]]: memref<4xf32>, %[[Y:.*]]: memref<4xf32>)
// CHECK: %[[FORA:.*]] = memref.alloc
// CHECK: memref.copy %[[B]], %[[FORA]]
// CHECK: %[[FORB:.*]] = memref.alloc
// CHECK: memref.copy %[[A]], %[[FORB]]
// CHECK: memref.copy %[[A]], %[[Y]]
// CHECK: memref.copy %[[FORA]], %[[A]]
// CHECK: memref.copy %[[FORB]], %[[B]]
func.func @main(%a: tensor<4xf32> {qtensor.state = "a"}, %b: tensor<4xf32> {qtensor.state = "b"})
    -> (tensor<4xf32>, tensor<4xf32> {qtensor.state = "a"}, tensor<4xf32> {qtensor.state = "b"}) {
  return %a, %b, %a : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
