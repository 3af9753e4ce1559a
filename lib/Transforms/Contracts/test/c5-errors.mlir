// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --verify-diagnostics --verify-contract-c5

// expected-error @+1 {{contract clause C5.1: there are no tensors, got 'tensor<4xf32>'}}
func.func private @c5_1(%x: tensor<4xf32>)

// -----

func.func @main(%x: memref<4xf32>) {
  // expected-error @+1 {{contract clause C5.2: @main allocates nothing: temporaries lie in the scratch arena}}
  %0 = memref.alloc() : memref<4xf32>
  return
}

// -----

// expected-error @+1 {{contract clause C5.3: no element in memory is narrower than 8 bits, got 'memref<4xi4>'}}
func.func private @c5_3(%x: memref<4xi4>)
