// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --split-input-file --verify-diagnostics --verify-contract-c6

llvm.func @c6_1(%x: i32) -> i32 {
  // expected-error @+1 {{contract clause C6.1: 'arith.addi' is not of the LLVM dialect}}
  %0 = arith.addi %x, %x : i32
  llvm.return %0 : i32
}

// -----

// expected-error @+1 {{contract clause C6.1: 'func.func' is not of the LLVM dialect}}
func.func private @outside(i32)
