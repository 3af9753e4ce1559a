// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -qtensor-make-entry -verify-diagnostics

// expected-error @+1 {{the state 'h' is no pair of an argument and a result}}
func.func @main(%h: tensor<4xf32> {qtensor.state = "h"}) -> tensor<4xf32> {
  return %h : tensor<4xf32>
}

// -----

// expected-error @+1 {{two arguments are the state 'h'}}
func.func @main(%h: tensor<4xf32> {qtensor.state = "h"}, %g: tensor<4xf32> {qtensor.state = "h"}) -> (tensor<4xf32> {qtensor.state = "h"}) {
  return %h : tensor<4xf32>
}

// -----

// expected-error @+1 {{the state 'h' comes as 'tensor<?xf32>' and leaves as 'tensor<?xf32>'; a state has one type of fixed extents}}
func.func @main(%h: tensor<?xf32> {qtensor.state = "h"}) -> (tensor<?xf32> {qtensor.state = "h"}) {
  return %h : tensor<?xf32>
}
