// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// a * b + c in one rounding, element by element.
#v = affine_map<(i) -> (i)>
func.func @main(%a: tensor<?xf32> {qtensor.name = "a"}, %b: tensor<?xf32> {qtensor.name = "b"}, %c: tensor<?xf32> {qtensor.name = "c"})
    -> (tensor<?xf32> {qtensor.name = "y"}) {
  %zero = arith.constant 0 : index
  %n = tensor.dim %a, %zero : tensor<?xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %y = linalg.generic {indexing_maps = [#v, #v, #v, #v], iterator_types = ["parallel"]}
      ins(%a, %b, %c : tensor<?xf32>, tensor<?xf32>, tensor<?xf32>) outs(%e : tensor<?xf32>) {
   ^bb0(%x: f32, %w: f32, %s: f32, %o: f32):
    %0 = math.fma %x, %w, %s : f32
    linalg.yield %0 : f32
  } -> tensor<?xf32>
  return %y : tensor<?xf32>
}
