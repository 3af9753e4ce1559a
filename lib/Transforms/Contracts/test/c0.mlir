// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --verify-contract-c0 | FileCheck %s

// CHECK-LABEL: func @main
func.func @main(%x: tensor<?x4xf32> {qtensor.name = "x"}) -> (tensor<?x4xf32> {qtensor.name = "y"}) {
  %y = linalg.exp ins(%x : tensor<?x4xf32>) outs(%x : tensor<?x4xf32>) -> tensor<?x4xf32>
  return %y : tensor<?x4xf32>
}
