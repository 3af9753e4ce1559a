// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: qtensor-interpret %s -verify-diagnostics
// The tool itself must notice a wrong value, type or count.

// expected-error @+1 {{result 0 is 2xf32 [1, 2], expected 2xf32 [1, 2.00000024]}}
func.func @value() -> tensor<2xf32> attributes {expect = [dense<[1.0, 0x40000001]> : tensor<2xf32>]} {
  %0 = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  return %0 : tensor<2xf32>
}
// expected-error @+1 {{result 0 is 1xi8 [1], expected 1xi16 [1]}}
func.func @type() -> tensor<1xi8> attributes {expect = [dense<1> : tensor<1xi16>]} {
  %0 = arith.constant dense<1> : tensor<1xi8>
  return %0 : tensor<1xi8>
}
// expected-error @+1 {{returns 1 values, expected 2}}
func.func @count() -> i8 attributes {expect = [1 : i8, 1 : i8]} {
  %0 = arith.constant 1 : i8
  return %0 : i8
}
