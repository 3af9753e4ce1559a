// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// y = tanh(x . w + b) on any batch; w and b are large enough for the weights file.
#id = affine_map<(m, n) -> (m, n)>
#column = affine_map<(m, n) -> (n)>
func.func @main(%x: tensor<?x40xf32> {qtensor.name = "x", qtensor.dims = ["batch", ""]},
                %z: tensor<?x24xf32> {qtensor.name = "z", qtensor.dims = ["batch", ""]}) -> (tensor<?x24xf32> {qtensor.name = "y"}) {
  %w = arith.constant dense_resource<w> : tensor<40x24xf32> loc("layer/w")
  %b = arith.constant dense_resource<b> : tensor<24xf32> loc("layer/b")
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %batch = tensor.dim %x, %c0 : tensor<?x40xf32>
  %e = tensor.empty(%batch) : tensor<?x24xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x24xf32>) -> tensor<?x24xf32>
  %p = linalg.matmul ins(%x, %w : tensor<?x40xf32>, tensor<40x24xf32>) outs(%f : tensor<?x24xf32>) -> tensor<?x24xf32>
  %y = linalg.generic {indexing_maps = [#id, #column, #id, #id], iterator_types = ["parallel", "parallel"]}
    ins(%p, %b, %z : tensor<?x24xf32>, tensor<24xf32>, tensor<?x24xf32>) outs(%e : tensor<?x24xf32>) {
  ^bb0(%a: f32, %bias: f32, %r: f32, %o: f32):
    %s = arith.addf %a, %bias : f32
    %t = math.tanh %s : f32
    %u = arith.addf %t, %r : f32
    linalg.yield %u : f32
  } -> tensor<?x24xf32>
  return %y : tensor<?x24xf32>
}
