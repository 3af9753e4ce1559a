// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -qtensor-order-stores | FileCheck %s

// %v lies in the memory of the first output on the way to it, and is the second one.
// CHECK-LABEL: func.func @between(
// CHECK: %[[N:.*]] = tensor.insert
// CHECK-NEXT: materialize_in_destination %[[V:.*]] in restrict writable %arg2
// CHECK-NEXT: materialize_in_destination %[[N]] in restrict writable %arg1
func.func @between(%x: memref<4xf32>, %n: memref<4xf32>, %v: memref<4xf32>) {
  %c0 = arith.constant 0 : index
  %h = arith.constant 0.5 : f32
  %input = bufferization.to_tensor %x restrict : memref<4xf32> to tensor<4xf32>
  %memory = bufferization.to_tensor %n restrict writable : memref<4xf32> to tensor<4xf32>
  %sum = linalg.add ins(%input, %input : tensor<4xf32>, tensor<4xf32>) outs(%memory : tensor<4xf32>) -> tensor<4xf32>
  %new = tensor.insert %h into %sum[%c0] : tensor<4xf32>
  bufferization.materialize_in_destination %new in restrict writable %n : (tensor<4xf32>, memref<4xf32>) -> ()
  bufferization.materialize_in_destination %sum in restrict writable %v : (tensor<4xf32>, memref<4xf32>) -> ()
  return
}

// -----

// A state has one tensor; an output that is what it was is stored before it changes.
// CHECK-LABEL: func.func @state(
// CHECK: %[[S:.*]] = bufferization.to_tensor %arg1 restrict writable
// CHECK-NOT: bufferization.to_tensor %arg1
// CHECK: %[[NEW:.*]] = linalg.add {{.*}} outs(%[[S]] : tensor<4xf32>)
// CHECK: materialize_in_destination %[[S]] in restrict writable %arg2
// CHECK: materialize_in_destination %[[NEW]] in restrict writable %arg1
func.func @state(%x: memref<4xf32>, %s: memref<4xf32>, %y: memref<4xf32>) {
  %input = bufferization.to_tensor %x restrict : memref<4xf32> to tensor<4xf32>
  %old = bufferization.to_tensor %s restrict writable : memref<4xf32> to tensor<4xf32>
  %memory = bufferization.to_tensor %s restrict writable : memref<4xf32> to tensor<4xf32>
  %new = linalg.add ins(%input, %input : tensor<4xf32>, tensor<4xf32>) outs(%memory : tensor<4xf32>) -> tensor<4xf32>
  bufferization.materialize_in_destination %new in restrict writable %s : (tensor<4xf32>, memref<4xf32>) -> ()
  bufferization.materialize_in_destination %old in restrict writable %y : (tensor<4xf32>, memref<4xf32>) -> ()
  return
}

// -----

// States that change places: one is copied.
// CHECK-LABEL: func.func @swap(
// CHECK-DAG: %[[S:.*]] = bufferization.to_tensor %arg0
// CHECK-DAG: %[[T:.*]] = bufferization.to_tensor %arg1
// CHECK: %[[COPY:.*]] = bufferization.alloc_tensor() copy(%[[S]])
// CHECK-NEXT: materialize_in_destination %[[T]] in restrict writable %arg0
// CHECK-NEXT: materialize_in_destination %[[COPY]] in restrict writable %arg1
func.func @swap(%s: memref<4xf32>, %t: memref<4xf32>) {
  %first = bufferization.to_tensor %s restrict writable : memref<4xf32> to tensor<4xf32>
  %second = bufferization.to_tensor %t restrict writable : memref<4xf32> to tensor<4xf32>
  bufferization.materialize_in_destination %second in restrict writable %s : (tensor<4xf32>, memref<4xf32>) -> ()
  bufferization.materialize_in_destination %first in restrict writable %t : (tensor<4xf32>, memref<4xf32>) -> ()
  return
}
