// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --verify-diagnostics --qtensor-quantize-weights=weights=int4/32

func.func @short_resource(%x: tensor<3x4xf32>, %i: tensor<3x2xf32>) -> tensor<3x2xf32> {
  // expected-error @+1 {{the constant has 8 bytes of data, its type 32}}
  %w = arith.constant dense_resource<short> : tensor<4x2xf32>
  %0 = linalg.matmul ins(%x, %w : tensor<3x4xf32>, tensor<4x2xf32>) outs(%i : tensor<3x2xf32>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}
{-#
  dialect_resources: { builtin: { short: "0x0400000000000000000000FF" } }
#-}
