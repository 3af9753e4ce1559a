// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The phases themselves: what selection leaves satisfies C3.
// RUN: quant-opt %s --verify-contract-c2 --qtensor-select --qtensor-fuse-epilogues --qtensor-decompose --verify-contract-c3 | FileCheck %s

#x = #qtensor.block<codec<8, int<signed>>, [1, ?], scale = f32>
// CHECK-LABEL: func @main
// CHECK: qtensor.encode
// CHECK: qtensor.decode
func.func @main(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %q = qtensor.quantize %x : tensor<?x8xf32> -> tensor<?x8xf32, #x>
  %e = linalg.exp ins(%q : tensor<?x8xf32, #x>) outs(%x : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %e : tensor<?x8xf32>
}
