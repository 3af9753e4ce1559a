// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --verify-diagnostics --qtensor-select=strategy=integer

#w = #qtensor.block<codec<4, int<signed>>, [1, 32], scale = f16>
func.func @not_encoded(%x: tensor<96xf32>, %w: tensor<64x96xf32, #w>, %b: tensor<64xf32>) -> tensor<64xf32> {
  // expected-error @+1 {{the integer strategy was asked for, but the activation is not encoded; leave the choice to the compiler}}
  %y = linalg.matvec ins(%w, %x : tensor<64x96xf32, #w>, tensor<96xf32>) outs(%b : tensor<64xf32>) -> tensor<64xf32>
  return %y : tensor<64xf32>
}

// -----
// expected-warning @-1 {{strategy=integer has no effect: the strategies of all layers are given}}
#w = #qtensor.block<codec<4, int<signed>>, [1, 32], scale = f16>
func.func @no_strategy(%x: tensor<96xf32>, %w: tensor<64x96xf32, #w>, %b: tensor<64xf32>) -> tensor<64xf32> {
  // expected-error @+1 {{'qtensor.strategy' is #qtensor.strategy<float> or #qtensor.strategy<integer<limbs>>, got "fast"}}
  %y = linalg.matvec {qtensor.strategy = "fast"} ins(%w, %x : tensor<64x96xf32, #w>, tensor<96xf32>) outs(%b : tensor<64xf32>) -> tensor<64xf32>
  return %y : tensor<64xf32>
}

// -----

#w = #qtensor.block<codec<4, int<signed>>, [1, 2], scale = f16>
#x = #qtensor.block<codec<8, int<signed>>, [?], scale = f32>
func.func @short_blocks(%x: tensor<96xf32, #x>, %w: tensor<64x96xf32, #w>, %b: tensor<64xf32>) -> tensor<64xf32> {
  // expected-error @+1 {{but a block holds 2 product(s) only}}
  %y = linalg.matvec ins(%w, %x : tensor<64x96xf32, #w>, tensor<96xf32, #x>) outs(%b : tensor<64xf32>) -> tensor<64xf32>
  return %y : tensor<64xf32>
}

// -----

#w = #qtensor.block<codec<4, int<signed>>, [1, 32], scale = f16, zero = f16>
#x = #qtensor.block<codec<8, int<signed>>, [?], scale = f32>
func.func @float_zero(%x: tensor<96xf32, #x>, %w: tensor<64x96xf32, #w>, %b: tensor<64xf32>) -> tensor<64xf32> {
  // expected-error @+1 {{but a zero point is no integer}}
  %y = linalg.matvec ins(%w, %x : tensor<64x96xf32, #w>, tensor<96xf32, #x>) outs(%b : tensor<64xf32>) -> tensor<64xf32>
  return %y : tensor<64xf32>
}

// -----
// expected-warning @-1 {{strategy=integer has no effect: the strategies of all layers are given}}
#w = #qtensor.block<codec<4, table<[-1.0, -0.7, -0.5, -0.4, -0.3, -0.2, -0.1, 0.0, 0.1, 0.15, 0.25, 0.35, 0.45, 0.55, 0.75, 1.0]>>, [1, 32], scale = f16>
#x = #qtensor.block<codec<8, int<signed>>, [?], scale = f32>
func.func @limbs(%x: tensor<96xf32, #x>, %w: tensor<64x96xf32, #w>, %b: tensor<64xf32>) -> tensor<64xf32> {
  // expected-error @+1 {{the strategy #qtensor.strategy<integer<1>> was asked for, but the weight's codec needs 2 limb(s)}}
  %y = linalg.contract indexing_maps = [affine_map<(n, k) -> (k)>, affine_map<(n, k) -> (n, k)>, affine_map<(n, k) -> (n)>] {qtensor.strategy = #qtensor.strategy<integer<1>>}
         ins(%x, %w : tensor<96xf32, #x>, tensor<64x96xf32, #w>) outs(%b : tensor<64xf32>) -> tensor<64xf32>
  return %y : tensor<64xf32>
}

// -----

// expected-warning @below {{strategy=integer has no effect: no contraction has an encoded operand}}
module {
  func.func @plain(%x: tensor<96xf32>, %w: tensor<64x96xf32>, %b: tensor<64xf32>) -> tensor<64xf32> {
    %y = linalg.matvec ins(%w, %x : tensor<64x96xf32>, tensor<96xf32>) outs(%b : tensor<64xf32>) -> tensor<64xf32>
    return %y : tensor<64xf32>
  }
}
