// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#id = affine_map<(i) -> (i)>
func.func @main(%a: tensor<4xf32> {qtensor.name = "a"}, %b: tensor<4xf32> {qtensor.name = "b"}) -> (tensor<4xf32> {qtensor.name = "y"}) {
  %ey = tensor.empty() : tensor<4xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%a, %b : tensor<4xf32>, tensor<4xf32>) outs(%ey : tensor<4xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %v = arith.subf %l, %r : f32
    linalg.yield %v : f32
  } -> tensor<4xf32> loc("difference")
  return %y : tensor<4xf32>
}
