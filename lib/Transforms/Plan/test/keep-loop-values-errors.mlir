// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -verify-diagnostics -qtensor-keep-loop-values

func.func @other_order(%n: i32, %x: tensor<4xf32>, %y: tensor<2xf32>) -> tensor<4xf32> {
  %zero = arith.constant 0 : i32
  %r:3 = scf.while (%i = %n, %a = %x, %b = %y) : (i32, tensor<4xf32>, tensor<2xf32>) -> (i32, tensor<2xf32>, tensor<4xf32>) {
    %more = arith.cmpi sgt, %i, %zero : i32
    // expected-error @+1 {{passes on a tensor of type 'tensor<2xf32>' in place 1, where its loop does not carry one of that type; tensors that a loop carries keep their memory: pass them in the order and with the types in which they came}}
    scf.condition(%more) %i, %b, %a : i32, tensor<2xf32>, tensor<4xf32>
  } do {
  ^bb0(%i: i32, %b: tensor<2xf32>, %a: tensor<4xf32>):
    scf.yield %i, %a, %b : i32, tensor<4xf32>, tensor<2xf32>
  }
  return %r#2 : tensor<4xf32>
}

// -----

func.func @more(%n: i32, %x: tensor<4xf32>) -> tensor<4xf32> {
  %zero = arith.constant 0 : i32
  %r:2 = scf.while (%i = %n) : (i32) -> (i32, tensor<4xf32>) {
    %more = arith.cmpi sgt, %i, %zero : i32
    // expected-error @+1 {{passes on a tensor of type 'tensor<4xf32>' in place 1}}
    scf.condition(%more) %i, %x : i32, tensor<4xf32>
  } do {
  ^bb0(%i: i32, %a: tensor<4xf32>):
    scf.yield %i : i32
  }
  return %r#1 : tensor<4xf32>
}
