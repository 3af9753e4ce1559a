// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A pass whose patterns come to no end is named, and stops; no pass of the compiler does so, hence the plugin.
// RUN: quant-opt %s --load-pass-plugin=%build/lib/qtensor-restless.so --pass-pipeline='builtin.module(func.func(test-swap-operands))' --verify-diagnostics

// expected-error @+1 {{'test-swap-operands' comes to no end here: after 10 rounds its patterns still rewrite what they have written; this is an error of the compiler: report it with the model and the options}}
func.func @main(%x: i32, %y: i32) -> i32 {
  %0 = arith.addi %x, %y : i32
  return %0 : i32
}

// Where nothing matches there is nothing to say.
func.func @still(%x: i32, %y: i32) -> i32 {
  %0 = arith.subi %x, %y : i32
  return %0 : i32
}
