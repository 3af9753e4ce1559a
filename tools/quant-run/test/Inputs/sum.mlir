// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The state comes first, so that its place is no place of an input.
#id = affine_map<(i) -> (i)>
func.func @main(%s: tensor<4xf32> {qtensor.name = "s", qtensor.state = "s"}, %x: tensor<4xf32> {qtensor.name = "x"})
    -> (tensor<4xf32> {qtensor.name = "y"}, tensor<4xf32> {qtensor.name = "next", qtensor.state = "s"}) {
  %et = tensor.empty() : tensor<4xf32>
  %t = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%s, %x : tensor<4xf32>, tensor<4xf32>) outs(%et : tensor<4xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %v = arith.addf %l, %r : f32
    linalg.yield %v : f32
  } -> tensor<4xf32> loc("total")
  %ey = tensor.empty() : tensor<4xf32>
  %y = linalg.generic {indexing_maps = [#id, #id, #id], iterator_types = ["parallel"]}
      ins(%t, %t : tensor<4xf32>, tensor<4xf32>) outs(%ey : tensor<4xf32>) {
  ^bb0(%l: f32, %r: f32, %o: f32):
    %v = arith.mulf %l, %r : f32
    linalg.yield %v : f32
  } -> tensor<4xf32> loc("square")
  return %y, %t : tensor<4xf32>, tensor<4xf32>
}
