// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Rows of a table, by their numbers.
func.func @main(%rows: tensor<4xi32> {qtensor.name = "rows"}) -> (tensor<4x2xi8> {qtensor.name = "y"}) {
  %table = arith.constant dense<[[1, 2], [3, 4], [5, 6]]> : tensor<3x2xi8>
  %c0 = arith.constant 0 : i32
  %c3 = arith.constant 3 : i32
  %true = arith.constant true
  %yes = tensor.empty() : tensor<i1>
  %all = linalg.fill ins(%true : i1) outs(%yes : tensor<i1>) -> tensor<i1>
  %inside = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> ()>], iterator_types = ["reduction"]}
      ins(%rows : tensor<4xi32>) outs(%all : tensor<i1>) {
  ^bb0(%row: i32, %so_far: i1):
    %fits = arith.cmpi ult, %row, %c3 : i32
    %both = arith.andi %fits, %so_far : i1
    linalg.yield %both : i1
  } -> tensor<i1>
  %good = tensor.extract %inside[] : tensor<i1>
  cf.assert %good, "a row is outside of the table"
  %init = tensor.empty() : tensor<4x2xi8>
  %y = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0)>, affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]}
      ins(%rows : tensor<4xi32>) outs(%init : tensor<4x2xi8>) {
  ^bb0(%row: i32, %out: i8):
    %column = linalg.index 1 : index
    %fits = arith.cmpi ult, %row, %c3 : i32
    %safe = arith.select %fits, %row, %c0 : i32
    %at = arith.index_cast %safe : i32 to index
    %value = tensor.extract %table[%at, %column] : tensor<3x2xi8>
    linalg.yield %value : i8
  } -> tensor<4x2xi8>
  return %y : tensor<4x2xi8>
}
