// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --verify-diagnostics --split-input-file --qtensor-encode-constants

func.func @no_bytes(%c: tensor<4x32xi8>, %s: tensor<4x1xf16>) -> (tensor<4x32xi8>, tensor<4x1xf16>) {
  // expected-error @+1 {{the constant has 0 bytes of data, its type 256}}
  %w = arith.constant dense_resource<elsewhere> : tensor<4x32xf16>
  %0:2 = qtensor.encode %w as #qtensor.block<int4, [1, 32], scale = f16> outs(%c, %s : tensor<4x32xi8>, tensor<4x1xf16>)
    : tensor<4x32xf16> -> tensor<4x32xi8>, tensor<4x1xf16>
  return %0#0, %0#1 : tensor<4x32xi8>, tensor<4x1xf16>
}

// -----

func.func @unknown_encoder(%c: tensor<4x32xi8>, %s: tensor<4x1xf16>) -> (tensor<4x32xi8>, tensor<4x1xf16>) {
  %w = arith.constant dense<1.0> : tensor<4x32xf16>
  // expected-error @+1 {{unknown encoder 'best'; there are absmax,}}
  %0:2 = qtensor.encode %w as #qtensor.block<int4, [1, 32], scale = f16> encoder "best" outs(%c, %s : tensor<4x32xi8>, tensor<4x1xf16>)
    : tensor<4x32xf16> -> tensor<4x32xi8>, tensor<4x1xf16>
  return %0#0, %0#1 : tensor<4x32xi8>, tensor<4x1xf16>
}
