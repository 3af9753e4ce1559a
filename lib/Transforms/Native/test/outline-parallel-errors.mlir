// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -qtensor-outline-parallel -verify-diagnostics

func.func @main(%ctx: !llvm.ptr, %x: tensor<4xf32>, %out: memref<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  // expected-error @+1 {{a value of type 'tensor<4xf32>' cannot be handed to a parallel loop: LLVM has no such type; bufferize first}}
  scf.parallel (%i) = (%c0) to (%c4) step (%c1) {
    %0 = tensor.extract %x[%i] : tensor<4xf32>
    memref.store %0, %out[%i] : memref<4xf32>
  }
  return
}
