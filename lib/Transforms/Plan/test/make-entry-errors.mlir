// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -qtensor-make-entry -verify-diagnostics

// expected-error @+1 {{the module has no function @main with a body of one block; that is where a model starts}}
module {
  func.func @other() { return }
}

// -----

// expected-error @+1 {{input 0 has type 'f32'; inputs and results must be ranked tensors}}
func.func @main(%x: f32) { return }

// -----

// expected-error @+1 {{input 0 has elements of type 'i4', which fill no whole bytes}}
func.func @main(%x: tensor<4xi4>) { return }

// -----

func.func @main(%x: tensor<1xindex>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  // expected-error @+1 {{an extent of a result depends on the values of an input}}
  %n = tensor.extract %x[%c0] : tensor<1xindex>
  %e = tensor.empty(%n) : tensor<?xf32>
  return %e : tensor<?xf32>
}
