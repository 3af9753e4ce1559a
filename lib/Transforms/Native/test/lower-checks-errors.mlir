// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -qtensor-lower-checks -verify-diagnostics

module {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>) {
    %no = arith.constant false
    // expected-error @+1 {{an index is outside, whatever the inputs are; correct the model}}
    cf.assert %no, "an index is outside"
    return
  }
}

// -----

module {
  func.func @other(%ok: i1) {
    // expected-error @+1 {{only @main, after qtensor-make-entry, can check values}}
    cf.assert %ok, "an index is outside"
    return
  }
}
