// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: qtensor-interpret %s -split-input-file -verify-diagnostics

#i8 = #qtensor.block<codec<8, int<signed>>, [1, 2], scale = f32>
func.func @encoder(%x: tensor<1x2xf32>) -> tensor<1x2xf32, #i8> attributes {inputs = [dense<1.0> : tensor<1x2xf32>]} {
  // expected-error @+1 {{reference: encoder "mse" is not known here; give its parameters}}
  %q = qtensor.quantize %x encoder "mse" : tensor<1x2xf32> -> tensor<1x2xf32, #i8>
  return %q : tensor<1x2xf32, #i8>
}

// -----

#i8 = #qtensor.block<codec<8, int<signed>>, [1, 2], scale = f32>
func.func @split_block(%x: tensor<1x4xf32>, %n: index) -> tensor<1x2xf32, #i8> attributes {
    inputs = [dense<1.0> : tensor<1x4xf32>, 1 : index]} {
  %q = qtensor.quantize %x : tensor<1x4xf32> -> tensor<1x4xf32, #i8>
  // expected-error @+1 {{splits a block of component 'scale'}}
  %0 = tensor.extract_slice %q[0, %n] [1, 2] [1, 1] : tensor<1x4xf32, #i8> to tensor<1x2xf32, #i8>
  return %0 : tensor<1x2xf32, #i8>
}

// -----

// A plain op cannot make an encoded result: the rounding would be lost.
#i8 = #qtensor.block<codec<8, int<signed>>, [1, 2], scale = f32>
func.func @plain_result(%x: tensor<1x4xf32>) -> tensor<1x4xf32, #i8> attributes {inputs = [dense<1.0> : tensor<1x4xf32>]} {
  %init = tensor.empty() : tensor<1x4xf32, #i8>
  // expected-error @+1 {{reference: result 0 has shape [1, 4] of 'f32', which its type}}
  %0 = linalg.copy ins(%x : tensor<1x4xf32>) outs(%init : tensor<1x4xf32, #i8>) -> tensor<1x4xf32, #i8>
  return %0 : tensor<1x4xf32, #i8>
}

// -----

#shared = #qtensor.block<codec<8, int<signed>>, [1, 2], scale = f32, offset = f32[?, ?]>
func.func @shared_offset(%x: tensor<1x4xf32>) -> tensor<1x4xf32, #shared> attributes {inputs = [dense<1.0> : tensor<1x4xf32>]} {
  // expected-error @+1 {{reference: a parameter that blocks share must be given}}
  %q = qtensor.quantize %x : tensor<1x4xf32> -> tensor<1x4xf32, #shared>
  return %q : tensor<1x4xf32, #shared>
}

// -----

#q = #qtensor.block<codec<8, int<signed>>, [?], scale = 0.5>
func.func @shift(%a: tensor<1xi32>, %m: tensor<1xi32>, %s: tensor<1xi32>) -> tensor<1xf32, #q> attributes {
    inputs = [dense<1> : tensor<1xi32>, dense<1> : tensor<1xi32>, dense<99> : tensor<1xi32>]} {
  // expected-error @+1 {{reference: shift 99 is outside [-62, 31]}}
  %0 = qtensor.requantize %a multiplier(%m : tensor<1xi32>) shift(%s : tensor<1xi32>) <fixed<double>>
      clamp [-128, 127] : tensor<1xi32> -> tensor<1xf32, #q>
  return %0 : tensor<1xf32, #q>
}

// -----

#x = #qtensor.block<codec<16, int<signed>>, [?, ?], scale = f32>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @overflow(%x: tensor<1x4xi16>, %s: tensor<1x1xf32>) -> tensor<1x1xf32> attributes {
    inputs = [dense<32767> : tensor<1x4xi16>, dense<1.0> : tensor<1x1xf32>]} {
  %o = tensor.empty() : tensor<1x1xf32>
  // expected-error @+1 {{reference: the integer sum of a block does not fit 32 bits}}
  %y = qtensor.contract #qtensor.strategy<integer<1>> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%x, %s : tensor<1x4xi16>, tensor<1x1xf32>) as #x rhs(%x, %s : tensor<1x4xi16>, tensor<1x1xf32>) encoded #x
      outs(%o : tensor<1x1xf32>) -> tensor<1x1xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return %y : tensor<1x1xf32>
}

// -----

func.func @attention(%q: tensor<1x3x1x2xf32>, %k: tensor<?x?x?x?xf32>) -> tensor<1x3x1x2xf32> attributes {
    inputs = [dense<1.0> : tensor<1x3x1x2xf32>, dense<1.0> : tensor<1x2x1x2xf32>]} {
  %o = tensor.empty() : tensor<1x3x1x2xf32>
  // expected-error @+1 {{reference: the extents of query, key, value and mask do not fit}}
  %y = qtensor.attention query(%q : tensor<1x3x1x2xf32>) key(%k : tensor<?x?x?x?xf32>) value(%k : tensor<?x?x?x?xf32>)
      scale 5.0e-01 outs(%o : tensor<1x3x1x2xf32>) -> tensor<1x3x1x2xf32>
  return %y : tensor<1x3x1x2xf32>
}
