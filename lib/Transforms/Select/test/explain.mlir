// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// RUN: quant-opt %s --qtensor-quantize-weights=weights=int4/32 --qtensor-select --qtensor-fuse-epilogues --qtensor-decompose --explain -o /dev/null 2>&1 | FileCheck %s

// CHECK: fc1: float, f32 x #qtensor.block<int4, [1, 32], scale = f16>; then addf (not integer: the activation is not encoded)
// CHECK-NEXT: scores: not selected: it has no constant side
// CHECK-NEXT: cache: decoded in memory: 'linalg.exp' reads it: it does not have two inputs and one result
// CHECK-NEXT: 1 fused, 1 decoded in memory, 1 plain, 0 unexplained
#c = #qtensor.block<int8, [1, 32], scale = f16>
func.func @main(%x: tensor<4x64xf32>, %i: tensor<4x64xf32>, %k: tensor<4x64xf32, #c>, %v: tensor<64x64xf32>) -> (tensor<4x64xf32>, tensor<4x64xf32>, tensor<4x64xf32>) {
  %w = arith.constant dense<1.0> : tensor<64x64xf32> loc("fc1.weight")
  %y = linalg.matmul ins(%x, %w : tensor<4x64xf32>, tensor<64x64xf32>) outs(%i : tensor<4x64xf32>) -> tensor<4x64xf32> loc("fc1")
  %z = linalg.matmul ins(%x, %v : tensor<4x64xf32>, tensor<64x64xf32>) outs(%i : tensor<4x64xf32>) -> tensor<4x64xf32> loc("scores")
  %e = linalg.exp ins(%k : tensor<4x64xf32, #c>) outs(%i : tensor<4x64xf32>) -> tensor<4x64xf32> loc("cache")
  return %y, %z, %e : tensor<4x64xf32>, tensor<4x64xf32>, tensor<4x64xf32>
}
