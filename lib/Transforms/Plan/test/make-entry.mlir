// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -qtensor-make-entry | FileCheck %s

// CHECK: module attributes {qtensor.inputs = [{dims = ["batch", ""], name = "x", type = tensor<?x4xf32>}], qtensor.outputs = [{name = "y", type = tensor<4x?xf32>}]}
// CHECK: func.func @main(%[[CTX:.*]]: !llvm.ptr, %[[W:.*]]: memref<?xi8>, %[[S:.*]]: memref<?xi8>, %[[X:.*]]: memref<?x4xf32>, %[[Y:.*]]: memref<4x?xf32>) {
// CHECK: %[[T:.*]] = bufferization.to_tensor %[[X]] restrict
// CHECK: %[[R:.*]] = linalg.transpose ins(%[[T]]
// CHECK: bufferization.materialize_in_destination %[[R]] in restrict writable %[[Y]]
// CHECK: func.func private @shapes(%[[X0:.*]]: index, %{{.*}}: index) -> (index, index)
// CHECK-NOT: linalg
// CHECK: %[[FOUR:.*]] = arith.constant 4
// CHECK: return %[[FOUR]], %[[X0]]
func.func @main(%x: tensor<?x4xf32> {qtensor.name = "x", qtensor.dims = ["batch", ""]}) -> (tensor<4x?xf32> {qtensor.name = "y"}) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %e = tensor.empty(%n) : tensor<4x?xf32>
  %t = linalg.transpose ins(%x : tensor<?x4xf32>) outs(%e : tensor<4x?xf32>) permutation = [1, 0]
  return %t : tensor<4x?xf32>
}

// -----

// Extents are computed, also through arithmetic; names have defaults; unsigned integers are told apart.
// CHECK: qtensor.inputs = [{name = "input0", type = tensor<?xi8>, unsigned}]
// CHECK-SAME: qtensor.outputs = [{name = "output0", type = tensor<?xi8>}]
// CHECK: func.func private @shapes(%[[N:.*]]: index) -> index
// CHECK: %[[M:.*]] = arith.muli %[[N]]
// CHECK: return %[[M]]
func.func @main(%x: tensor<?xi8> {qtensor.dtype = ui8}) -> tensor<?xi8> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant 0 : i8
  %n = tensor.dim %x, %c0 : tensor<?xi8>
  %m = arith.muli %n, %c2 : index
  %e = tensor.empty(%m) : tensor<?xi8>
  %f = linalg.fill ins(%zero : i8) outs(%e : tensor<?xi8>) -> tensor<?xi8>
  return %f : tensor<?xi8>
}

// -----

// A check of extents is decided by @shapes, before @main reads anything; a check of values stays.
// CHECK: func.func @main({{.*}}: memref<?xi32>, %{{.*}}: memref<?xi32>, %{{.*}}: memref<?xi32>) {
// CHECK-NOT: "the rows differ"
// CHECK: cf.assert %{{.*}}, "the value is not 1"
// CHECK: func.func private @shapes(%[[A:.*]]: index, %[[B:.*]]: index) -> (index, i1)
// CHECK-NOT: cf.assert
// CHECK: %[[SAME:.*]] = arith.cmpi eq, %[[A]], %[[B]]
// CHECK: return %[[A]], %[[SAME]]
func.func @main(%x: tensor<?xi32>, %y: tensor<?xi32>) -> tensor<?xi32> {
  %c0 = arith.constant 0 : index
  %one = arith.constant 1 : i32
  %n = tensor.dim %x, %c0 : tensor<?xi32>
  %m = tensor.dim %y, %c0 : tensor<?xi32>
  %same = arith.cmpi eq, %n, %m : index
  cf.assert %same, "the rows differ"
  %first = tensor.extract %x[%c0] : tensor<?xi32>
  %is = arith.cmpi eq, %first, %one : i32
  cf.assert %is, "the value is not 1"
  %r = linalg.add ins(%x, %y : tensor<?xi32>, tensor<?xi32>) outs(%x : tensor<?xi32>) -> tensor<?xi32>
  return %r : tensor<?xi32>
}

// -----

// What a loop carries has the extents of its start, in every iteration and in the end.
// CHECK: func.func @main(
// CHECK: %[[X:.*]] = bufferization.to_tensor
// CHECK: scf.for
// CHECK: %[[N:.*]] = tensor.dim %[[X]], %
// CHECK: tensor.empty(%[[N]])
// CHECK: func.func private @shapes(%[[A:.*]]: index) -> index
// CHECK-NOT: scf.for
// CHECK: return %[[A]]
func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %r = scf.for %i = %c0 to %c3 step %c1 iter_args(%h = %x) -> tensor<?xf32> {
    %n = tensor.dim %h, %c0 : tensor<?xf32>
    %e = tensor.empty(%n) : tensor<?xf32>
    %s = linalg.exp ins(%h : tensor<?xf32>) outs(%e : tensor<?xf32>) -> tensor<?xf32>
    scf.yield %s : tensor<?xf32>
  }
  return %r : tensor<?xf32>
}
