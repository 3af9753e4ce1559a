// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Truth values in buffers, in a table and in the output.
#id = affine_map<(d0) -> (d0)>
func.func @main(%x: tensor<6xi8>, %y: tensor<6xi8>) -> (tensor<6xi1>, tensor<6xi1>) {
  %table = arith.constant dense<[true, false, false, true, true, false]> : tensor<6xi1>
  %e = tensor.empty() : tensor<6xi1>
  %less = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%x, %y : tensor<6xi8>, tensor<6xi8>) outs(%e : tensor<6xi1>) {
  ^bb0(%a: i8, %b: i8, %o: i1):
    %s = arith.cmpi slt, %a, %b : i8
    linalg.yield %s : i1
  } -> tensor<6xi1>
  %both = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%less, %table : tensor<6xi1>, tensor<6xi1>) outs(%e : tensor<6xi1>) {
  ^bb0(%a: i1, %b: i1, %o: i1):
    %s = arith.xori %a, %b : i1
    linalg.yield %s : i1
  } -> tensor<6xi1>
  return %less, %both : tensor<6xi1>, tensor<6xi1>
}
