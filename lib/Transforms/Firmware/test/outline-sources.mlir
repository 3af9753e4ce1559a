// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -qtensor-outline-sources=entry=net_run | FileCheck %s

// Neighbours of one name share a function, and the fill without a name goes with the product behind it. Addresses are made inside.
// CHECK:       func.func private @op0_product(%[[ARENA:.*]]: memref<64xi8>, %[[X:.*]]: memref<2x4xf32>) attributes {passthrough = ["noinline"]}
// CHECK-NEXT:  arith.constant
// CHECK:       %[[A:.*]] = memref.view %[[ARENA]]
// CHECK:       linalg.fill
// CHECK-NEXT:  linalg.matmul ins(%[[X]], %{{.*}} : memref<2x4xf32>, memref<4x2xf32>) outs(%[[A]]
// CHECK-NEXT:  linalg.negf
// CHECK-NEXT:  return
// CHECK:       func.func private @op1_map(%{{.*}}: memref<64xi8>, %{{.*}}: memref<2x2xf32>)
// CHECK:       linalg.exp
// CHECK-LABEL: func.func @net_run(
// CHECK-SAME:  %[[IN:.*]]: memref<2x4xf32>, %[[OUT:.*]]: memref<2x2xf32>, %[[BYTES:.*]]: memref<64xi8>)
// CHECK-NOT:   linalg.
// CHECK:       call @op0_product(%[[BYTES]], %[[IN]])
// CHECK-NOT:   linalg.
// CHECK:       call @op1_map(%[[BYTES]], %[[OUT]])
// CHECK-NEXT:  return
func.func @net_run(%x: memref<2x4xf32>, %y: memref<2x2xf32>, %arena: memref<64xi8>) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %a = memref.view %arena[%c0][] : memref<64xi8> to memref<2x2xf32>
  %w = memref.get_global @weights : memref<4x2xf32>
  linalg.fill ins(%zero : f32) outs(%a : memref<2x2xf32>) loc(unknown)
  linalg.matmul ins(%x, %w : memref<2x4xf32>, memref<4x2xf32>) outs(%a : memref<2x2xf32>) loc("dense")
  linalg.negf ins(%a : memref<2x2xf32>) outs(%a : memref<2x2xf32>) loc("dense")
  linalg.exp ins(%a : memref<2x2xf32>) outs(%y : memref<2x2xf32>) loc("exp")
  return
}
memref.global "private" constant @weights : memref<4x2xf32> = dense<1.0>

// -----

// A value that goes from one operator to the next keeps both in the entry; a call stands between functions. A line of a file is a name.
// CHECK:       func.func private @op2_fill(
// CHECK-LABEL: func.func @net_run(
// CHECK:       memref.load
// CHECK:       memref.store
// CHECK:       call @helper
// CHECK:       call @op2_fill
func.func private @helper()
func.func @net_run(%x: memref<4xf32>, %y: memref<4xf32>) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %v = memref.load %x[%c0] : memref<4xf32> loc("read")
  memref.store %v, %y[%c0] : memref<4xf32> loc("write")
  call @helper() : () -> ()
  linalg.fill ins(%zero : f32) outs(%x : memref<4xf32>)
  return
}
