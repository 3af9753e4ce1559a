// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s -qtensor-emit-entry -verify-diagnostics

// expected-error @+1 {{the module is not planned (phase C5): @main, @shapes, qtensor.inputs and qtensor.plan are needed}}
module {
  func.func @main() { return }
}
