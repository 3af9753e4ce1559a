// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops over tensors of open extents: a sum three times, rows by the counter, a swap while there is something to do, and the
// row that an input names.
func.func @main(%x: tensor<?x2xf32>, %y: tensor<?x2xf32>, %n: tensor<?xi64>, %at: tensor<1xi64>)
    -> (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<1x2xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %sum = scf.for %i = %c0 to %c3 step %c1 iter_args(%h = %x) -> tensor<?x2xf32> {
    %s = arith.addf %h, %y : tensor<?x2xf32>
    scf.yield %s : tensor<?x2xf32>
  }
  %rounds = tensor.dim %n, %c0 : tensor<?xi64>
  %rows = scf.for %i = %c0 to %rounds step %c1 iter_args(%h = %x) -> tensor<?x2xf32> {
    %row = tensor.extract_slice %y[%i, 0] [1, 2] [1, 1] : tensor<?x2xf32> to tensor<1x2xf32>
    %s = tensor.insert_slice %row into %h[%i, 0] [1, 2] [1, 1] : tensor<1x2xf32> into tensor<?x2xf32>
    scf.yield %s : tensor<?x2xf32>
  }
  %swapped:3 = scf.while (%i = %c0, %a = %x, %b = %y) : (index, tensor<?x2xf32>, tensor<?x2xf32>) -> (index, tensor<?x2xf32>, tensor<?x2xf32>) {
    %more = arith.cmpi slt, %i, %c3 : index
    scf.condition(%more) %i, %a, %b : index, tensor<?x2xf32>, tensor<?x2xf32>
  } do {
  ^bb0(%i: index, %a: tensor<?x2xf32>, %b: tensor<?x2xf32>):
    %next = arith.addi %i, %c1 : index
    scf.yield %next, %b, %a : index, tensor<?x2xf32>, tensor<?x2xf32>
  }
  %value = tensor.extract %at[%c0] : tensor<1xi64>
  %place = arith.index_cast %value : i64 to index
  %picked = tensor.extract_slice %y[%place, 0] [1, 2] [1, 1] : tensor<?x2xf32> to tensor<1x2xf32>
  return %sum, %rows, %swapped#1, %picked : tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<1x2xf32>
}
