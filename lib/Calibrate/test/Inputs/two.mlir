// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Two inputs, of which the second has a fixed first extent.
func.func @main(%x: tensor<?x2xf32> {qtensor.name = "x"}, %b: tensor<1x2xf32> {qtensor.name = "b"}) -> tensor<?x2xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %w = arith.constant dense<[[2.0, 0.5], [-1.0, 2.0]]> : tensor<2x2xf32> loc("w")
  %m = tensor.dim %x, %c0 : tensor<?x2xf32>
  %e = tensor.empty(%m) : tensor<?x2xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x2xf32>) -> tensor<?x2xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x2xf32>, tensor<2x2xf32>) outs(%f : tensor<?x2xf32>) -> tensor<?x2xf32> loc("fc1")
  %z = linalg.generic {indexing_maps = [affine_map<(m, n) -> (m, n)>, affine_map<(m, n) -> (0, n)>, affine_map<(m, n) -> (m, n)>],
                       iterator_types = ["parallel", "parallel"]} ins(%y, %b : tensor<?x2xf32>, tensor<1x2xf32>) outs(%e : tensor<?x2xf32>) {
    ^bb0(%p: f32, %q: f32, %o: f32):
      %s = arith.addf %p, %q : f32
      linalg.yield %s : f32
  } -> tensor<?x2xf32> loc("bias")
  %u = linalg.matmul ins(%z, %w : tensor<?x2xf32>, tensor<2x2xf32>) outs(%f : tensor<?x2xf32>) -> tensor<?x2xf32> loc("fc2")
  return %u : tensor<?x2xf32>
}
