// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What packing leaves satisfies C4.
// RUN: quant-opt %s --qtensor-select --qtensor-fuse-epilogues --qtensor-decompose --qtensor-pack-contracts --verify-contract-c4 | FileCheck %s

#w = #qtensor.block<int4, [1, 32], scale = f16>
// CHECK-LABEL: func @main
// CHECK: qtensor.contract {{.*}} layout #qtile.packed
func.func @main(%x: tensor<?x32xf32>) -> tensor<?x16xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %codes = arith.constant dense<3> : tensor<16x32xi8>
  %scale = arith.constant dense<0.5> : tensor<16x1xf16>
  %w = qtensor.assemble %codes, %scale : tensor<16x32xi8>, tensor<16x1xf16> -> tensor<16x32xf32, #w>
  %m = tensor.dim %x, %c0 : tensor<?x32xf32>
  %e = tensor.empty(%m) : tensor<?x16xf32>
  %0 = linalg.fill ins(%zero : f32) outs(%e : tensor<?x16xf32>) -> tensor<?x16xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
         ins(%x, %w : tensor<?x32xf32>, tensor<16x32xf32, #w>) outs(%0 : tensor<?x16xf32>) -> tensor<?x16xf32>
  return %y : tensor<?x16xf32>
}
