// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Outputs on the way to one another; a state that the next one is computed from; an output that is what the state was.
func.func @main(%x: tensor<4xf32> {qtensor.name = "x"}, %s: tensor<4xf32> {qtensor.state = "s"})
    -> (tensor<4xf32> {qtensor.name = "n"}, tensor<4xf32> {qtensor.name = "v"}, tensor<4xf32> {qtensor.name = "d"}, tensor<4xf32> {qtensor.name = "o"}, tensor<4xf32> {qtensor.state = "s"}) {
  %c0 = arith.constant 0 : index
  %h = arith.constant 0.5 : f32
  %e = tensor.empty() : tensor<4xf32>
  %v = linalg.add ins(%x, %x : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %n = tensor.insert %h into %v[%c0] : tensor<4xf32>
  %new = linalg.add ins(%v, %s : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  %d = linalg.sub ins(%new, %s : tensor<4xf32>, tensor<4xf32>) outs(%e : tensor<4xf32>) -> tensor<4xf32>
  return %n, %v, %d, %s, %new : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}
