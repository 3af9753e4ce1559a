// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -qtensor-check-extents -verify-diagnostics

func.func @main(%x: tensor<3x4xf32>, %y: tensor<5x4xf32>) -> tensor<?x4xf32> {
  %a = tensor.cast %x : tensor<3x4xf32> to tensor<?x4xf32>
  %b = tensor.cast %y : tensor<5x4xf32> to tensor<?x4xf32>
  // expected-error @+1 {{'linalg.add' op dimension 0 of operand 1 and dimension 0 of operand 0 differ, whatever the inputs are; correct the model}}
  %r = linalg.add ins(%a, %b : tensor<?x4xf32>, tensor<?x4xf32>) outs(%a : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %r : tensor<?x4xf32>
}

// -----

func.func @main(%x: tensor<?xf32>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %m = arith.addi %n, %c1 : index
  // expected-error @+1 {{'tensor.extract_slice' op its slice of dimension 0 of operand 0 goes past its end, whatever the inputs are}}
  %s = tensor.extract_slice %x[%m] [4] [1] : tensor<?xf32> to tensor<4xf32>
  return %s : tensor<4xf32>
}

// -----

// A branch that is never taken.
func.func @main(%x: tensor<3xf32>) -> tensor<4xf32> {
  %c0 = arith.constant 0 : index
  %c4 = arith.constant 4 : index
  %a = tensor.cast %x : tensor<3xf32> to tensor<?xf32>
  %n = tensor.dim %a, %c0 : tensor<?xf32>
  %is = arith.cmpi eq, %n, %c4 : index
  %r = scf.if %is -> tensor<4xf32> {
    %cast = tensor.cast %a : tensor<?xf32> to tensor<4xf32>
    scf.yield %cast : tensor<4xf32>
  } else {
    %e = tensor.empty() : tensor<4xf32>
    scf.yield %e : tensor<4xf32>
  }
  return %r : tensor<4xf32>
}
