// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --verify-contract-c2=record=true --canonicalize --cse --verify-contract-c2 | FileCheck %s

#x = #qtensor.block<codec<8, int<signed>>, [1, 32], scale = f32>
#x3 = #qtensor.block<codec<8, int<signed>>, [1, 1, 32], scale = f32>

// CHECK: module attributes {qtensor.roundings = 2 : i64}
// Every allowed way to pass an encoded tensor on. Upstream's clean-up keeps all roundings.
func.func @main(%x: tensor<?x128xf32>, %k: index, %c: tensor<8x128xf32, #x>) -> (tensor<4x2x128xf32, #x3>, tensor<?x128xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c32 = arith.constant 32 : index
  %q = qtensor.quantize %x : tensor<?x128xf32> -> tensor<?x128xf32, #x>
  %cast = tensor.cast %q : tensor<?x128xf32, #x> to tensor<8x128xf32, #x>
  %at = arith.muli %k, %c32 : index
  %slice = tensor.extract_slice %cast[0, %at] [8, 32] [1, 1] : tensor<8x128xf32, #x> to tensor<8x32xf32, #x>
  %tail = tensor.extract_slice %c[0, 96] [8, 32] [1, 1] : tensor<8x128xf32, #x> to tensor<8x32xf32, #x>
  %d = qtensor.dequantize %slice : tensor<8x32xf32, #x> -> tensor<8x32xf32>
  %loop = scf.for %i = %c0 to %k step %c1 iter_args(%a = %c) -> tensor<8x128xf32, #x> {
    %n = qtensor.insert %d into %a[0, 32] [8, 32] [1, 1] : tensor<8x32xf32> into tensor<8x128xf32, #x>
    scf.yield %n : tensor<8x128xf32, #x>
  }
  %e = tensor.expand_shape %loop [[0, 1], [2]] output_shape [4, 2, 128] : tensor<8x128xf32, #x> into tensor<4x2x128xf32, #x3>
  %r = qtensor.dequantize %q : tensor<?x128xf32, #x> -> tensor<?x128xf32>
  return %e, %r : tensor<4x2x128xf32, #x3>, tensor<?x128xf32>
}
