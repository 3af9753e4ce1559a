// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A product with weights of bf16, and results of bf16: of f32, and of f64.
#mk = affine_map<(m, n, k) -> (m, k)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#id = affine_map<(m, n) -> (m, n)>
func.func @main(%x: tensor<5x40xf32>, %w: tensor<24x40xbf16>) -> (tensor<5x24xbf16>, tensor<5x24xbf16>) {
  %c = arith.constant 0.0 : f32
  %e = tensor.empty() : tensor<5x24xf32>
  %z = linalg.fill ins(%c : f32) outs(%e : tensor<5x24xf32>) -> tensor<5x24xf32>
  %y = linalg.matmul indexing_maps = [#mk, #nk, #mn] ins(%x, %w : tensor<5x40xf32>, tensor<24x40xbf16>) outs(%z : tensor<5x24xf32>) -> tensor<5x24xf32>
  %o = tensor.empty() : tensor<5x24xbf16>
  %n = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%y : tensor<5x24xf32>) outs(%o : tensor<5x24xbf16>) {
  ^bb0(%a: f32, %b: bf16):
    %r = arith.truncf %a : f32 to bf16
    linalg.yield %r : bf16
  } -> tensor<5x24xbf16>
  %third = arith.constant 0.333 : f64
  %p = linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]} ins(%n : tensor<5x24xbf16>) outs(%o : tensor<5x24xbf16>) {
  ^bb0(%a: bf16, %b: bf16):
    %d = arith.extf %a : bf16 to f64
    %q = arith.mulf %d, %third : f64
    %r = arith.truncf %q : f64 to bf16
    linalg.yield %r : bf16
  } -> tensor<5x24xbf16>
  return %n, %p : tensor<5x24xbf16>, tensor<5x24xbf16>
}
