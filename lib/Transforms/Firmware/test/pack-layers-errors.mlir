// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -verify-diagnostics --pass-pipeline='builtin.module(func.func(qtensor-pack-layers{target=cortex-m0}))'
// RUN: not quant-opt %s -split-input-file --pass-pipeline='builtin.module(func.func(qtensor-pack-layers{target=cortex-m99}))' 2>&1 | FileCheck %s
// CHECK: target 'cortex-m99' has no kernels for layers; see quant-compile --list-targets
// RUN: not quant-opt %s -split-input-file --pass-pipeline='builtin.module(func.func(qtensor-pack-layers{target=cortex-m0 prefer=beauty}))' 2>&1 | FileCheck %s --check-prefix=PREFER
// PREFER: prefer='beauty': expected speed, memory or both

func.func @variable(%x: tensor<2x4xi8>, %w: tensor<3x4xi8>, %b: tensor<1xi32>, %o: tensor<2x3xi8>) -> tensor<2x3xi8> {
  // expected-error @below {{has a weight, bias, multiplier or shift that is not constant}}
  %y = qnn.fully_connected ins(%x : tensor<2x4xi8>) weights(%w, %b, %b, %b : tensor<3x4xi8>, tensor<1xi32>, tensor<1xi32>, tensor<1xi32>)
    outs(%o : tensor<2x3xi8>) <{input_zero = 0 : i64, output_zero = 0 : i64, low = -128 : i64, high = 127 : i64,
    map = #qtensor.final<fixed<double>>}> -> tensor<2x3xi8>
  return %y : tensor<2x3xi8>
}

// -----

func.func @widths(%x: tensor<1x4x4x8xi4>, %p: tensor<1x2x2x8xi4>) -> tensor<1x2x2x8xi4> {
  // expected-error @below {{has codes that are not 8 or 16 bits wide}}
  %q = qnn.pool2d ins(%x : tensor<1x4x4x8xi4>) outs(%p : tensor<1x2x2x8xi4>) <{window = array<i64: 2, 2>, strides = array<i64: 2, 2>,
    dilations = array<i64: 1, 1>, pads = array<i64: 0, 0, 0, 0>, max, low = -8 : i64, high = 7 : i64}> -> tensor<1x2x2x8xi4>
  return %q : tensor<1x2x2x8xi4>
}
