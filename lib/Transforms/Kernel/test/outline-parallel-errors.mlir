// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-outline-parallel --verify-diagnostics --split-input-file

func.func @two_dimensions(%ctx: !llvm.ptr, %a: memref<4x4xf32>, %v: f32) {
  // expected-error@+1 {{only one dimension without results can run in parallel}}
  scf.forall (%i, %j) in (4, 4) {
    memref.store %v, %a[%i, %j] : memref<4x4xf32>
  }
  return
}

// -----

func.func @results(%ctx: !llvm.ptr, %a: tensor<4xf32>, %s: tensor<1xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{only one dimension without results can run in parallel}}
  %r = scf.forall (%i) in (4) shared_outs(%o = %a) -> (tensor<4xf32>) {
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %s into %o[%i] [1] [1] : tensor<1xf32> into tensor<4xf32>
    }
  }
  return %r : tensor<4xf32>
}
