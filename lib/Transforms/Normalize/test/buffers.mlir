// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Operations on buffers have no results to rewrite: they stay.
// RUN: quant-opt %s -qtensor-fold-reads -qtensor-sink-transposes -qtensor-simplify-shapes | FileCheck %s

// CHECK: linalg.transpose ins(%{{.*}} : memref<4x8xf32>)
func.func @buffers(%a: memref<4x8xf32>, %d: memref<8x4xf32>) {
  linalg.transpose ins(%a : memref<4x8xf32>) outs(%d : memref<8x4xf32>) permutation = [1, 0]
  return
}
