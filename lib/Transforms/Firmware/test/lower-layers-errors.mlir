// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -verify-diagnostics -qtensor-lower-layers=target=cortex-m0
// RUN: not quant-opt %s -split-input-file -qtensor-lower-layers=target=x86-64 2>&1 | FileCheck %s
// CHECK: target 'x86-64' has no kernels for layers; see quant-compile --list-targets

func.func @kernel(%a: memref<1x4x4x8xi8>, %b: memref<1x2x2x8xi8>) {
  // expected-error @below {{has the kernel "elsewhere.pool", which the target lacks; pack the layer for this target}}
  qnn.pool2d ins(%a : memref<1x4x4x8xi8>) outs(%b : memref<1x2x2x8xi8>) <{kernel = "elsewhere.pool", window = array<i64: 2, 2>,
    strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, max, low = -128 : i64, high = 127 : i64}>
  return
}

// -----

func.func @tensors(%a: tensor<1x4x4x8xi8>, %b: tensor<1x2x2x8xi8>) -> tensor<1x2x2x8xi8> {
  // expected-error @below {{is on tensors; layers are lowered on buffers}}
  %y = qnn.pool2d ins(%a : tensor<1x4x4x8xi8>) outs(%b : tensor<1x2x2x8xi8>) <{kernel = "plain.pool", window = array<i64: 2, 2>,
    strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, max, low = -128 : i64, high = 127 : i64}> -> tensor<1x2x2x8xi8>
  return %y : tensor<1x2x2x8xi8>
}

// -----

func.func @place(%a: memref<1x4x4x8xi8, strided<[128, 32, 8, 1], offset: ?>>, %b: memref<1x2x2x8xi8>) {
  // expected-error @below {{has a buffer whose place is not known}}
  qnn.pool2d ins(%a : memref<1x4x4x8xi8, strided<[128, 32, 8, 1], offset: ?>>) outs(%b : memref<1x2x2x8xi8>) <{kernel = "plain.pool",
    window = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, max,
    low = -128 : i64, high = 127 : i64}>
  return
}
