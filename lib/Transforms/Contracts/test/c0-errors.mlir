// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --verify-diagnostics --verify-contract-c0

// expected-error @+1 {{contract clause C0.1: there is one public function @main with a body}}
module {}

// -----

// expected-error @+1 {{contract clause C0.1: inputs and results of @main are ranked tensors, got 'memref<4xf32>'}}
func.func @main(%x: memref<4xf32>) {
  return
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{contract clause C0.2: 'memref.alloc' is of none of the dialects of an imported model}}
  %0 = memref.alloc() : memref<4xf32>
  return %x : tensor<4xf32>
}

// -----

// expected-error @+1 {{contract clause C0.3: names of inputs are not empty and differ, got 'x'}}
func.func @main(%x: tensor<4xf32> {qtensor.name = "x"}, %y: tensor<4xf32> {qtensor.name = "x"}) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----

func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @+1 {{contract clause C0.4: no tensor is unranked}}
  %0 = tensor.cast %x : tensor<4xf32> to tensor<*xf32>
  return %x : tensor<4xf32>
}

// -----

// expected-error @+1 {{contract clause C0.6: a tensor has fewer than 2^47 elements, got 'tensor<2147483648x2147483648xf32>'}}
func.func @main(%x: tensor<2147483648x2147483648xf32>) -> tensor<2147483648x2147483648xf32> {
  return %x : tensor<2147483648x2147483648xf32>
}

// -----

// expected-error @+1 {{contract clause C0.5: the state 'h' is no pair of an argument and a result}}
func.func @main(%h: tensor<4xf32> {qtensor.state = "h"}) -> tensor<4xf32> {
  return %h : tensor<4xf32>
}
