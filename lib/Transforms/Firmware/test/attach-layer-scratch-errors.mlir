// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -verify-diagnostics --pass-pipeline='builtin.module(func.func(qtensor-attach-layer-scratch{target=x86-64}))'

func.func @target(%a: memref<1x4x4x8xi8>, %b: memref<1x2x2x8xi8>) {
  // expected-error @below {{target 'x86-64' has no kernels for layers; see quant-compile --list-targets}}
  qnn.pool2d ins(%a : memref<1x4x4x8xi8>) outs(%b : memref<1x2x2x8xi8>) <{kernel = "plain.pool", window = array<i64: 2, 2>,
    strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, max, low = -128 : i64, high = 127 : i64}>
  return
}
