// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
func.func @main(%x: tensor<2400000xi8> {qtensor.name = "x"}) -> (tensor<2400000xi8> {qtensor.name = "y"}) {
  %init = tensor.empty() : tensor<2400000xi8>
  %y = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>, affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]}
      ins(%x : tensor<2400000xi8>) outs(%init : tensor<2400000xi8>) {
  ^bb0(%a: i8, %b: i8):
    %one = arith.constant 1 : i8
    %c = arith.addi %a, %one : i8
    linalg.yield %c : i8
  } -> tensor<2400000xi8>
  return %y : tensor<2400000xi8>
}
