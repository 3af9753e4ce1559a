// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Loops that carry several tensors and pass one on in the place of another: as it is, as a view, beside a new one;
// that pass one on twice, and one beside what was written over it.
func.func @main(%c: tensor<1xi64>, %x: tensor<4xf32>, %y: tensor<4xf32>) -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i64
  %one = arith.constant 1 : i64
  %count = tensor.extract %c[%c0] : tensor<1xi64>
  %n = arith.index_cast %count : i64 to index
  %swapped:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %y) -> (tensor<4xf32>, tensor<4xf32>) {
    scf.yield %b, %a : tensor<4xf32>, tensor<4xf32>
  }
  %sums:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %y) -> (tensor<4xf32>, tensor<4xf32>) {
    %e = tensor.empty() : tensor<4xf32>
    %s = linalg.add ins(%a, %b : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    scf.yield %s, %a : tensor<4xf32>, tensor<4xf32>
  }
  %square = tensor.expand_shape %y [[0, 1]] output_shape [2, 2] : tensor<4xf32> into tensor<2x2xf32>
  %views:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %square) -> (tensor<4xf32>, tensor<2x2xf32>) {
    %line = tensor.collapse_shape %b [[0, 1]] : tensor<2x2xf32> into tensor<4xf32>
    %new = tensor.expand_shape %a [[0, 1]] output_shape [2, 2] : tensor<4xf32> into tensor<2x2xf32>
    scf.yield %line, %new : tensor<4xf32>, tensor<2x2xf32>
  }
  %turned:3 = scf.while (%i = %count, %a = %x, %b = %y) : (i64, tensor<4xf32>, tensor<4xf32>) -> (i64, tensor<4xf32>, tensor<4xf32>) {
    %more = arith.cmpi sgt, %i, %zero : i64
    scf.condition(%more) %i, %b, %a : i64, tensor<4xf32>, tensor<4xf32>
  } do {
  ^bb0(%i: i64, %a: tensor<4xf32>, %b: tensor<4xf32>):
    %rest = arith.subi %i, %one : i64
    %e = tensor.empty() : tensor<4xf32>
    %s = linalg.add ins(%a, %b : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    scf.yield %rest, %s, %a : i64, tensor<4xf32>, tensor<4xf32>
  }
  %twice:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %y) -> (tensor<4xf32>, tensor<4xf32>) {
    %e = tensor.empty() : tensor<4xf32>
    %s = linalg.add ins(%a, %b : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    scf.yield %s, %s : tensor<4xf32>, tensor<4xf32>
  }
  %half = arith.constant 0.5 : f32
  %beside:2 = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %y) -> (tensor<4xf32>, tensor<4xf32>) {
    %e = tensor.empty() : tensor<4xf32>
    %s = linalg.add ins(%a, %b : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
    %next = tensor.insert %half into %s[%c0] : tensor<4xf32>
    scf.yield %next, %s : tensor<4xf32>, tensor<4xf32>
  }
  %again = linalg.add ins(%twice#0, %twice#1 : tensor<4xf32>, tensor<4xf32>) outs(%x : tensor<4xf32>) -> tensor<4xf32>
  %both = linalg.sub ins(%beside#1, %beside#0 : tensor<4xf32>, tensor<4xf32>) outs(%x : tensor<4xf32>) -> tensor<4xf32>
  return %swapped#0, %sums#0, %views#0, %turned#2, %again, %both : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
