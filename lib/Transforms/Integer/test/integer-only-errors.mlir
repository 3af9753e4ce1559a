// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(func.func(qtensor-integer-only))'
// RUN: not quant-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qtensor-integer-only{rounding=upwards}))' 2>&1 | FileCheck %s
// RUN: not quant-opt %s --split-input-file --pass-pipeline='builtin.module(func.func(qtensor-hoist-quantize{rounding=upwards}))' 2>&1 | FileCheck %s
// CHECK: error: rounding is double, single or real, got 'upwards'

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

// -----

// 1 and 2^-40 have no common unit of which both are less than 2^31; 50000 products of 128 * 128 times 2^20 leave 48 bits; a
// unit of 2^-31 in steps of 1 is too little for a multiplier.
#x = #qtensor.block<int8, [?, ?], scale = 0.5>
#w = #qtensor.block<int8, [1, 2], scale = f32>
#half = #qtensor.block<int8, [1, 50000], scale = f32>
#y = #qtensor.block<int8, [?, ?], scale = 0.25>
#coarse = #qtensor.block<int8, [?, ?], scale = 1.0>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
module attributes {qtensor.rounding = "double"} {
  func.func @apart(%x: tensor<1x4xf32, #x>, %codes: tensor<1x4xi8>) -> tensor<1x1xf32, #y> {
    %scales = arith.constant dense<[[1.0, 9.094947e-13]]> : tensor<1x2xf32>
    %w = qtensor.assemble %codes, %scales : tensor<1x4xi8>, tensor<1x2xf32> -> tensor<1x4xf32, #w>
    %zero = arith.constant 0.0 : f32
    %empty = tensor.empty() : tensor<1x1xf32>
    %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x1xf32>) -> tensor<1x1xf32>
    %acc = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<1x4xf32, #x>, tensor<1x4xf32, #w>)
             outs(%init : tensor<1x1xf32>) -> tensor<1x1xf32>
    // expected-warning @+2 {{the scales of the groups of channel 0 have no common unit of which each is less than 2^31; this layer stays in floating point}}
    // expected-warning @+1 {{stays real arithmetic between codes}}
    %q = qtensor.quantize %acc : tensor<1x1xf32> -> tensor<1x1xf32, #y>
    return %q : tensor<1x1xf32, #y>
  }

  func.func @wide(%x: tensor<1x100000xf32, #x>, %codes: tensor<1x100000xi8>) -> tensor<1x1xf32, #y> {
    %scales = arith.constant dense<[[1.0, 9.53674316e-7]]> : tensor<1x2xf32>
    %w = qtensor.assemble %codes, %scales : tensor<1x100000xi8>, tensor<1x2xf32> -> tensor<1x100000xf32, #half>
    %zero = arith.constant 0.0 : f32
    %empty = tensor.empty() : tensor<1x1xf32>
    %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x1xf32>) -> tensor<1x1xf32>
    %acc = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<1x100000xf32, #x>, tensor<1x100000xf32, #half>)
             outs(%init : tensor<1x1xf32>) -> tensor<1x1xf32>
    // expected-warning @+2 {{sums of products with the scales of their groups leave the 48 bits of fixed<x16>; this layer stays in floating point}}
    // expected-warning @+1 {{stays real arithmetic between codes}}
    %q = qtensor.quantize %acc : tensor<1x1xf32> -> tensor<1x1xf32, #y>
    return %q : tensor<1x1xf32, #y>
  }

  func.func @small(%x: tensor<1x4xf32, #x>, %codes: tensor<1x4xi8>) -> tensor<1x1xf32, #coarse> {
    %scales = arith.constant dense<[[4.65661287e-10, 9.31322574e-10]]> : tensor<1x2xf32>
    %w = qtensor.assemble %codes, %scales : tensor<1x4xi8>, tensor<1x2xf32> -> tensor<1x4xf32, #w>
    %zero = arith.constant 0.0 : f32
    %empty = tensor.empty() : tensor<1x1xf32>
    %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x1xf32>) -> tensor<1x1xf32>
    %acc = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<1x4xf32, #x>, tensor<1x4xf32, #w>)
             outs(%init : tensor<1x1xf32>) -> tensor<1x1xf32>
    // expected-warning @+2 {{have a common unit so small that its multiplier has no bits left; this layer stays in floating point}}
    // expected-warning @+1 {{stays real arithmetic between codes}}
    %q = qtensor.quantize %acc : tensor<1x1xf32> -> tensor<1x1xf32, #coarse>
    return %q : tensor<1x1xf32, #coarse>
  }
}

// -----

// The layer's codes are not the values that its other reader is meant to see.
#x = #qtensor.block<int8, [?, ?], scale = 0.5>
#w = #qtensor.block<int8, [?, ?], scale = 0.5>
#id = affine_map<(i, j) -> (i, j)>
module attributes {qtensor.rounding = "double"} {
  func.func @twice(%x: tensor<1x4xf32, #x>, %codes: tensor<4x2xi8>) -> (tensor<1x2xf32, #x>, tensor<1x2xf32>) {
    %w = qtensor.assemble %codes : tensor<4x2xi8> -> tensor<4x2xf32, #w>
    %zero = arith.constant 0.0 : f32
    %empty = tensor.empty() : tensor<1x2xf32>
    %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x2xf32>) -> tensor<1x2xf32>
    // expected-warning @+1 {{is computed twice: in integers where its result is rounded, and in floats for 'gate', which reads the real value; let it read rounded values (QuantizeLinear, DequantizeLinear) too}}
    %acc = linalg.matmul ins(%x, %w : tensor<1x4xf32, #x>, tensor<4x2xf32, #w>) outs(%init : tensor<1x2xf32>) -> tensor<1x2xf32>
    %r = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
        ins(%acc : tensor<1x2xf32>) outs(%empty : tensor<1x2xf32>) {
    ^bb0(%a: f32, %o: f32):
      %s = math.exp %a : f32
      linalg.yield %s : f32
    } -> tensor<1x2xf32> loc("exponential")
    %sum = linalg.generic {indexing_maps = [#id, #id, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "reduction"]}
        ins(%r, %r : tensor<1x2xf32>, tensor<1x2xf32>) outs(%init : tensor<1x2xf32>) {
    ^bb0(%a: f32, %b: f32, %o: f32):
      %s = arith.addf %a, %o : f32
      linalg.yield %s : f32
    } -> tensor<1x2xf32> loc("gate")
    %q = qtensor.quantize %acc : tensor<1x2xf32> -> tensor<1x2xf32, #x>
    return %q, %sum : tensor<1x2xf32, #x>, tensor<1x2xf32>
  }
}
