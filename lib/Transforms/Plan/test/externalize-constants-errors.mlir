// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -split-input-file -qtensor-externalize-constants -verify-diagnostics

// expected-error @+1 {{@main has no %weights argument; qtensor-make-entry must run first}}
module {
  func.func @main() { return }
}

// -----

module attributes {qtensor.inputs = [], qtensor.outputs = []} {
  func.func @main(%ctx: !llvm.ptr, %weights: memref<?xi8>, %scratch: memref<?xi8>) {
    // expected-error @+1 {{the constant has 0 bytes, its type 'tensor<4xf32>' needs 16; the resource is missing or truncated}}
    %a = arith.constant dense_resource<nowhere> : tensor<4xf32>
    return
  }
}
