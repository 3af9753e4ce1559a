// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -qtensor-lower-layers=target=cortex-m0 | FileCheck %s

// Two layers of one shape share a function; its addresses are arguments. The third has its own.
// CHECK: func.func private @layer0_pool2d(%[[IN:.*]]: !llvm.ptr, %[[OUT:.*]]: !llvm.ptr) attributes {passthrough = ["noinline"]}
// CHECK: scf.for
// CHECK: llvm.store %{{.*}} : i8, !llvm.ptr
// CHECK: func.func private @layer1_pool2d
// CHECK-LABEL: func.func @main(
// CHECK: memref.extract_aligned_pointer_as_index
// CHECK: call @layer0_pool2d(
// CHECK: call @layer0_pool2d(
// CHECK: call @layer1_pool2d(
// CHECK-NOT: qnn.
func.func @main(%a: memref<1x4x4x8xi8>, %b: memref<1x2x2x8xi8>, %c: memref<1x2x2x8xi8>, %d: memref<1x1x1x8xi8>) {
  qnn.pool2d ins(%a : memref<1x4x4x8xi8>) outs(%b : memref<1x2x2x8xi8>) <{kernel = "plain.pool", window = array<i64: 2, 2>, strides = array<i64: 2, 2>,
    dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, max, low = -128 : i64, high = 127 : i64}>
  qnn.pool2d ins(%a : memref<1x4x4x8xi8>) outs(%c : memref<1x2x2x8xi8>) <{kernel = "plain.pool", window = array<i64: 2, 2>, strides = array<i64: 2, 2>,
    dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, max, low = -128 : i64, high = 127 : i64}>
  qnn.pool2d ins(%c : memref<1x2x2x8xi8>) outs(%d : memref<1x1x1x8xi8>) <{kernel = "plain.pool", window = array<i64: 2, 2>, strides = array<i64: 2, 2>,
    dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, low = -128 : i64, high = 127 : i64}>
  return
}
