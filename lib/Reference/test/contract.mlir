// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: qtensor-interpret %s
// Contractions on components: exact sums inside a block, blocks ascending, one fma each.

#x = #qtensor.block<codec<8, int<signed>>, [1, 2], scale = f32>
#w = #qtensor.block<codec<4, int<offset 8>>, [1, 4], scale = f16>
#wz = #qtensor.block<codec<4, int<unsigned>>, [1, 4], scale = f32, zero = codec<4, int<unsigned>>, offset = f32>
#xs = #qtensor.block<codec<8, int<signed>>, [?, ?], scale = 0.5, zero = 3.0>
#wi = #qtensor.block<codec<8, int<signed>>, [?, ?]>
#xi = #qtensor.block<codec<8, int<signed>>, [?, ?], zero = 3.0>
#e2m1 = #qtensor.block<codec<4, fp<2, 1, bias 1, finite, sign>>, [1, 2], scale = f32>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#n = affine_map<(m, n) -> (n)>

// Blocks of x: (1*1 + 2*-8) * 1 * 0.5, (3*2 + 4*0) * 2 * 0.5, the short tail 5*7 * 10 * 2.
func.func @integer(%xc: tensor<1x5xi8>, %xs: tensor<1x3xf32>, %wc: tensor<1x5xi8>, %ws: tensor<1x2xf16>, %b: tensor<1xf32>)
    -> tensor<1x1xf32> attributes {
    inputs = [dense<[[1, 2, 3, 4, 5]]> : tensor<1x5xi8>, dense<[[1.0, 2.0, 10.0]]> : tensor<1x3xf32>,
              dense<[[9, 0, 10, 8, 15]]> : tensor<1x5xi8>, dense<[[0.5, 2.0]]> : tensor<1x2xf16>, dense<1000.0> : tensor<1xf32>],
    expect = [dense<1698.5> : tensor<1x1xf32>]} {
  %o = tensor.empty() : tensor<1x1xf32>
  %t = arith.constant dense<0> : tensor<1x3xi32>
  %y = qtensor.contract #qtensor.strategy<integer<1>> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%xc, %xs, %t : tensor<1x5xi8>, tensor<1x3xf32>, tensor<1x3xi32>) as #x sums
      rhs(%wc, %ws : tensor<1x5xi8>, tensor<1x2xf16>) encoded #w
      extra(%b : tensor<1xf32>) extra_maps [#n] outs(%o : tensor<1x1xf32>) -> tensor<1x1xf32> {
   ^bb0(%a: f32, %e: f32):
     %0 = arith.addf %a, %e : f32
     qtensor.yield %0 : f32
  }
  return %y : tensor<1x1xf32>
}
// Zero points and an offset of w: sum 1*(5-2)+2*(0-2)+3*(2-2)+4*(3-2) = 3, times 2; offset: 10 * 0.25.
func.func @zero_and_offset(%xc: tensor<1x4xi8>, %xs: tensor<1x2xf32>, %wc: tensor<1x4xi8>) -> (tensor<1x1xf32>, tensor<1x1xf32>)
    attributes {
    inputs = [dense<[[1, 2, 3, 4]]> : tensor<1x4xi8>, dense<1.0> : tensor<1x2xf32>, dense<[[5, 0, 2, 3]]> : tensor<1x4xi8>],
    expect = [dense<8.5> : tensor<1x1xf32>, dense<8.5> : tensor<1x1xf32>]} {
  %o = tensor.empty() : tensor<1x1xf32>
  %ws = arith.constant dense<2.0> : tensor<1x1xf32>
  %wz = arith.constant dense<2> : tensor<1x1xi8>
  %wo = arith.constant dense<0.25> : tensor<1x1xf32>
  %y = qtensor.contract #qtensor.strategy<integer<1>> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%xc, %xs : tensor<1x4xi8>, tensor<1x2xf32>) as #x
      rhs(%wc, %ws, %wz, %wo : tensor<1x4xi8>, tensor<1x1xf32>, tensor<1x1xi8>, tensor<1x1xf32>) encoded #wz
      outs(%o : tensor<1x1xf32>) -> tensor<1x1xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  %z = qtensor.contract #qtensor.strategy<float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%xc, %xs : tensor<1x4xi8>, tensor<1x2xf32>) as #x
      rhs(%wc, %ws, %wz, %wo : tensor<1x4xi8>, tensor<1x1xf32>, tensor<1x1xi8>, tensor<1x1xf32>) encoded #wz
      outs(%o : tensor<1x1xf32>) -> tensor<1x1xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return %y, %z : tensor<1x1xf32>, tensor<1x1xf32>
}
// An i32 accumulator of statically encoded operands: (10 - 3) * 2 + (-3 - 3) * 5.
func.func @accumulator(%xc: tensor<1x2xi8>, %wc: tensor<1x2xi8>) -> tensor<1x1xi32> attributes {
    inputs = [dense<[[10, -3]]> : tensor<1x2xi8>, dense<[[2, 5]]> : tensor<1x2xi8>], expect = [dense<-16> : tensor<1x1xi32>]} {
  %o = tensor.empty() : tensor<1x1xi32>
  %y = qtensor.contract #qtensor.strategy<integer<1>> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%xc : tensor<1x2xi8>) as #xi rhs(%wc : tensor<1x2xi8>) encoded #wi
      outs(%o : tensor<1x1xi32>) -> tensor<1x1xi32> {
   ^bb0(%a: i32):
     qtensor.yield %a : i32
  }
  return %y : tensor<1x1xi32>
}
// float: one fma chain over k; the exact product 1 + 2^-11 + 2^-24 keeps its last bit through the fma.
func.func @fma_chain(%x: tensor<1x2xf32>, %w: tensor<1x2xf32>) -> tensor<1x1xf32> attributes {
    inputs = [dense<[[-1.0, 0x3F800800]]> : tensor<1x2xf32>, dense<[[0x3F801000, 0x3F800800]]> : tensor<1x2xf32>],
    expect = [dense<0x33800000> : tensor<1x1xf32>]} {
  %o = tensor.empty() : tensor<1x1xf32>
  %y = qtensor.contract #qtensor.strategy<float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%x : tensor<1x2xf32>) rhs(%w : tensor<1x2xf32>) outs(%o : tensor<1x1xf32>) -> tensor<1x1xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return %y : tensor<1x1xf32>
}
// Small floats as integers of half units: 6 -> 12, -0.5 -> -1.
func.func @embedded(%xc: tensor<1x2xi8>, %xs: tensor<1x1xf32>, %wc: tensor<1x2xi8>, %ws: tensor<1x1xf32>) -> tensor<1x1xf32> attributes {
    inputs = [dense<[[3, 4]]> : tensor<1x2xi8>, dense<2.0> : tensor<1x1xf32>, dense<[[7, 9]]> : tensor<1x2xi8>, dense<10.0> : tensor<1x1xf32>],
    expect = [dense<320.0> : tensor<1x1xf32>]} {
  %o = tensor.empty() : tensor<1x1xf32>
  %y = qtensor.contract #qtensor.strategy<integer<1>> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%xc, %xs : tensor<1x2xi8>, tensor<1x1xf32>) as #x rhs(%wc, %ws : tensor<1x2xi8>, tensor<1x1xf32>) encoded #e2m1
      outs(%o : tensor<1x1xf32>) -> tensor<1x1xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return %y : tensor<1x1xf32>
}
// A convolution is the same op: two taps over an axis of three.
#in = affine_map<(p, f, k, c) -> (p + k, c)>
#filter = affine_map<(p, f, k, c) -> (f, k, c)>
#out = affine_map<(p, f, k, c) -> (p, f)>
func.func @convolution(%x: tensor<3x1xf32>, %w: tensor<2x2x1xf32>) -> tensor<2x2xf32> attributes {
    inputs = [dense<[[1.0], [2.0], [3.0]]> : tensor<3x1xf32>, dense<[[[1.0], [10.0]], [[0.0], [1.0]]]> : tensor<2x2x1xf32>],
    expect = [dense<[[21.0, 2.0], [32.0, 3.0]]> : tensor<2x2xf32>]} {
  %o = tensor.empty() : tensor<2x2xf32>
  %y = qtensor.contract #qtensor.strategy<float> maps [#in, #filter, #out]
      iterators ["parallel", "parallel", "reduction", "reduction"]
      lhs(%x : tensor<3x1xf32>) rhs(%w : tensor<2x2x1xf32>) outs(%o : tensor<2x2xf32>) -> tensor<2x2xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return %y : tensor<2x2xf32>
}
func.func @epilogue(%acc: tensor<1x2xi32>, %b: tensor<2xf32>) -> tensor<1x2xf32> attributes {
    inputs = [dense<[[3, -4]]> : tensor<1x2xi32>, dense<[0.5, 1.0]> : tensor<2xf32>], expect = [dense<[[3.5, 0.0]]> : tensor<1x2xf32>]} {
  %o = tensor.empty() : tensor<1x2xf32>
  %y = qtensor.epilogue %acc extra(%b : tensor<2xf32>) extra_maps [#n] outs(%o : tensor<1x2xf32>) : tensor<1x2xi32>
      -> tensor<1x2xf32> {
   ^bb0(%a: i32, %e: f32):
     %zero = arith.constant 0.0 : f32
     %0 = arith.sitofp %a : i32 to f32
     %1 = arith.addf %0, %e : f32
     %2 = arith.maximumf %1, %zero : f32
     qtensor.yield %2 : f32
  }
  return %y : tensor<1x2xf32>
}
// Equal scores average the values; a row that is masked out entirely is zero; two query heads share one key head.
func.func @attention(%q: tensor<1x2x2x1xf32>, %k: tensor<1x1x2x1xf32>, %v: tensor<1x1x2x1xf32>, %mask: tensor<2x2xf32>)
    -> tensor<1x2x2x1xf32> attributes {tolerance = 1.0e-6,
    inputs = [dense<[[[[0.0], [1.0]], [[1.0], [1.0]]]]> : tensor<1x2x2x1xf32>, dense<[[[[0.0], [2.0]]]]> : tensor<1x1x2x1xf32>,
              dense<[[[[1.0], [3.0]]]]> : tensor<1x1x2x1xf32>, dense<[[0.0, 0.0], [0xFF800000, 0xFF800000]]> : tensor<2x2xf32>],
    expect = [dense<[[[[2.0], [0.0]], [[2.4621171572600098], [0.0]]]]> : tensor<1x2x2x1xf32>]} {
  %o = tensor.empty() : tensor<1x2x2x1xf32>
  %y = qtensor.attention query(%q : tensor<1x2x2x1xf32>) key(%k : tensor<1x1x2x1xf32>) value(%v : tensor<1x1x2x1xf32>)
      mask(%mask : tensor<2x2xf32>) scale 5.0e-01 outs(%o : tensor<1x2x2x1xf32>) -> tensor<1x2x2x1xf32>
  return %y : tensor<1x2x2x1xf32>
}
