// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Open extents that have to agree, or to be large enough.
func.func @main(%x: tensor<?x4xf32>, %y: tensor<?x4xf32>, %k: tensor<?x2xf32>, %v: tensor<?xf32>)
    -> (tensor<?x4xf32>, tensor<?x2xf32>, tensor<?x4xf32>, tensor<?x2xf32>, tensor<?xf32>) {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant 0.0 : f32
  %ones = arith.constant dense<1.0> : tensor<3xf32>
  %sum = arith.addf %x, %y : tensor<?x4xf32>
  %n = tensor.dim %x, %c0 : tensor<?x4xf32>
  %e = tensor.empty(%n) : tensor<?x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  %product = linalg.matmul ins(%x, %k : tensor<?x4xf32>, tensor<?x2xf32>) outs(%f : tensor<?x2xf32>) -> tensor<?x2xf32>
  %rows = tensor.extract_slice %x[1, 0] [2, 4] [1, 1] : tensor<?x4xf32> to tensor<2x4xf32>
  %put = tensor.insert_slice %rows into %y[1, 0] [2, 4] [1, 1] : tensor<2x4xf32> into tensor<?x4xf32>
  %l = tensor.dim %v, %c0 : tensor<?xf32>
  %half = arith.divsi %l, %c2 : index
  %pairs = tensor.expand_shape %v [[0, 1]] output_shape [%half, 2] : tensor<?xf32> into tensor<?x2xf32>
  %places = arith.subi %l, %c2 : index
  %we = tensor.empty(%places) : tensor<?xf32>
  %wf = linalg.fill ins(%zero : f32) outs(%we : tensor<?xf32>) -> tensor<?xf32>
  %windows = linalg.conv_1d ins(%v, %ones : tensor<?xf32>, tensor<3xf32>) outs(%wf : tensor<?xf32>) -> tensor<?xf32>
  return %sum, %product, %put, %pairs, %windows : tensor<?x4xf32>, tensor<?x2xf32>, tensor<?x4xf32>, tensor<?x2xf32>, tensor<?xf32>
}
