// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -qtensor-emit-firmware-entry=prefix=net | FileCheck %s

// Two memories: the view behind the first one's end counts from the second one's beginning.
// CHECK-NOT: qtensor.plan
// CHECK: llvm.mlir.global external constant @net_weights() {{.*}}alignment = 16 : i64{{.*}} : !llvm.array<12 x i8>
// CHECK: func.func @net_run(%[[X:.*]]: !llvm.ptr, %[[Y:.*]]: !llvm.ptr, %[[FAST:.*]]: !llvm.ptr, %[[SLOW:.*]]: !llvm.ptr)
// CHECK: llvm.mlir.addressof @net_weights
// CHECK: %[[AT:.*]] = arith.constant 16 : index
// CHECK: memref.view %{{.*}}[%[[AT]]][] : memref<?xi8> to memref<4xi8>
// CHECK-NOT: @shapes
module attributes {qtensor.inputs = [{name = "x", type = tensor<4xi8>}], qtensor.outputs = [{name = "y", type = tensor<4xi8>}],
    qtensor.weights = [{name = "w", offset = 0 : i64, size = 12 : i64, value = dense<1> : tensor<12xi8>}],
    qtensor.plan = {bound = 48 : i64, buffers = 2 : i64, bytes = 64 : i64, slots = 0 : i64, places = [],
    regions = [{base = 0 : i64, bytes = 32 : i64, name = "fast"}, {base = 32 : i64, bytes = 32 : i64, name = "slow"}]}} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<4xi8>, %y: memref<4xi8>) {
    %c0 = arith.constant 0 : index
    %c48 = arith.constant 48 : index
    %w = memref.view %weights[%c0][] : memref<?xi8> to memref<12xi8>
    %b = memref.view %scratch[%c48][] : memref<?xi8> to memref<4xi8>
    memref.copy %x, %b : memref<4xi8> to memref<4xi8>
    memref.copy %b, %y : memref<4xi8> to memref<4xi8>
    %v = memref.load %w[%c0] : memref<12xi8>
    memref.store %v, %y[%c0] : memref<4xi8>
    return
  }
  func.func private @shapes() -> index {
    %c = arith.constant 64 : index
    return %c : index
  }
}

// -----

// What qtensor-lower-checks{numbers} stores is returned.
// CHECK: func.func @net_run(%{{.*}}: !llvm.ptr) -> i32
// CHECK: %[[STATUS:.*]] = llvm.alloca %{{.*}} x i32
// CHECK: llvm.store %{{.*}}, %[[STATUS]]
// CHECK: scf.if
// CHECK: llvm.store %{{.*}}, %[[STATUS]]
// CHECK: %[[RESULT:.*]] = llvm.load %[[STATUS]] : !llvm.ptr -> i32
// CHECK: return %[[RESULT]] : i32
module attributes {qtensor.checks = ["an index is outside"], qtensor.plan = {bytes = 0 : i64, regions = []}} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>, %x: memref<4xi1>) {
    %c0 = arith.constant 0 : index
    %outside = memref.load %x[%c0] : memref<4xi1>
    scf.if %outside {
      %number = arith.constant 1 : i32
      llvm.store %number, %ctx : i32, !llvm.ptr
    }
    return
  }
}
