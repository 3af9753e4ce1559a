// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-evaluate-constants --split-input-file --verify-diagnostics

func.func @missing_bytes() -> tensor<4xf32> {
  // expected-error @below {{resource 'nowhere' has no data}}
  %x = arith.constant dense_resource<nowhere> : tensor<2x2xf32>
  %y = tensor.collapse_shape %x [[0, 1]] : tensor<2x2xf32> into tensor<4xf32>
  return %y : tensor<4xf32>
}
