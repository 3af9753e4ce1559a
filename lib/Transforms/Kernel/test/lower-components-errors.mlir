// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --verify-diagnostics --qtensor-lower-components="lanes=8 tile-rows=1 tile-columns=1"
// RUN: echo 'module {}' | not quant-opt --qtensor-lower-components="tile-rows=1 tile-columns=1 core-names=a" 2>&1 | FileCheck %s --check-prefix=NAMES
// NAMES: error: core-names names as many cores as are described
// RUN: echo 'module {}' | not quant-opt --qtensor-lower-components="tile-rows=1,4 tile-columns=1,1 stream-ahead=0,64" 2>&1 | FileCheck %s --check-prefix=COUNTS
// RUN: echo 'module {}' | not quant-opt --qtensor-lower-components="tile-rows=1,4 tile-columns=1,1 stream-ahead=0,64 tile-counts=2,0" 2>&1 | FileCheck %s --check-prefix=COUNTS
// COUNTS: error: tile-counts has a number of 1 or more for each of 2 machine(s), 2 in all
// RUN: echo 'module {}' | not quant-opt --qtensor-lower-components="tile-rows=1 tile-columns=1 cores=1,2,3" 2>&1 | FileCheck %s --check-prefix=RATES
// RATES: error: cores are described by 10 positive numbers each

#x = #qtensor.block<codec<8, int<signed>>, [1, 32], scale = f32>
func.func @on_tensors(%x: tensor<4x64xf32>, %c: tensor<4x64xi8>, %s: tensor<4x2xf32>) -> (tensor<4x64xi8>, tensor<4x2xf32>) {
  // expected-error@+1 {{is on tensors; bufferize first}}
  %r:2 = qtensor.encode %x as #x outs(%c, %s : tensor<4x64xi8>, tensor<4x2xf32>) : tensor<4x64xf32> -> tensor<4x64xi8>, tensor<4x2xf32>
  return %r#0, %r#1 : tensor<4x64xi8>, tensor<4x2xf32>
}

// -----

#x = #qtensor.block<codec<8, int<signed>>, [1, 32], scale = f32>
func.func @encoder(%x: memref<4x64xf32>, %c: memref<4x64xi8>, %s: memref<4x2xf32>) {
  // expected-error@+1 {{encoder "mse" cannot run in an artifact; use absmax}}
  qtensor.encode %x as #x encoder "mse" outs(%c, %s : memref<4x64xi8>, memref<4x2xf32>) : memref<4x64xf32>
  return
}

// -----

#w = #qtensor.block<codec<4, int<signed>>, [1, 32], scale = f16>
func.func @no_scratch(%x: memref<4x64xf32>, %w: memref<1152xi8>, %y: memref<4x32xf32>) {
  // expected-error@+1 {{has a packed weight but no kernel: it has no scratch (qtensor-attach-scratch gives it)}}
  qtensor.contract #qtensor.strategy<float>
      maps [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      iterators ["parallel", "parallel", "reduction"]
      lhs(%x : memref<4x64xf32>) rhs(%w : memref<1152xi8>) encoded #w
      layout #qtile.packed<<rows = 16, block = 32, codes = i4, scale = f16>, [32, 64]> outs(%y : memref<4x32xf32>) {
   ^bb0(%a: f32):
     qtensor.yield %a : f32
  }
  return
}

// -----

func.func @open_heads(%q: memref<1x2x1x?xf32>, %k: memref<1x2x8x?xf32>) {
  // expected-error@+1 {{needs heads of known width; the last extents of query and output are open}}
  qtensor.attention query(%q : memref<1x2x1x?xf32>) key(%k : memref<1x2x8x?xf32>) value(%k : memref<1x2x8x?xf32>)
      scale 1.0 outs(%q : memref<1x2x1x?xf32>)
  return
}

// -----

func.func @gaps(%q: memref<1x2x1x16xf32>, %k: memref<1x2x8x16xf32, strided<[512, 256, 32, 2]>>) {
  // expected-error@+1 {{reads operands whose last dimension lies without gaps in memory}}
  qtensor.attention query(%q : memref<1x2x1x16xf32>) key(%k : memref<1x2x8x16xf32, strided<[512, 256, 32, 2]>>)
      value(%k : memref<1x2x8x16xf32, strided<[512, 256, 32, 2]>>) scale 1.0 outs(%q : memref<1x2x1x16xf32>)
  return
}
