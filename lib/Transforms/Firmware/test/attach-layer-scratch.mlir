// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --pass-pipeline='builtin.module(func.func(qtensor-attach-layer-scratch{target=cortex-m0}))' | FileCheck %s

// An operand with gaps is copied, in front of the layer or behind it; one without keeps its place. How far the output may
// run over the input is the kernel's to say: here a pixel is read, channel by channel, while its results are written.
// CHECK-LABEL: func.func @gaps(
// CHECK-SAME: %[[A:.*]]: memref<1x4x4x8xi8, strided<[256, 64, 16, 1]>>, %[[B:.*]]: memref<1x2x2x8xi8, strided<[64, 32, 16, 1]>>
// CHECK: %[[IN:.*]] = memref.alloc() {alignment = 16 : i64} : memref<1x4x4x8xi8>
// CHECK: memref.copy %[[A]], %[[IN]]
// CHECK: %[[OUT:.*]] = memref.alloc() {alignment = 16 : i64} : memref<1x2x2x8xi8>
// CHECK: qnn.pool2d ins(%[[IN]] : memref<1x4x4x8xi8>) outs(%[[OUT]] : memref<1x2x2x8xi8>)
// CHECK-SAME: {qtensor.overlaps = [array<i64: 1, 0, 8, 1>]}
// CHECK: memref.copy %[[OUT]], %[[B]]
// CHECK-LABEL: func.func @dense(
// CHECK-NOT: memref.copy
func.func @gaps(%a: memref<1x4x4x8xi8, strided<[256, 64, 16, 1]>>, %b: memref<1x2x2x8xi8, strided<[64, 32, 16, 1]>>) {
  qnn.pool2d ins(%a : memref<1x4x4x8xi8, strided<[256, 64, 16, 1]>>) outs(%b : memref<1x2x2x8xi8, strided<[64, 32, 16, 1]>>)
    <{kernel = "plain.pool", window = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>, max, low = -128 : i64, high = 127 : i64}>
  return
}
func.func @dense(%a: memref<1x4x4x8xi8, strided<[512, 32, 8, 1]>>, %b: memref<1x2x2x8xi8>) {
  qnn.pool2d ins(%a : memref<1x4x4x8xi8, strided<[512, 32, 8, 1]>>) outs(%b : memref<1x2x2x8xi8>)
    <{kernel = "plain.pool", window = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
    pads = array<i64: 0, 0, 0, 0>, max, low = -128 : i64, high = 127 : i64}>
  return
}
