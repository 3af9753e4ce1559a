// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: qtensor-interpret %s -split-input-file -verify-diagnostics
// What the reference cannot evaluate is one diagnostic on the op that asked for it.

// expected-error @+1 {{reference: argument 0 of 'argument' has shape [] of 'f32', expected 'tensor<2xf32>'}}
func.func @argument(%x: tensor<2xf32>) -> tensor<2xf32> attributes {inputs = [1.0 : f32]} {
  return %x : tensor<2xf32>
}

// -----

func.func @no_rule() -> memref<2xf32> {
  // expected-error @+1 {{the reference has no rule for this op}}
  %0 = memref.alloc() : memref<2xf32>
  return %0 : memref<2xf32>
}

// -----

func.func @division(%a: i32) -> i32 attributes {inputs = [0 : i32]} {
  // expected-error @+1 {{reference: integer division by zero}}
  %0 = arith.divsi %a, %a : i32
  return %0 : i32
}

// -----

func.func @out_of_bounds(%i: index) -> f32 attributes {inputs = [4 : index]} {
  %t = arith.constant dense<1.0> : tensor<4xf32>
  // expected-error @+1 {{reference: index [4] is outside of shape [4]}}
  %0 = tensor.extract %t[%i] : tensor<4xf32>
  return %0 : f32
}

// -----

func.func @slice(%n: index) -> tensor<?xf32> attributes {inputs = [5 : index]} {
  %t = arith.constant dense<1.0> : tensor<4xf32>
  // expected-error @+1 {{reference: the slice at [0] of sizes [5] is not inside the tensor of shape [4]}}
  %0 = tensor.extract_slice %t[0] [%n] [1] : tensor<4xf32> to tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

func.func @huge(%n: index) -> tensor<?x?xf32> attributes {inputs = [1000000000 : index]} {
  // expected-error @+1 {{is negative, too large, or of an unsupported type}}
  %0 = tensor.empty(%n, %n) : tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

func.func @cast(%x: tensor<?xf32>) -> tensor<3xf32> attributes {inputs = [dense<1.0> : tensor<2xf32>]} {
  // expected-error @+1 {{reference: result 0 has shape [2] of 'f32', which its type 'tensor<3xf32>' does not allow}}
  %0 = tensor.cast %x : tensor<?xf32> to tensor<3xf32>
  return %0 : tensor<3xf32>
}

// -----

func.func @extents(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> attributes {
    inputs = [dense<1.0> : tensor<2xf32>, dense<1.0> : tensor<3xf32>]} {
  // expected-error @+1 {{reference: loop 0 has extent 2 in one operand and 3 in another}}
  %0 = linalg.add ins(%x, %x : tensor<?xf32>, tensor<?xf32>) outs(%y : tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

func.func @recursion() {
  // expected-error @+1 {{reference: calls are nested deeper than 64}}
  call @recursion() : () -> ()
  return
}
