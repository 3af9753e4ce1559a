// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --qtensor-pack-contracts | FileCheck %s

#w = #qtensor.block<codec<4, int<signed>>, [1, 32], scale = f16>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>

// Two panels of 16 outputs, two blocks: 2 * 2 * (32 bytes of scales + 256 bytes of codes).
// CHECK-LABEL: func @matrix
// CHECK: %[[P:.*]] = arith.constant {qtensor.format = "{{.*}}"} dense_resource<packed{{.*}}> : tensor<1152xi8>
// CHECK: rhs(%[[P]] : tensor<1152xi8>) encoded #{{.*}} layout #qtile.packed<<rows = 16, block = 32, codes = i4, scale = f16>, [17, 40]>
func.func @matrix(%x: tensor<?x40xf32>, %o: tensor<?x17xf32>) -> tensor<?x17xf32> {
  %c = arith.constant dense<1> : tensor<17x40xi8>
  %s = arith.constant dense<2.0> : tensor<17x2xf16>
  %y = qtensor.contract #qtensor.strategy<float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%x : tensor<?x40xf32>) rhs(%c, %s : tensor<17x40xi8>, tensor<17x2xf16>) encoded #w
      outs(%o : tensor<?x17xf32>) -> tensor<?x17xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return %y : tensor<?x17xf32>
}

// -----

#w = #qtensor.block<codec<4, int<offset 0>>, [1, 32], scale = block<codec<6, int<offset 0>>, [1, 8], scale = f16>,
  offset = neg block<codec<6, int<offset 0>>, [1, 8], scale = f16>>
#v = #qtensor.block<codec<4, int<offset 0>>, [1, 16], scale = block<codec<8, fp<4, 3, bias 7, fn, sign>>, [?, ?], scale = f32>>
#u = #qtensor.block<codec<4, int<offset 0>>, [1, 16], scale = block<codec<2, table<[0.0, 0.3, 0.5, 1.0]>>, [1, 8], scale = f32, offset = f32>, offset = f16>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>

// Codes of nested parameters stay bytes: 10 blocks of 2 * 16 + 256 bytes, and 2 * 32 in front of 8 and of 2 of them. One
// scale of all scales is in front of the panel: 64 bytes, and 20 blocks of 16 + 128. A nested
// offset is added there; scales of a codec that is no number of one byte are looked up, and are bytes too.
// CHECK-LABEL: func @nested
// CHECK: tensor<3008xi8>) encoded #{{.*}} layout #qtile.packed<<rows = 16, block = 32, codes = i4, scale = i8, offset = i8, group = 8, scaleScale = f16, offsetScale = f16>, [16, 320]>
// CHECK: tensor<2944xi8>) encoded #{{.*}} layout #qtile.packed<<rows = 16, block = 16, codes = i4, scale = f8E4M3FN, scaleScale = f32>, [16, 320]>
// CHECK: layout #qtile.packed<<rows = 16, block = 16, codes = i4, scale = i8, offset = f16, group = 8, scaleScale = f32, scaleShift = f32>, [16, 320]>
func.func @nested(%x: tensor<?x320xf32>, %o: tensor<?x16xf32>) -> (tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>) {
  %c = arith.constant dense<1> : tensor<16x320xi8>
  %sc = arith.constant dense<3> : tensor<16x10xi8>
  %ss = arith.constant dense<2.0> : tensor<16x2xf16>
  %y = qtensor.contract #qtensor.strategy<float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%x : tensor<?x320xf32>) rhs(%c, %sc, %ss, %sc, %ss : tensor<16x320xi8>, tensor<16x10xi8>, tensor<16x2xf16>, tensor<16x10xi8>, tensor<16x2xf16>) encoded #w
      outs(%o : tensor<?x16xf32>) -> tensor<?x16xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  %vc = arith.constant dense<3> : tensor<16x20xi8>
  %vs = arith.constant dense<2.0> : tensor<1x1xf32>
  %z = qtensor.contract #qtensor.strategy<float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%x : tensor<?x320xf32>) rhs(%c, %vc, %vs : tensor<16x320xi8>, tensor<16x20xi8>, tensor<1x1xf32>) encoded #v
      outs(%o : tensor<?x16xf32>) -> tensor<?x16xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  %us = arith.constant dense<2.0> : tensor<16x3xf32>
  %uo = arith.constant dense<2.0> : tensor<16x20xf16>
  %u = qtensor.contract #qtensor.strategy<float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%x : tensor<?x320xf32>) rhs(%c, %vc, %us, %us, %uo : tensor<16x320xi8>, tensor<16x20xi8>, tensor<16x3xf32>, tensor<16x3xf32>, tensor<16x20xf16>) encoded #u
      outs(%o : tensor<?x16xf32>) -> tensor<?x16xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return %y, %z, %u : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
}

// -----

#w = #qtensor.block<codec<8, int<signed>>, [1, ?, ?, ?], scale = f32>

// A convolution with one scale for each output: one block over the whole window.
// CHECK-LABEL: func @window
// CHECK: layout #qtile.packed<<rows = 16, block = 72, codes = i8, scale = f32>, [16, 3, 3, 8]>
func.func @window(%x: tensor<1x10x10x8xf32>, %o: tensor<1x8x8x16xf32>) -> tensor<1x8x8x16xf32> {
  %c = arith.constant dense<3> : tensor<16x3x3x8xi8>
  %s = arith.constant dense<0.5> : tensor<16x1x1x1xf32>
  %y = qtensor.contract #qtensor.strategy<float>
      maps [affine_map<(b, h, w, f, p, q, c) -> (b, h + p, w + q, c)>, affine_map<(b, h, w, f, p, q, c) -> (f, p, q, c)>,
            affine_map<(b, h, w, f, p, q, c) -> (b, h, w, f)>]
      iterators ["parallel", "parallel", "parallel", "parallel", "reduction", "reduction", "reduction"]
      lhs(%x : tensor<1x10x10x8xf32>) rhs(%c, %s : tensor<16x3x3x8xi8>, tensor<16x1x1x1xf32>) encoded #w
      outs(%o : tensor<1x8x8x16xf32>) -> tensor<1x8x8x16xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return %y : tensor<1x8x8x16xf32>
}

// -----

#w = #qtensor.block<codec<4, int<signed>>, [1, 32], scale = f16>
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>

// A weight that is known at run time only keeps its components.
// CHECK-LABEL: func @run_time_weight
// CHECK-NOT: layout
// CHECK: qtensor.unpacked = "the weight is no constant"
func.func @run_time_weight(%x: tensor<4x32xf32>, %c: tensor<16x32xi8>, %s: tensor<16x1xf16>, %o: tensor<4x16xf32>) -> tensor<4x16xf32> {
  %y = qtensor.contract #qtensor.strategy<float> maps [#mk, #nk, #mn] iterators ["parallel", "parallel", "reduction"]
      lhs(%x : tensor<4x32xf32>) rhs(%c, %s : tensor<16x32xi8>, tensor<16x1xf16>) encoded #w
      outs(%o : tensor<4x16xf32>) -> tensor<4x16xf32> {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return %y : tensor<4x16xf32>
}
