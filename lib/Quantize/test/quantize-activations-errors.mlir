// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --verify-diagnostics --qtensor-quantize-activations="activations=int8/static statistics=%S/Inputs/ranges.json"

#w = #qtensor.block<int4, [1, 32], scale = f16>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @no_statistics(%y: tensor<4x32xf32> {qtensor.name = "y"}, %w: tensor<8x32xf32, #w>, %i: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %c = arith.constant dense<1> : tensor<8x32xi8>
  %s = arith.constant dense<1.0> : tensor<8x1xf16>
  %v = qtensor.assemble %c, %s : tensor<8x32xi8>, tensor<8x1xf16> -> tensor<8x32xf32, #w>
  // expected-error @+1 {{format 'int8/static' needs calibration statistics of 'y'; calibrate the model, or name the file that its calibration wrote}}
  %0 = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%y, %v : tensor<4x32xf32>, tensor<8x32xf32, #w>) outs(%i : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}
