// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --verify-contract-c5 | FileCheck %s

// CHECK-LABEL: func @main
func.func @main(%scratch: memref<?xi8>, %x: memref<4xf32>) {
  %c0 = arith.constant 0 : index
  %0 = memref.view %scratch[%c0][] : memref<?xi8> to memref<4xf32>
  memref.copy %x, %0 : memref<4xf32> to memref<4xf32>
  return
}
