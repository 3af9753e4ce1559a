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

// -----

func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  // expected-error @+1 {{an iteration may change an extent of a tensor that the loop carries ('tensor<?xf32>'); such tensors have one memory, so extents stay what they are at the start}}
  %r = scf.for %i = %c0 to %c3 step %c1 iter_args(%h = %x) -> tensor<?xf32> {
    %s = tensor.concat dim(0) %h, %x : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
    scf.yield %s : tensor<?xf32>
  }
  return %r : tensor<?xf32>
}

// -----

func.func @main(%x: tensor<?xf32>, %y: tensor<?xf32>, %on: tensor<i1>) -> tensor<?xf32> {
  %is = tensor.extract %on[] : tensor<i1>
  // expected-error @+1 {{an extent of a result is that of what this branch gives; only extents that follow from the extents of the inputs by arithmetic can be compiled}}
  %r = scf.if %is -> tensor<?xf32> {
    scf.yield %x : tensor<?xf32>
  } else {
    scf.yield %y : tensor<?xf32>
  }
  return %r : tensor<?xf32>
}
