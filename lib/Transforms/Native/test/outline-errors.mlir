// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -qtensor-outline-ops -verify-diagnostics

// expected-error @+1 {{@main has no context argument; qtensor-make-entry must run first}}
module {
  func.func @main(%a: memref<4xf32>) { return }
}
