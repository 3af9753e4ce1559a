// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(func.func(qtensor-integer-only))'

module attributes {qtensor.rounding = "upwards"} {
  // expected-error @+1 {{rounding is double, single or real, got 'upwards'}}
  func.func @mode() { return }
}

// -----

#x = #qtensor.block<int8, [?, ?], scale = 0.5>
#w = #qtensor.block<int8, [?, ?], scale = 0.5>
#b = #qtensor.block<codec<32, int<signed>>, [?], scale = 4.0>
module attributes {qtensor.rounding = "double"} {
  func.func @bias(%x: tensor<1x4xf32, #x>, %codes: tensor<4x2xi8>) -> tensor<1x2xf32, #x> {
    %w = qtensor.assemble %codes : tensor<4x2xi8> -> tensor<4x2xf32, #w>
    %bc = arith.constant dense<[7, -9]> : tensor<2xi32>
    %b = qtensor.assemble %bc : tensor<2xi32> -> tensor<2xf32, #b>
    %zero = arith.constant 0.0 : f32
    %empty = tensor.empty() : tensor<1x2xf32>
    %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x2xf32>) -> tensor<1x2xf32>
    %acc = linalg.matmul ins(%x, %w : tensor<1x4xf32, #x>, tensor<4x2xf32, #w>) outs(%init : tensor<1x2xf32>) -> tensor<1x2xf32>
    %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (j)>, affine_map<(i, j) -> (i, j)>],
                         iterator_types = ["parallel", "parallel"]}
        ins(%acc, %b : tensor<1x2xf32>, tensor<2xf32, #b>) outs(%empty : tensor<1x2xf32>) {
    ^bb0(%a: f32, %c: f32, %o: f32):
      %s = arith.addf %a, %c : f32
      linalg.yield %s : f32
    } -> tensor<1x2xf32>
    // expected-error @+1 {{the bias of channel 0 has the scale 4.000000e+00, the products 2.500000e-01; they may differ by 2 % of the output's scale; quantize the model again}}
    %q = qtensor.quantize %r : tensor<1x2xf32> -> tensor<1x2xf32, #x>
    return %q : tensor<1x2xf32, #x>
  }
}
