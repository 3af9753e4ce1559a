// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
func.func @predict(%x: tensor<?x4xf32>, %y: tensor<?x?xf32> {qtensor.name = "mask", qtensor.dims = ["batch", "length"]}) -> (tensor<?x2xf32>, tensor<?x?xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]]> : tensor<4x2xf32>
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %0 = tensor.empty(%n) : tensor<?x2xf32>
  %1 = linalg.fill ins(%zero : f32) outs(%0 : tensor<?x2xf32>) -> tensor<?x2xf32>
  %2 = linalg.matmul ins(%x, %w : tensor<?x4xf32>, tensor<4x2xf32>) outs(%1 : tensor<?x2xf32>) -> tensor<?x2xf32>
  %c1 = arith.constant 1 : index
  %batch = tensor.dim %y, %c0 : tensor<?x?xf32>
  %length = tensor.dim %y, %c1 : tensor<?x?xf32>
  %3 = tensor.empty(%batch, %length) : tensor<?x?xf32>
  %4 = linalg.exp ins(%y : tensor<?x?xf32>) outs(%3 : tensor<?x?xf32>) -> tensor<?x?xf32>
  return %2, %4 : tensor<?x2xf32>, tensor<?x?xf32>
}
