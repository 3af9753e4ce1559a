// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -qtensor-lower-stream-ahead -verify-diagnostics

func.func @other(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>) -> index {
  // expected-error @+1 {{only @main, after qtensor-make-entry, has a context that says it}}
  %bytes = qtile.stream_ahead : index
  return %bytes : index
}

// -----

func.func @main() -> index {
  // expected-error @+1 {{only @main, after qtensor-make-entry, has a context that says it}}
  %bytes = qtile.stream_ahead : index
  return %bytes : index
}
