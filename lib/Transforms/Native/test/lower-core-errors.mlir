// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -qtensor-lower-core -verify-diagnostics

func.func @other(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>) -> index {
  // expected-error @+1 {{only @main, after qtensor-make-entry, has a context that says it}}
  %core = qtile.core : index
  return %core : index
}

// -----

func.func @main() -> index {
  // expected-error @+1 {{only @main, after qtensor-make-entry, has a context that says it}}
  %core = qtile.core : index
  return %core : index
}
